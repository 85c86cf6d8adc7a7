"""FISCAL_YEAR(date)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, fiscal, fiscal_part


def sql(context: Any, args: Sequence[Any]) -> Any:
    return fiscal_part(context, args[0], 0)


FISCAL_YEAR = Function(
    name="FISCAL_YEAR",
    doc="The fiscal year of the date, named after the year in which it ends.",
    takes=("date",),
    returns="number",
    sql=sql,
    python=lambda here, date: fiscal(date, here.fiscal_start)[0],
    js="(here, date) => fs.whole(fs.fiscal(here, date)[0])",
    examples=(
        ("FISCAL_YEAR('2026-11-22')", 2026),
        ("FISCAL_YEAR(null)", None),
    ),
)
