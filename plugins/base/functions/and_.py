"""AND(condition, …)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.and_(*(arg.is_(sa.true()) for arg in args))


AND = Function(
    name="AND",
    doc="Whether all conditions are true, as with `and`.",
    takes=("boolean*",),
    returns="boolean",
    sql=sql,
    python=lambda here, *conditions: all(conditions),
    js="(here, ...conditions) => conditions.every((one) => one === true)",
    blank="value",
    examples=(
        ("AND(true, 1 < 2)", True),
        ("AND(true, false)", False),
        ("AND(true, null)", False),
    ),
)
