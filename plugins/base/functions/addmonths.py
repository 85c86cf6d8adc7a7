"""ADDMONTHS(date, months)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, months_later, once, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(date: Any, number: Any) -> Any:
        month = sa.extract("year", date) * 12 + sa.extract("month", date) - 1 + number
        moved = sa.cast(date + sa.cast(number, sa.Integer()) * sa.text("interval '1 month'"), sa.Date())
        return sa.case((month.between(12_000, 119_999), moved))

    return once(build, sa.cast(args[0], sa.Date()), sa.func.trunc(args[1], type_=sa.Numeric()))


ADDMONTHS = Function(
    name="ADDMONTHS",
    doc="The date so many whole months later; a day that the month does not have becomes its last one.",
    takes=("date", "number"),
    returns="date",
    sql=sql,
    python=lambda here, date, number: months_later(date, whole(number)),
    js="(here, date, count) => fs.monthsLater(date, fs.count(count))",
    in_sqlite="python",
    examples=(
        ("ADDMONTHS('2026-01-31', 1)", "2026-02-28"),
        ("ADDMONTHS('2026-03-31', -1)", "2026-02-28"),
        ("ADDMONTHS('2026-11-22', 14)", "2028-01-22"),
        ("ADDMONTHS('9999-12-01', 1)", None),
        ("ADDMONTHS('2026-01-31', 1e20)", None),
        ("ADDMONTHS(null, 1)", None),
    ),
)
