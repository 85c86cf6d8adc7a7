"""LAST_N_MONTHS(date, count)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_periods, is_within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_periods(context, args[0], "month", args[1], -1)


LAST_N_MONTHS = Function(
    name="LAST_N_MONTHS",
    doc="Whether the date is in one of so many whole months before this one, which does not count.",
    takes=("date", "number"),
    returns="boolean",
    sql=sql,
    python=lambda here, date, number: is_within(here, date, "month", number, -1),
    js="(here, date, number) => fs.isWithin(here, date, 'month', number, -1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("LAST_N_MONTHS('2026-10-31', 3)", True),
        ("LAST_N_MONTHS('2026-08-01', 3)", True),
        ("LAST_N_MONTHS('2026-07-31', 3)", False),
        ("LAST_N_MONTHS('2026-11-01', 3)", False),
        ("LAST_N_MONTHS('2026-10-31', 0)", False),
        ("LAST_N_MONTHS(null, 3)", False),
        ("LAST_N_MONTHS(TODAY(), null)", False),
    ),
)
