"""LPAD(text, length, fill)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import PADDED_MAX, Function, count, padded, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    fill = args[2] if len(args) > 2 else sa.literal_column("' '")
    return sa.func.nullif(sa.func.lpad(args[0], count(args[1], 0, PADDED_MAX), fill), "")


LPAD = Function(
    name="LPAD",
    doc="The text made so long, at most 10,000, with a fill before it, a space unless said; what is longer is cut.",
    takes=("text", "number", "text?"),
    returns="text",
    sql=sql,
    python=lambda here, text, number, fill=" ": padded(text, whole(number), fill, is_left=True),
    js="(here, text, length, fill = ' ') => fs.padded(text, fs.count(length), fill, true)",
    in_sqlite="python",
    examples=(
        ("LPAD('7', 3, '0')", "007"),
        ("LPAD('ab', 7, '+-')", "+-+-+ab"),
        ("LPAD('a', 3)", "  a"),
        ("LPAD('abcd', 3, '0')", "abc"),
        ("LPAD('a', 0, '0')", None),
        ("LPAD('华', 2, '东')", "东华"),
        ("LPAD('a', null, '0')", None),
    ),
)
