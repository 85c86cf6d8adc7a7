"""LAST_MONTH(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "month", -1)


LAST_MONTH = Function(
    name="LAST_MONTH",
    doc="Whether the date is in last month, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "month", -1),
    js="(here, date) => fs.within(here, date, 'month', -1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("LAST_MONTH('2026-10-31')", True),
        ("LAST_MONTH('2026-11-01')", False),
        ("LAST_MONTH(null)", False),
    ),
)
