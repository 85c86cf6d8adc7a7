"""THIS_FISCAL_YEAR(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "fiscal_year", 0)


THIS_FISCAL_YEAR = Function(
    name="THIS_FISCAL_YEAR",
    doc="Whether the date is in this fiscal year, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "fiscal_year", 0),
    js="(here, date) => fs.within(here, date, 'fiscal_year', 0)",
    blank="value",
    is_volatile=True,
    examples=(
        ("THIS_FISCAL_YEAR('2026-12-31')", True),
        ("THIS_FISCAL_YEAR('2027-01-01')", False),
        ("THIS_FISCAL_YEAR(null)", False),
    ),
)
