"""NEXT_N_MONTHS(date, count)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_periods, is_within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_periods(context, args[0], "month", args[1], 1)


NEXT_N_MONTHS = Function(
    name="NEXT_N_MONTHS",
    doc="Whether the date is in one of so many whole months after this one, which does not count.",
    takes=("date", "number"),
    returns="boolean",
    sql=sql,
    python=lambda here, date, number: is_within(here, date, "month", number, 1),
    js="(here, date, number) => fs.isWithin(here, date, 'month', number, 1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("NEXT_N_MONTHS('2026-12-01', 2)", True),
        ("NEXT_N_MONTHS('2027-01-31', 2)", True),
        ("NEXT_N_MONTHS('2027-02-01', 2)", False),
        ("NEXT_N_MONTHS('2026-11-30', 2)", False),
        ("NEXT_N_MONTHS('2026-12-01', -1)", False),
        ("NEXT_N_MONTHS(null, 3)", False),
        ("NEXT_N_MONTHS(TODAY(), null)", False),
    ),
)
