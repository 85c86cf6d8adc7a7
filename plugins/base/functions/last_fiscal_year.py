"""LAST_FISCAL_YEAR(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "fiscal_year", -1)


LAST_FISCAL_YEAR = Function(
    name="LAST_FISCAL_YEAR",
    doc="Whether the date is in the last fiscal year, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "fiscal_year", -1),
    js="(here, date) => fs.within(here, date, 'fiscal_year', -1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("LAST_FISCAL_YEAR('2025-12-31')", True),
        ("LAST_FISCAL_YEAR('2026-01-01')", False),
        ("LAST_FISCAL_YEAR(null)", False),
    ),
)
