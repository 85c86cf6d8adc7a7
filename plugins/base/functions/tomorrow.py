"""TOMORROW()"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Date, Function, as_sql, moved_by_days, next_day


def sql(context: Any, args: Sequence[Any]) -> Any:
    return next_day(context, as_sql(context.today, Date()), 1)


TOMORROW = Function(
    name="TOMORROW",
    doc="The date of the day after today, in the person's time zone.",
    takes=(),
    returns="date",
    sql=sql,
    python=lambda here: moved_by_days(here.today, 1),
    js="(here) => fs.daysLater(here.today, 1)",
    is_volatile=True,
    examples=(("TOMORROW()", "2026-11-23"),),
)
