"""MONTH(date)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.extract("month", sa.cast(args[0], sa.Date()))


MONTH = Function(
    name="MONTH",
    doc="The month of the date, from 1 to 12.",
    takes=("date",),
    returns="number",
    sql=sql,
    python=lambda here, date: date.month,
    js="(here, date) => fs.whole(Number(date.slice(5, 7)))",
    in_sqlite="python",
    examples=(
        ("MONTH('2026-11-22')", 11),
        ("MONTH(null)", None),
    ),
)
