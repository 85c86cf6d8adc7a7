"""THIS_WEEK(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "week", 0)


THIS_WEEK = Function(
    name="THIS_WEEK",
    doc="Whether the date is in this week, which begins on Monday, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "week", 0),
    js="(here, date) => fs.within(here, date, 'week', 0)",
    blank="value",
    is_volatile=True,
    examples=(
        ("THIS_WEEK('2026-11-16')", True),
        ("THIS_WEEK('2026-11-23')", False),
        ("THIS_WEEK(null)", False),
    ),
)
