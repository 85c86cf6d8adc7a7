"""OR(condition, …)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.or_(*(arg.is_(sa.true()) for arg in args))


OR = Function(
    name="OR",
    doc="Whether one of the conditions is true, as with `or`.",
    takes=("boolean*",),
    returns="boolean",
    sql=sql,
    python=lambda here, *conditions: any(conditions),
    js="(here, ...conditions) => conditions.some((one) => one === true)",
    blank="value",
    examples=(
        ("OR(false, 1 < 2)", True),
        ("OR(false, false)", False),
        ("OR(null)", False),
    ),
)
