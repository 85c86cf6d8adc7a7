"""YEAR(date)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.extract("year", sa.cast(args[0], sa.Date()))


YEAR = Function(
    name="YEAR",
    doc="The year of the date.",
    takes=("date",),
    returns="number",
    sql=sql,
    python=lambda here, date: date.year,
    js="(here, date) => fs.whole(Number(date.slice(0, 4)))",
    in_sqlite="python",
    examples=(
        ("YEAR('2026-11-22')", 2026),
        ("YEAR(NOW())", 2026),
        ("YEAR(null)", None),
    ),
)
