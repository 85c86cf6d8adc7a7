"""ADDYEARS(date, years)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, months_later, once, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(date: Any, number: Any) -> Any:
        month = sa.extract("year", date) * 12 + sa.extract("month", date) - 1 + number
        moved = sa.cast(date + sa.cast(number, sa.Integer()) * sa.text("interval '1 month'"), sa.Date())
        return sa.case((month.between(12_000, 119_999), moved))

    return once(build, sa.cast(args[0], sa.Date()), sa.func.trunc(args[1], type_=sa.Numeric()) * 12)


ADDYEARS = Function(
    name="ADDYEARS",
    doc="The date so many whole years later; a day that the month does not have becomes its last one.",
    takes=("date", "number"),
    returns="date",
    sql=sql,
    python=lambda here, date, number: months_later(date, 12 * whole(number)),
    js="(here, date, count) => fs.monthsLater(date, 12 * fs.count(count))",
    in_sqlite="python",
    examples=(
        ("ADDYEARS('2028-02-29', 1)", "2029-02-28"),
        ("ADDYEARS('2026-11-22', -26)", "2000-11-22"),
        ("ADDYEARS('2026-11-22', 8000)", None),
        ("ADDYEARS(null, 1)", None),
    ),
)
