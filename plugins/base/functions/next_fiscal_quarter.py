"""NEXT_FISCAL_QUARTER(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_period, within


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_period(context, args[0], "fiscal_quarter", 1)


NEXT_FISCAL_QUARTER = Function(
    name="NEXT_FISCAL_QUARTER",
    doc="Whether the date is in the next fiscal quarter, as the person's today has it.",
    takes=("date",),
    returns="boolean",
    sql=sql,
    python=lambda here, date: within(here, date, "fiscal_quarter", 1),
    js="(here, date) => fs.within(here, date, 'fiscal_quarter', 1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("NEXT_FISCAL_QUARTER('2027-03-31')", True),
        ("NEXT_FISCAL_QUARTER('2027-04-01')", False),
        ("NEXT_FISCAL_QUARTER(null)", False),
    ),
)
