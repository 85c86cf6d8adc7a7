"""formula"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.sdk import Approver, Asked


def find(asked: Asked, options: Mapping[str, Any]) -> Sequence[str]:
    found = asked.formula(options["is"])
    people = [found] if isinstance(found, str) else found if isinstance(found, (list, tuple)) else []
    return [asked.user(one) or one for one in people if isinstance(one, str) and one]


FORMULA = Approver(
    name="formula",
    doc="Whom a formula gives: a user, several users, or a user name.",
    schema={
        "type": "object",
        "properties": {"is": {"type": "string", "minLength": 1, "description": "A formula over the record."}},
        "required": ["is"],
        "additionalProperties": False,
    },
    find=find,
    formulas=("is",),
    short="is",
    lacks=lambda options: "the formula gives nobody",
)
