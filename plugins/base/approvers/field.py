"""field"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.sdk import Approver, Asked


def find(asked: Asked, options: Mapping[str, Any]) -> Sequence[str]:
    return asked.users_at(options["path"])


FIELD = Approver(
    name="field",
    doc="Whom a path of the record leads to: a user, several users, or the owner of a record.",
    schema={
        "type": "object",
        "properties": {"path": {"type": "string", "minLength": 1, "description": "A path: account.account_manager."}},
        "required": ["path"],
        "additionalProperties": False,
    },
    find=find,
    paths=("path",),
    short="path",
    led_by="path",
)
