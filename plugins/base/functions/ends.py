"""ENDS(text, end)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, lower, small_letters


def sql(context: Any, args: Sequence[Any]) -> Any:
    text, end = (small_letters(context, arg) for arg in args)
    return sa.func.coalesce(sa.func.right(text, sa.func.length(end)) == end, sa.false())


ENDS = Function(
    name="ENDS",
    doc="Whether the text ends with the other; A and a are the same. Blank ends with nothing and ends nothing.",
    takes=("text", "text"),
    returns="boolean",
    sql=sql,
    python=lambda here, text, end: bool(text and end) and lower(text).endswith(lower(end)),
    js="(here, text, end) => text !== null && end !== null && fs.lower(text).endsWith(fs.lower(end))",
    in_sqlite="python",
    blank="value",
    examples=(
        ("ENDS('Acme Ltd', 'LTD')", True),
        ("ENDS('Acme Ltd', 'Acme')", False),
        ("ENDS('华东精密', '精密')", True),
        ("ENDS('a%', '%')", True),
        ("ENDS('a', null)", False),
        ("ENDS(null, 'a')", False),
    ),
)
