"""WORKDAYS_BETWEEN(first, last)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, once, workdays_before


def _before(date: Any) -> Any:
    """Workdays before it, counted from Monday 0001-01-01."""

    def build(days: Any) -> Any:
        return days // 7 * 5 + sa.func.least(days % 7, 5)

    return once(build, sa.cast(date, sa.Date()) - sa.literal_column("DATE '0001-01-01'", sa.Date()))


def sql(context: Any, args: Sequence[Any]) -> Any:
    return _before(args[1]) - _before(args[0])


WORKDAYS_BETWEEN = Function(
    name="WORKDAYS_BETWEEN",
    doc="How many Mondays to Fridays there are from the first date up to, but without, the last; holidays count.",
    takes=("date", "date"),
    returns="number",
    sql=sql,
    python=lambda here, first, last: workdays_before(last) - workdays_before(first),
    js="(here, first, last) => fs.whole(fs.workdaysBefore(last) - fs.workdaysBefore(first))",
    in_sqlite="python",
    examples=(
        ("WORKDAYS_BETWEEN('2026-11-20', '2026-11-23')", 1),
        ("WORKDAYS_BETWEEN('2026-11-16', '2026-11-23')", 5),
        ("WORKDAYS_BETWEEN('2026-11-21', '2026-11-23')", 0),
        ("WORKDAYS_BETWEEN('2026-11-23', '2026-11-16')", -5),
        ("WORKDAYS_BETWEEN(null, TODAY())", None),
    ),
)
