"""chosen_by_submitter"""

from engine.sdk import CHOICE, Approver, choosable, those_chosen

CHOSEN_BY_SUBMITTER = Approver(
    name="chosen_by_submitter",
    doc="Whom the submitter chooses: among all people, or those of a role or department.",
    schema={"type": "object", "properties": CHOICE, "additionalProperties": False},
    find=those_chosen,
    offers=choosable,
    paths=("department",),
    is_chosen=True,
    refers={"role": "role"},
    lacks=lambda options: "nobody is chosen" if options.get("min") == 0 else "",
    most=lambda options: options.get("max"),
)
