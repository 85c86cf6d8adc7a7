"""SQRT(number)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, once, square_root


def sql(context: Any, args: Sequence[Any]) -> Any:
    """PostgreSQL gives as many places as the number has: rounded from 200 it is rounded from all of them."""

    def build(number: Any) -> Any:
        return sa.case((number >= 0, sa.func.round(sa.func.sqrt(sa.func.round(number, 200)), 20)))

    return once(build, args[0])


SQRT = Function(
    name="SQRT",
    doc="The square root; blank for a negative number.",
    takes=("number",),
    returns="number",
    sql=sql,
    python=lambda here, number: square_root(number),
    js="(here, number) => fs.squareRoot(number)",
    in_sqlite="python",
    examples=(
        ("SQRT(9)", 3),
        ("SQRT(2.25)", 1.5),
        ("TEXT(SQRT(2))", "1.4142135623730950488"),
        ("SQRT(-1)", None),
        ("SQRT(null)", None),
    ),
)
