"""ADDDAYS(date, days)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Decimal, Function, days_later, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    """Outside the years that a date can have the result is blank on both databases."""
    date, number = args
    scale = 0
    if (
        isinstance(number.type, Decimal) and context.dialect == "sqlite"
    ):  # a column there holds the value times 10^scale
        scale, number = number.type.scale, sa.type_coerce(number, sa.Integer())
    return days_later(context.dialect, date, whole(context.dialect, number, scale), "date")


ADDDAYS = Function(
    name="ADDDAYS",
    doc="The date so many whole days later, or earlier where the number is negative.",
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
