"""HOUR(moment)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, clock_of, local_clock


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.extract("hour", local_clock(context, args[0]))


HOUR = Function(
    name="HOUR",
    doc="The hour of a time, or of a date and time in the person's time zone, from 0 to 23.",
    takes=("datetime|time",),
    returns="number",
    sql=sql,
    python=lambda here, moment: clock_of(here, moment).hour,
    js="(here, moment) => fs.whole(fs.clock(moment, here.zone)[0])",
    in_sqlite="python",
    is_volatile=True,
    examples=(
        ("HOUR('2026-11-22T08:30:00Z')", 16),
        ("HOUR('2026-11-21T16:00:00Z')", 0),
        ("HOUR('08:30')", 8),
        ("HOUR(NOW())", 7),
        ("HOUR(null)", None),
    ),
)
