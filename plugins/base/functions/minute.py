"""MINUTE(moment)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, clock_of, local_clock


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.extract("minute", local_clock(context, args[0]))


MINUTE = Function(
    name="MINUTE",
    doc="The minute of a time, or of a date and time in the person's time zone, from 0 to 59.",
    takes=("datetime|time",),
    returns="number",
    sql=sql,
    python=lambda here, moment: clock_of(here, moment).minute,
    js="(here, moment) => fs.whole(fs.clock(moment, here.zone)[1])",
    in_sqlite="python",
    is_volatile=True,
    examples=(
        ("MINUTE('2026-11-22T08:30:00Z')", 30),
        ("MINUTE('08:05')", 5),
        ("MINUTE(NOW())", 15),
        ("MINUTE(null)", None),
    ),
)
