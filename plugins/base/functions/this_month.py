"""THIS_MONTH(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "month", 0)


THIS_MONTH = Function(
    name="THIS_MONTH",
    doc="Whether the date is in this month, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "month", 0),
    js="(here, date) => fs.within(here, date, 'month', 0)",
    blank="value",
    is_volatile=True,
    examples=(
        ("THIS_MONTH('2026-11-30')", True),
        ("THIS_MONTH('2026-12-01')", False),
        ("THIS_MONTH(null)", False),
    ),
)
