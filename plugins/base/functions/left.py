"""LEFT(text, count)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, count, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.nullif(sa.func.left(args[0], count(args[1], 0)), "")


LEFT = Function(
    name="LEFT",
    doc="The first characters of the text.",
    takes=("text", "number"),
    returns="text",
    sql=sql,
    python=lambda here, text, number: text[: max(whole(number), 0)],
    js="(here, text, length) => fs.middle(text, 1, fs.count(length))",
    in_sqlite="python",
    examples=(
        ("LEFT('abcdef', 2)", "ab"),
        ("LEFT('ab', 9)", "ab"),
        ("LEFT('abc', 1.9)", "a"),
        ("LEFT('abc', 0)", None),
        ("LEFT('abc', -1)", None),
        ("LEFT('华东精密', 2)", "华东"),
        ("LEFT(null, 2)", None),
    ),
)
