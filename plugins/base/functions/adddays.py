"""ADDDAYS(date, days)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Date, Decimal, Function

FARTHEST = 3_000_000  # days: more than all the years that a date can have
FIRST, LAST = "1000-01-01", "9999-12-31"


def sql(context: Any, args: Sequence[Any]) -> Any:
    """Outside the years that a date can have the result is blank; PostgreSQL alone would raise."""
    date, number = args
    days = whole(context, number)
    near = days.between(-FARTHEST, FARTHEST)
    if context.dialect == "sqlite":
        moved = sa.func.strftime("%Y-%m-%d", date, sa.cast(days, sa.Text) + " days", type_=sa.Text())
        moved = sa.case((near, moved))
        return sa.type_coerce(sa.case((moved.between(FIRST, LAST), moved)), Date())
    moved = sa.case((near, sa.cast(sa.cast(date, sa.Date) + days, sa.Date)))
    bounds = sa.cast(FIRST, sa.Date), sa.cast(LAST, sa.Date)
    return sa.type_coerce(sa.case((moved.between(*bounds), moved)), Date())


def whole(context: Any, number: Any) -> Any:
    """Whole days; a fraction is dropped."""
    if context.dialect == "sqlite":
        scale = number.type.scale if isinstance(number.type, Decimal) else 0
        return sa.cast(sa.type_coerce(number, sa.Integer) / 10**scale if scale else number, sa.Integer)
    capped = sa.func.least(sa.func.greatest(sa.func.trunc(number), -FARTHEST - 1), FARTHEST + 1)
    return sa.cast(sa.case((number.is_not(None), capped)), sa.Integer)


ADDDAYS = Function(
    name="ADDDAYS",
    doc="The date so many days later, or earlier where the number is negative.",
    takes=("date", "number"),
    returns="date",
    sql=sql,
    examples=(
        ("ADDDAYS(TODAY(), 7)", "2026-11-29"),
        ("ADDDAYS(TODAY(), -30)", "2026-10-23"),
        ("ADDDAYS(TODAY(), 0)", "2026-11-22"),
        ("ADDDAYS(null, 1)", None),
        ("ADDDAYS(TODAY(), null)", None),
        ("ADDDAYS(TODAY(), 9999999)", None),
        ("ADDDAYS(TODAY(), 2950000)", None),
    ),
)
