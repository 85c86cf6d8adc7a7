"""CEILING(number)"""

import math
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.ceil(args[0])


CEILING = Function(
    name="CEILING",
    doc="The next whole number that is not smaller.",
    takes=("number",),
    returns="number",
    sql=sql,
    python=lambda here, number: math.ceil(number),
    js="(here, number) => -fs.floor(-number)",
    in_sqlite="python",
    examples=(
        ("CEILING(2.1)", 3),
        ("CEILING(-2.9)", -2),
        ("CEILING(3)", 3),
        ("CEILING(null)", None),
    ),
)
