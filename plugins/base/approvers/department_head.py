"""department_head"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.sdk import IN, Approver, Asked, departments_of


def find(asked: Asked, options: Mapping[str, Any]) -> Sequence[str]:
    found = []
    for department in departments_of(asked, options):
        place: str | None = department
        for _ in range(options.get("level", 1) - 1):
            place = asked.department_above(place) if place else None
        head = asked.head_of(place) if place else None
        if head is not None:
            found.append(head)
    return found


DEPARTMENT_HEAD = Approver(
    name="department_head",
    doc="The head of a department, or of the nearest one above it that has a head.",
    schema={
        "type": "object",
        "properties": {
            "of": {"enum": ["submitter", "owner"], "description": "Whose department; the submitter's unless said."},
            "department": {"type": "string", "minLength": 1, "description": "A path to a department, in its place."},
            **IN,
            "level": {
                "type": "integer",
                "minimum": 1,
                "maximum": 20,
                "description": "1 is the department itself, 2 the one above it, and so on.",
            },
        },
        "additionalProperties": False,
    },
    find=find,
    paths=("department",),
    short="level",
    most=lambda options: None if "department" in options or "in" in options else 1,
    lacks=lambda options: "the department has no head, and none above it has",
)
