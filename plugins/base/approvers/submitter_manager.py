"""submitter_manager"""

from engine.sdk import Approver

SUBMITTER_MANAGER = Approver(
    name="submitter_manager",
    doc="The manager of who submitted it: the nearest one who is active.",
    schema={"type": "object", "properties": {}, "additionalProperties": False},
    find=lambda asked, options: asked.manager_chain(asked.submitter)[:1],
    most=lambda options: 1,
    lacks=lambda options: "the submitter has no manager",
)
