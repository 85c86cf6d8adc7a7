"""LAST_FISCAL_QUARTER(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "fiscal_quarter", -1)


LAST_FISCAL_QUARTER = Function(
    name="LAST_FISCAL_QUARTER",
    doc="Whether the date is in the last fiscal quarter, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "fiscal_quarter", -1),
    js="(here, date) => fs.within(here, date, 'fiscal_quarter', -1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("LAST_FISCAL_QUARTER('2026-09-30')", True),
        ("LAST_FISCAL_QUARTER('2026-10-01')", False),
        ("LAST_FISCAL_QUARTER(null)", False),
    ),
)
