"""LAST_N_DAYS(date, days)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_days, is_near


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_days(context, args[0], args[1], -1)


LAST_N_DAYS = Function(
    name="LAST_N_DAYS",
    doc="Whether the date is one of so many days before today, today not counted.",
    takes=("date", "number"),
    returns="boolean",
    sql=sql,
    python=lambda here, date, days: is_near(here, date, days, -1),
    js="(here, date, days) => fs.isNear(here, date, days, -1)",
    blank="value",
    is_volatile=True,
    examples=(
        ("LAST_N_DAYS('2026-11-21', 30)", True),
        ("LAST_N_DAYS('2026-10-23', 30)", True),
        ("LAST_N_DAYS('2026-10-22', 30)", False),
        ("LAST_N_DAYS(TODAY(), 30)", False),
        ("LAST_N_DAYS(null, 30)", False),
        ("LAST_N_DAYS(TODAY(), null)", False),
    ),
)
