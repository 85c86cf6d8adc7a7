"""RIGHT(text, count)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, count, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.nullif(sa.func.right(args[0], count(args[1], 0)), "")


RIGHT = Function(
    name="RIGHT",
    doc="The last characters of the text.",
    takes=("text", "number"),
    returns="text",
    sql=sql,
    python=lambda here, text, number: text[-whole(number) :] if number >= 1 else "",
    js="(here, text, length) => fs.last(text, fs.count(length))",
    in_sqlite="python",
    examples=(
        ("RIGHT('abcdef', 2)", "ef"),
        ("RIGHT('ab', 9)", "ab"),
        ("RIGHT('abc', 0)", None),
        ("RIGHT('abc', -1)", None),
        ("RIGHT(null, 2)", None),
    ),
)
