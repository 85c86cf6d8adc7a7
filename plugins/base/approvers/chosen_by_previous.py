"""chosen_by_previous"""

from engine.sdk import CHOICE, Approver, choosable, those_chosen

CHOSEN_BY_PREVIOUS = Approver(
    name="chosen_by_previous",
    doc="Whom the one who approved last chooses: among all people, or those of a role or department.",
    schema={"type": "object", "properties": CHOICE, "additionalProperties": False},
    find=those_chosen,
    offers=choosable,
    paths=("department",),
    is_chosen=True,
    refers={"role": "role"},
    lacks=lambda options: "nobody is chosen" if options.get("min") == 0 else "",
    most=lambda options: options.get("max"),
    asks="previous",
)
