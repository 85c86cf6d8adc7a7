"""position"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.sdk import SCOPE, Approver, Asked, in_department, within_scope


def find(asked: Asked, options: Mapping[str, Any]) -> Sequence[str]:
    return within_scope(asked, options, lambda *where: asked.position(options["name"], *where))


def lacks(options: Mapping[str, Any]) -> str:
    return f"nobody of the department holds the position '{options['name']}'" if in_department(options) else ""


POSITION = Approver(
    name="position",
    doc="People who hold a position: all of them, or those of a department.",
    schema={
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 1}, **SCOPE},
        "required": ["name"],
        "additionalProperties": False,
    },
    find=find,
    paths=("department",),
    short="name",
    lacks=lacks,
)
