"""ABS(number)"""

import decimal
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.abs(args[0])


ABS = Function(
    name="ABS",
    doc="The number without its sign.",
    takes=("number",),
    returns="number",
    sql=sql,
    python=lambda here, number: number.copy_abs() if isinstance(number, decimal.Decimal) else abs(number),
    js="(here, number) => (number < 0n ? -number : number)",
    in_sqlite="python",
    examples=(
        ("ABS(-2.5)", 2.5),
        ("ABS(0)", 0),
        ("ABS(null)", None),
    ),
)
