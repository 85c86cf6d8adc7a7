"""CONTAINS(text, part)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, lower, small_letters


def sql(context: Any, args: Sequence[Any]) -> Any:
    """A search for a substring, not a pattern: % and _ are letters like others."""
    text, part = (small_letters(context, arg) for arg in args)
    find = sa.func.instr if context.dialect == "sqlite" else sa.func.strpos
    return sa.func.coalesce(sa.and_(find(text, part) > 0, part != ""), sa.false())


CONTAINS = Function(
    name="CONTAINS",
    doc="Whether the text has the part in it; A and a are the same. Blank contains nothing and is in nothing.",
    takes=("text", "text"),
    returns="boolean",
    sql=sql,
    python=lambda here, text, part: bool(text and part) and lower(part) in lower(text),
    js="(here, text, part) => text !== null && part !== null && fs.lower(text).includes(fs.lower(part))",
    blank="value",
    examples=(
        ("CONTAINS('abc', 'b')", True),
        ("CONTAINS('Software', 'SOFT')", True),
        ("CONTAINS('华东精密机械', '精密')", True),
        ("CONTAINS('100 EUR', '100%')", False),
        ("CONTAINS('abc', 'a_c')", False),
        ("CONTAINS('50% off', '0%')", True),
        ("CONTAINS('abc', '')", False),
        ("CONTAINS('', 'a')", False),
        ("CONTAINS(null, 'a')", False),
        ("CONTAINS('a', null)", False),
    ),
)
