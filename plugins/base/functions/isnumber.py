"""ISNUMBER(text)"""

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function

SHAPE = r"^ *[+-]?[0-9]{1,30}([.][0-9]{1,20})? *$"


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.coalesce(sa.collate(args[0], "C").op("~", is_comparison=True)(SHAPE), sa.false())


ISNUMBER = Function(
    name="ISNUMBER",
    doc="Whether the text is a number, which `VALUE` gives.",
    takes=("text",),
    returns="boolean",
    sql=sql,
    python=lambda here, text: text is not None and re.fullmatch(SHAPE.strip("^$"), text) is not None,
    js="(here, text) => text !== null && fs.value(text) !== null",
    in_sqlite="python",
    blank="value",
    examples=(
        ("ISNUMBER(' -12.50')", True),
        ("ISNUMBER('1,200')", False),
        ("ISNUMBER('abc')", False),
        ("ISNUMBER(null)", False),
    ),
)
