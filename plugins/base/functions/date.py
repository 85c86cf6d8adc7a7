"""DATE(year, month, day)"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, once, whole

MONTH = sa.text("interval '1 month' - interval '1 day'")


def date_of_numbers(here: Any, year: Any, month: Any, day: Any) -> dt.date | None:
    try:
        found = dt.date(whole(year), whole(month), whole(day))
    except ValueError:
        return None
    return found if found.year >= 1000 else None


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(year: Any, month: Any, day: Any) -> Any:
        first = sa.func.make_date(sa.cast(year, sa.Integer()), sa.cast(month, sa.Integer()), 1, type_=sa.Date())
        days = sa.extract("day", sa.cast(first + MONTH, sa.Date()))
        is_month = sa.and_(year.between(1000, 9999), month.between(1, 12))
        found = sa.case((day.between(1, days), first + sa.cast(day, sa.Integer()) - 1))
        return sa.case((is_month, found))

    return once(build, *(sa.func.trunc(arg, type_=sa.Numeric()) for arg in args))


DATE = Function(
    name="DATE",
    doc="The date of these numbers; blank where there is none, as for 31 April.",
    takes=("number", "number", "number"),
    returns="date",
    sql=sql,
    python=date_of_numbers,
    js="(here, year, month, day) => fs.date(fs.count(year), fs.count(month), fs.count(day))",
    in_sqlite="python",
    examples=(
        ("DATE(2026, 11, 22)", "2026-11-22"),
        ("DATE(2026, 2, 29)", None),
        ("DATE(2028, 2, 29)", "2028-02-29"),
        ("DATE(2026, 13, 1)", None),
        ("DATE(999, 1, 1)", None),
        ("DATE(9999, 12, 31)", "9999-12-31"),
        ("DATE(null, 1, 1)", None),
    ),
)
