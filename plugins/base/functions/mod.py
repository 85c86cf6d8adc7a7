"""MOD(number, by)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, arithmetic


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.mod(args[0], sa.func.nullif(args[1], 0))


MOD = Function(
    name="MOD",
    doc="What is left of a division, as with `%`: it has the sign of the first number; blank for a division by 0.",
    takes=("number", "number"),
    returns="number",
    sql=sql,
    python=lambda here, number, by: arithmetic("%", number, by),
    js="(here, number, by) => fs.arithmetic('%', number, by)",
    in_sqlite="python",
    examples=(
        ("MOD(7, 3)", 1),
        ("MOD(-7, 3)", -1),
        ("MOD(7.5, 2)", 1.5),
        ("MOD(7, 0)", None),
        ("MOD(null, 3)", None),
    ),
)
