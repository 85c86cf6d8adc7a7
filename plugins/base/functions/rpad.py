"""RPAD(text, length, fill)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import PADDED_MAX, Function, count, padded, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    fill = args[2] if len(args) > 2 else sa.literal_column("' '")
    return sa.func.nullif(sa.func.rpad(args[0], count(args[1], 0, PADDED_MAX), fill), "")


RPAD = Function(
    name="RPAD",
    doc="The text made so long, at most 10,000, with a fill behind it, a space unless said; what is longer is cut.",
    takes=("text", "number", "text?"),
    returns="text",
    sql=sql,
    python=lambda here, text, number, fill=" ": padded(text, whole(number), fill, is_left=False),
    js="(here, text, length, fill = ' ') => fs.padded(text, fs.count(length), fill, false)",
    in_sqlite="python",
    examples=(
        ("RPAD('7', 3, '0')", "700"),
        ("RPAD('ab', 7, '+-')", "ab+-+-+"),
        ("RPAD('a', 3)", "a  "),
        ("RPAD('abcd', 3, '0')", "abc"),
        ("RPAD('a', 0, '0')", None),
        ("RPAD('华', 2, '东')", "华东"),
        ("RPAD('a', null, '0')", None),
    ),
)
