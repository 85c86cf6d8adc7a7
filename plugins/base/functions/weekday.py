"""WEEKDAY(date)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.extract("isodow", sa.cast(args[0], sa.Date()))


WEEKDAY = Function(
    name="WEEKDAY",
    doc="The day of the week, from 1 for Monday to 7 for Sunday.",
    takes=("date",),
    returns="number",
    sql=sql,
    python=lambda here, date: date.isoweekday(),
    js="(here, date) => fs.whole(fs.weekday(date) + 1)",
    in_sqlite="python",
    examples=(
        ("WEEKDAY('2026-11-22')", 7),
        ("WEEKDAY('2026-11-23')", 1),
        ("WEEKDAY(null)", None),
    ),
)
