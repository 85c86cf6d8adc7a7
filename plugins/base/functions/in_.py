"""IN(value, option, …)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    value, *options = args
    return sa.func.coalesce(value.in_(options), sa.false())


IN = Function(
    name="IN",
    doc="Whether the value is one of the options, as with `value in [option]`; blank is none of them.",
    takes=("key", "key*"),
    returns="boolean",
    sql=sql,
    python=lambda here, value, *options: value is not None and value in options,
    js="(here, value, ...options) => value !== null && options.includes(value)",
    blank="value",
    examples=(
        ("IN('b', 'a', 'b')", True),
        ("IN(3, 1, 2)", False),
        ("IN(null, 'a', null)", False),
        ("IN('a', null)", False),
    ),
)
