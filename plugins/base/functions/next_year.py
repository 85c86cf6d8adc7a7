"""NEXT_YEAR(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "year", 1)


NEXT_YEAR = Function(
    name="NEXT_YEAR",
    doc="Whether the date is in next year, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "year", 1),
    js="(here, date) => fs.within(here, date, 'year', 1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("NEXT_YEAR('2027-12-31')", True),
        ("NEXT_YEAR('2026-12-31')", False),
        ("NEXT_YEAR(null)", False),
    ),
)
