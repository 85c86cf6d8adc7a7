"""submitter"""

from engine.sdk import Approver

SUBMITTER = Approver(
    name="submitter",
    doc="Who submitted it; a node must then say 'self_approval: self', as 'handle' does by itself.",
    schema={"type": "object", "properties": {}, "additionalProperties": False},
    find=lambda asked, options: [asked.submitter],
    asks="submitter",
    most=lambda options: 1,
)
