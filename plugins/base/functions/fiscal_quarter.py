"""FISCAL_QUARTER(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, fiscal, fiscal_part


def sql(context: Any, args: Sequence[Any]) -> Any:
    return fiscal_part(context, args[0], 1)


FISCAL_QUARTER = Function(
    name="FISCAL_QUARTER",
    doc="The quarter of the fiscal year, from 1 to 4.",
    takes=("date",),
    returns="number",
    sql=sql,
    python=lambda here, date: fiscal(date, here.fiscal_start)[1],
    js="(here, date) => fs.whole(fs.fiscal(here, date)[1])",
    examples=(
        ("FISCAL_QUARTER('2026-11-22')", 4),
        ("FISCAL_QUARTER('2026-01-01')", 1),
        ("FISCAL_QUARTER(null)", None),
    ),
)
