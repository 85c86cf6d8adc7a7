"""CASE(value, is, then, …, else)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def case(here: Any, value: Any, *rest: Any) -> Any:
    for at in range(0, len(rest) - 1, 2):
        if value is not None and value == rest[at]:
            return rest[at + 1]
    return rest[-1] if len(rest) % 2 else None


def sql(context: Any, args: Sequence[Any]) -> Any:
    value, *rest = args
    pairs = [(rest[at], rest[at + 1]) for at in range(0, len(rest) - 1, 2)]
    return sa.case(*pairs, value=value, else_=rest[-1] if len(rest) % 2 else sa.null())


CASE = Function(
    name="CASE",
    doc="What stands behind the first value that equals the first of all; else the last, or blank. Blank equals none.",
    takes=("key", "key*", "same*", "same?"),
    returns="same",
    sql=sql,
    python=case,
    js="(here, value, ...rest) => fs.choose(value, rest)",
    blank="value",
    examples=(
        ("CASE('b', 'a', 1, 'b', 2)", 2),
        ("CASE('x', 'a', 1, 0)", 0),
        ("CASE('x', 'a', 1)", None),
        ("CASE(2, 1, 'one', 2.0, 'two')", "two"),
        ("CASE(null, null, 1, 2)", 2),
    ),
)
