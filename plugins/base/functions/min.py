"""MIN(value, …)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.least(*args, type_=args[0].type)


MIN = Function(
    name="MIN",
    doc="The least of the numbers, dates or times; blanks do not count.",
    takes=("same:number|date|datetime|time*",),
    returns="same",
    sql=sql,
    python=lambda here, *values: min((value for value in values if value is not None), default=None),
    js="(here, ...values) => fs.extreme(values, -1)",
    in_sqlite="python",
    blank="value",
    examples=(
        ("MIN(3, 1, 2)", 1),
        ("MIN(null, 2)", 2),
        ("MIN(null)", None),
        ("MIN(TODAY(), '2026-01-31')", "2026-01-31"),
    ),
)
