"""owner"""

from engine.sdk import Approver

OWNER = Approver(
    name="owner",
    doc="The owner of the record.",
    schema={"type": "object", "properties": {}, "additionalProperties": False},
    find=lambda asked, options: [asked.owner] if asked.owner else [],
    asks="owner",
    most=lambda options: 1,
)
