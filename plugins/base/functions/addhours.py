"""ADDHOURS(moment, hours)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, hours_later, hours_on_top


def sql(context: Any, args: Sequence[Any]) -> Any:
    return hours_on_top(args[0], args[1])


ADDHOURS = Function(
    name="ADDHOURS",
    doc="The moment so many hours later, to the millisecond, or earlier where the number is negative.",
    takes=("datetime", "number"),
    returns="datetime",
    sql=sql,
    python=lambda here, moment, hours: hours_later(moment, hours),
    js="(here, moment, hours) => fs.hoursLater(moment, hours)",
    in_sqlite="python",
    examples=(
        ("ADDHOURS(NOW(), 1.5)", "2026-11-22T00:45:00.123Z"),
        ("ADDHOURS(NOW(), -24)", "2026-11-20T23:15:00.123Z"),
        ("ADDHOURS('9999-12-31T23:00Z', 1)", None),
        ("ADDHOURS(NOW(), 1e20)", None),
        ("ADDHOURS(null, 1)", None),
    ),
)
