"""NEXT_WEEK(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "week", 1)


NEXT_WEEK = Function(
    name="NEXT_WEEK",
    doc="Whether the date is in next week, which begins on Monday, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "week", 1),
    js="(here, date) => fs.within(here, date, 'week', 1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("NEXT_WEEK('2026-11-29')", True),
        ("NEXT_WEEK('2026-11-22')", False),
        ("NEXT_WEEK(null)", False),
    ),
)
