"""NEXT_MONTH(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "month", 1)


NEXT_MONTH = Function(
    name="NEXT_MONTH",
    doc="Whether the date is in next month, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "month", 1),
    js="(here, date) => fs.within(here, date, 'month', 1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("NEXT_MONTH('2026-12-31')", True),
        ("NEXT_MONTH('2027-01-01')", False),
        ("NEXT_MONTH(null)", False),
    ),
)
