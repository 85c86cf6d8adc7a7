"""NEXT_FISCAL_YEAR(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "fiscal_year", 1)


NEXT_FISCAL_YEAR = Function(
    name="NEXT_FISCAL_YEAR",
    doc="Whether the date is in the next fiscal year, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "fiscal_year", 1),
    js="(here, date) => fs.within(here, date, 'fiscal_year', 1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("NEXT_FISCAL_YEAR('2027-12-31')", True),
        ("NEXT_FISCAL_YEAR('2026-12-31')", False),
        ("NEXT_FISCAL_YEAR(null)", False),
    ),
)
