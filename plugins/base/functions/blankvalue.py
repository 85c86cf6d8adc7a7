"""BLANKVALUE(value, other)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.coalesce(*args, type_=args[0].type)


BLANKVALUE = Function(
    name="BLANKVALUE",
    doc="The value, or the other where it is blank.",
    takes=("same", "same"),
    returns="same",
    sql=sql,
    python=lambda here, value, other: other if value is None else value,
    js="(here, value, other) => value ?? other",
    blank="value",
    examples=(
        ("BLANKVALUE(null, 'none')", "none"),
        ("BLANKVALUE(5, 0)", 5),
        ("BLANKVALUE(null, null)", None),
    ),
)
