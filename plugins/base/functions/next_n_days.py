"""NEXT_N_DAYS(date, days)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_days, is_near


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_days(context, args[0], args[1], 1)


NEXT_N_DAYS = Function(
    name="NEXT_N_DAYS",
    doc="Whether the date is one of so many days after today, today not counted.",
    takes=("date", "number"),
    returns="boolean",
    sql=sql,
    python=lambda here, date, days: is_near(here, date, days, 1),
    js="(here, date, days) => fs.isNear(here, date, days, 1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("NEXT_N_DAYS('2026-11-23', 7)", True),
        ("NEXT_N_DAYS('2026-11-29', 7)", True),
        ("NEXT_N_DAYS('2026-11-30', 7)", False),
        ("NEXT_N_DAYS(TODAY(), 7)", False),
        ("NEXT_N_DAYS(null, 7)", False),
    ),
)
