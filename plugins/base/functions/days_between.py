"""DAYS_BETWEEN(first, last)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    first, last = (sa.cast(arg, sa.Date()) for arg in args)
    return last - first


DAYS_BETWEEN = Function(
    name="DAYS_BETWEEN",
    doc="How many days the last date is after the first; negative where it is before.",
    takes=("date", "date"),
    returns="number",
    sql=sql,
    python=lambda here, first, last: last.toordinal() - first.toordinal(),
    js="(here, first, last) => fs.whole(fs.dayNumber(last) - fs.dayNumber(first))",
    in_sqlite="python",
    examples=(
        ("DAYS_BETWEEN('2026-11-22', '2026-12-01')", 9),
        ("DAYS_BETWEEN('2026-12-01', '2026-11-22')", -9),
        ("DAYS_BETWEEN(null, TODAY())", None),
    ),
)
