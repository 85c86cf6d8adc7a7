"""ISBLANK(value)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, Text


def sql(context: Any, args: Sequence[Any]) -> Any:
    (value,) = args
    blank = value.is_(None)
    return sa.or_(blank, value == "") if isinstance(value.type, sa.String | Text) else blank


ISBLANK = Function(
    name="ISBLANK",
    doc="Whether the value is blank.",
    takes=("any",),
    returns="boolean",
    sql=sql,
    python=lambda here, value: value is None or value == "" or value == [],
    js="(here, value) => value === null || value === '' || (Array.isArray(value) && !value.length)",
    blank="value",
    examples=(
        ("ISBLANK('')", True),
        ("ISBLANK(null)", True),
        ("ISBLANK('a')", False),
        ("ISBLANK(0)", False),
        ("ISBLANK(TODAY())", False),
    ),
)
