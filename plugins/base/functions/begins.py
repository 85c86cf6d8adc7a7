"""BEGINS(text, start)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, lower, small_letters


def sql(context: Any, args: Sequence[Any]) -> Any:
    text, start = (small_letters(context, arg) for arg in args)
    begins = sa.func.substr(text, 1, sa.func.length(start)) == start
    return sa.func.coalesce(sa.and_(begins, start != ""), sa.false())


BEGINS = Function(
    name="BEGINS",
    doc="Whether the text begins with the other; A and a are the same. Blank begins with nothing and begins nothing.",
    takes=("text", "text"),
    returns="boolean",
    sql=sql,
    python=lambda here, text, start: bool(text and start) and lower(text).startswith(lower(start)),
    js="(here, text, start) => text !== null && start !== null && fs.lower(text).startsWith(fs.lower(start))",
    blank="value",
    examples=(
        ("BEGINS('Acme Ltd', 'acme')", True),
        ("BEGINS('Acme Ltd', 'Ltd')", False),
        ("BEGINS('华东精密', '华东')", True),
        ("BEGINS('abc', '%')", False),
        ("BEGINS('abc', '')", False),
        ("BEGINS('', 'a')", False),
        ("BEGINS(null, 'a')", False),
    ),
)
