"""THIS_YEAR(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "year", 0)


THIS_YEAR = Function(
    name="THIS_YEAR",
    doc="Whether the date is in this year, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "year", 0),
    js="(here, date) => fs.within(here, date, 'year', 0)",
    blank="value",
    is_volatile=True,
    examples=(
        ("THIS_YEAR('2026-01-01')", True),
        ("THIS_YEAR('2025-12-31')", False),
        ("THIS_YEAR(null)", False),
    ),
)
