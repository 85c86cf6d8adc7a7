"""FLOOR(number)"""

import math
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.floor(args[0])


FLOOR = Function(
    name="FLOOR",
    doc="The next whole number that is not larger.",
    takes=("number",),
    returns="number",
    sql=sql,
    python=lambda here, number: math.floor(number),
    js="(here, number) => fs.floor(number)",
    in_sqlite="python",
    examples=(
        ("FLOOR(2.9)", 2),
        ("FLOOR(-2.1)", -3),
        ("FLOOR(3)", 3),
        ("FLOOR(null)", None),
    ),
)
