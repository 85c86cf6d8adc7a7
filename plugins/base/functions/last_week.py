"""LAST_WEEK(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "week", -1)


LAST_WEEK = Function(
    name="LAST_WEEK",
    doc="Whether the date is in last week, which begins on Monday, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "week", -1),
    js="(here, date) => fs.within(here, date, 'week', -1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("LAST_WEEK('2026-11-15')", True),
        ("LAST_WEEK('2026-11-16')", False),
        ("LAST_WEEK(null)", False),
    ),
)
