"""NOT(condition)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return args[0].is_not(sa.true())


NOT = Function(
    name="NOT",
    doc="Whether the condition is not true, as with `not`.",
    takes=("boolean",),
    returns="boolean",
    sql=sql,
    python=lambda here, condition: not condition,
    js="(here, condition) => condition !== true",
    blank="value",
    examples=(
        ("NOT(1 > 2)", True),
        ("NOT(true)", False),
        ("NOT(null)", True),
    ),
)
