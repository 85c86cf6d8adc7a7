"""START_OF(date, unit)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, period, period_of


def sql(context: Any, args: Sequence[Any]) -> Any:
    return period_of(context, args[0], args[1], 0)


START_OF = Function(
    name="START_OF",
    doc="The first day of the week (from Monday), month, quarter or year of the date; unit is one of these words.",
    takes=("date", "text"),
    returns="date",
    sql=sql,
    python=lambda here, date, unit: period(date, unit, 0, 0) if unit != "day" else None,
    js="(here, date, unit) => (unit === 'day' ? null : fs.period(date, unit, 0, 0))",
    in_sqlite="python",
    examples=(
        ("START_OF('2026-11-22', 'month')", "2026-11-01"),
        ("START_OF('2026-11-22', 'week')", "2026-11-16"),
        ("START_OF('2026-11-22', 'quarter')", "2026-10-01"),
        ("START_OF('2026-11-22', 'year')", "2026-01-01"),
        ("START_OF('2026-11-22', 'age')", None),
        ("START_OF(null, 'month')", None),
    ),
)
