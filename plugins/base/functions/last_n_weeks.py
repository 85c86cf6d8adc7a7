"""LAST_N_WEEKS(date, count)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_periods, is_within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_periods(context, args[0], "week", args[1], -1)


LAST_N_WEEKS = Function(
    name="LAST_N_WEEKS",
    doc="Whether the date is in one of so many whole weeks before this one, which begins on Monday and does not count.",
    takes=("date", "number"),
    returns="boolean",
    sql=sql,
    python=lambda here, date, number: is_within(here, date, "week", number, -1),
    js="(here, date, number) => fs.isWithin(here, date, 'week', number, -1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("LAST_N_WEEKS('2026-11-15', 2)", True),
        ("LAST_N_WEEKS('2026-11-02', 2)", True),
        ("LAST_N_WEEKS('2026-11-01', 2)", False),
        ("LAST_N_WEEKS('2026-11-16', 2)", False),
        ("LAST_N_WEEKS(null, 3)", False),
        ("LAST_N_WEEKS(TODAY(), null)", False),
    ),
)
