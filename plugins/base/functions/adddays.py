"""ADDDAYS(date, days)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, days_later, moved_by_days, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    """Outside the years that a date can have the result is blank on both databases."""
    return days_later(context.dialect, args[0], args[1], "date")


ADDDAYS = Function(
    name="ADDDAYS",
    doc="The date so many whole days later, or earlier where the number is negative.",
    takes=("date", "number"),
    returns="date",
    sql=sql,
    python=lambda here, date, number: moved_by_days(date, whole(number)),
    js="(here, date, days) => fs.daysLater(date, fs.count(days))",
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
