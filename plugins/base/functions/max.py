"""MAX(value, …)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.greatest(*args, type_=args[0].type)


MAX = Function(
    name="MAX",
    doc="The greatest of the numbers, dates or times; blanks do not count.",
    takes=("same:number|date|datetime|time*",),
    returns="same",
    sql=sql,
    python=lambda here, *values: max((value for value in values if value is not None), default=None),
    js="(here, ...values) => fs.extreme(values, 1)",
    in_sqlite="python",
    blank="value",
    examples=(
        ("MAX(3, 1, 2)", 3),
        ("MAX(null, 2)", 2),
        ("MAX(null)", None),
        ("MAX(TODAY(), '2026-01-31')", "2026-11-22"),
    ),
)
