"""HOURS_BETWEEN(first, last)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, hours_between, milliseconds_of, once


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(first: Any, last: Any) -> Any:
        return sa.func.round(sa.func.round(last - first, 200) / 3_600_000, 20)

    return once(build, *(milliseconds_of(arg) for arg in args))


HOURS_BETWEEN = Function(
    name="HOURS_BETWEEN",
    doc="How many hours, with parts of them, the last moment is after the first; negative where it is before.",
    takes=("datetime", "datetime"),
    returns="number",
    sql=sql,
    python=lambda here, first, last: hours_between(first, last),
    js="(here, first, last) => fs.hoursBetween(first, last)",
    in_sqlite="python",
    examples=(
        ("HOURS_BETWEEN('2026-11-22T08:00Z', '2026-11-22T09:30Z')", 1.5),
        ("HOURS_BETWEEN('2026-11-22', '2026-11-21')", -24),
        ("HOURS_BETWEEN(NOW(), NOW())", 0),
        ("HOURS_BETWEEN(null, NOW())", None),
    ),
)
