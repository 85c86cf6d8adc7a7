"""MONTHS_BETWEEN(first, last)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, months_between, once

MONTH = sa.text("interval '1 month' - interval '1 day'")


def _months(first: Any, last: Any) -> Any:
    """Of a date to one that is not before it."""
    years = sa.extract("year", last) - sa.extract("year", first)
    days = sa.extract("day", sa.cast(sa.func.date_trunc("month", last) + MONTH, sa.Date()))
    is_short = sa.extract("day", last) < sa.func.least(sa.extract("day", first), days)
    return years * 12 + sa.extract("month", last) - sa.extract("month", first) - sa.cast(is_short, sa.Integer())


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(first: Any, last: Any) -> Any:
        return sa.case((first <= last, _months(first, last)), (first > last, -_months(last, first)))

    return once(build, *(sa.cast(arg, sa.Date()) for arg in args))


MONTHS_BETWEEN = Function(
    name="MONTHS_BETWEEN",
    doc="How many whole months `ADDMONTHS` can go from the first date without passing the last; negative backwards.",
    takes=("date", "date"),
    returns="number",
    sql=sql,
    python=lambda here, first, last: months_between(first, last),
    js="(here, first, last) => fs.whole(fs.monthsBetween(first, last))",
    in_sqlite="python",
    examples=(
        ("MONTHS_BETWEEN('2026-01-15', '2026-03-14')", 1),
        ("MONTHS_BETWEEN('2026-01-15', '2026-03-15')", 2),
        ("MONTHS_BETWEEN('2026-01-31', '2026-02-28')", 1),
        ("MONTHS_BETWEEN('2026-03-15', '2026-01-15')", -2),
        ("MONTHS_BETWEEN(TODAY(), TODAY())", 0),
        ("MONTHS_BETWEEN(null, TODAY())", None),
    ),
)
