"""DAY(date)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.extract("day", sa.cast(args[0], sa.Date()))


DAY = Function(
    name="DAY",
    doc="The day of the month, from 1 to 31.",
    takes=("date",),
    returns="number",
    sql=sql,
    python=lambda here, date: date.day,
    js="(here, date) => fs.whole(Number(date.slice(8, 10)))",
    in_sqlite="python",
    examples=(
        ("DAY('2026-11-22')", 22),
        ("DAY(NOW())", 22),
        ("DAY(null)", None),
    ),
)
