"""END_OF(date, unit)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, period, period_of


def sql(context: Any, args: Sequence[Any]) -> Any:
    return period_of(context, args[0], args[1], 1)


END_OF = Function(
    name="END_OF",
    doc="The last day of the week (from Monday), month, quarter or year of the date; unit is one of these words.",
    takes=("date", "text"),
    returns="date",
    sql=sql,
    python=lambda here, date, unit: period(date, unit, 0, 1) if unit != "day" else None,
    js="(here, date, unit) => (unit === 'day' ? null : fs.period(date, unit, 0, 1))",
    in_sqlite="python",
    examples=(
        ("END_OF('2026-11-22', 'month')", "2026-11-30"),
        ("END_OF('2026-11-22', 'week')", "2026-11-22"),
        ("END_OF('2028-02-01', 'month')", "2028-02-29"),
        ("END_OF('2026-11-22', 'quarter')", "2026-12-31"),
        ("END_OF('2026-11-22', 'year')", "2026-12-31"),
        ("END_OF('9999-12-31', 'week')", None),
        ("END_OF(null, 'month')", None),
    ),
)
