"""TEXT(value)"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Date, Function, Text, Time, number_plain


def plain(here: Any, value: Any) -> str:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if isinstance(value, str) else number_plain(value)


def sql(context: Any, args: Sequence[Any]) -> Any:
    (value,) = args
    if context.dialect == "sqlite" or isinstance(value.type, sa.String | Text):
        return value
    if isinstance(value.type, sa.Date | Date):
        return sa.func.to_char(value, "YYYY-MM-DD")
    if isinstance(value.type, sa.Time | Time):
        return sa.func.to_char(sa.cast(value, sa.Time()), "HH24:MI:SS")
    return sa.cast(sa.func.trim_scale(value), sa.Text())


TEXT = Function(
    name="TEXT",
    doc="The value as a text: a number as short as it goes, a date as 2026-11-22, a time as 08:30:00.",
    takes=("number|date|time|text",),
    returns="text",
    sql=sql,
    python=plain,
    js="(here, value) => fs.text(value)",
    examples=(
        ("TEXT(0.50)", "0.5"),
        ("TEXT(1200)", "1200"),
        ("TEXT(-3)", "-3"),
        ("TEXT(1 / 3)", "0.33333333333333333333"),
        ("TEXT(TODAY())", "2026-11-22"),
        ("TEXT(NOW())", "2026-11-22"),
        ("TEXT('a')", "a"),
        ("TEXT(null)", None),
    ),
)
