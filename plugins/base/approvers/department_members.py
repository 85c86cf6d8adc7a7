"""department_members"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.sdk import IN, Approver, Asked, departments_of


def find(asked: Asked, options: Mapping[str, Any]) -> Sequence[str]:
    below = options.get("below") is True
    return [one for department in departments_of(asked, options) for one in asked.members(department, below)]


DEPARTMENT_MEMBERS = Approver(
    name="department_members",
    doc="Everybody of a department.",
    schema={
        "type": "object",
        "properties": {
            "of": {"enum": ["submitter", "owner"], "description": "Whose department; the submitter's unless said."},
            "department": {"type": "string", "minLength": 1, "description": "A path to a department, in its place."},
            **IN,
            "below": {"type": "boolean", "description": "With the departments below it."},
        },
        "additionalProperties": False,
    },
    find=find,
    paths=("department",),
    short="department",
    lacks=lambda options: "there is no such department, or nobody is in it",
)
