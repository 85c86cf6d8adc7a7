"""COALESCE(value, …)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.coalesce(*args, sa.null(), type_=args[0].type)


COALESCE = Function(
    name="COALESCE",
    doc="The first of the values that is not blank.",
    takes=("same*",),
    returns="same",
    sql=sql,
    python=lambda here, *values: next((value for value in values if value is not None), None),
    js="(here, ...values) => values.find((value) => value !== null) ?? null",
    blank="value",
    examples=(
        ("COALESCE(null, 'a', 'b')", "a"),
        ("COALESCE(null, null)", None),
        ("COALESCE(2, 3)", 2),
        ("COALESCE('', 'x')", "x"),
    ),
)
