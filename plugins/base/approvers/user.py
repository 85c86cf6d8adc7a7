"""user"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.sdk import Approver, Asked


def find(asked: Asked, options: Mapping[str, Any]) -> Sequence[str]:
    names = options["name"]
    found = [asked.user(name) for name in ([names] if isinstance(names, str) else names)]
    return [one for one in found if one is not None]


USER = Approver(
    name="user",
    doc="People by their user names.",
    schema={
        "type": "object",
        "properties": {
            "name": {
                "type": ["string", "array"],
                "minLength": 1,
                "minItems": 1,
                "items": {"type": "string", "minLength": 1},
                "description": "A user name, or a list of them.",
            }
        },
        "required": ["name"],
        "additionalProperties": False,
    },
    find=find,
    short="name",
    most=lambda options: 1 if isinstance(options["name"], str) else len(options["name"]),
)
