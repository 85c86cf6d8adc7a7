"""IF(condition, value, other)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, chosen


def sql(context: Any, args: Sequence[Any]) -> Any:
    condition, value, *other = args
    return sa.case((condition.is_(sa.true()), value), else_=other[0] if other else sa.null())


IF = Function(
    name="IF",
    doc="The value where the condition is true, else the other; without another, blank.",
    takes=("boolean", "same", "same?"),
    returns="same",
    sql=sql,
    scaled=chosen,
    python=lambda here, condition, value, other=None: value if condition else other,
    js="(here, condition, value, other = null) => condition ? value : other",
    blank="value",
    examples=(
        ("IF(1 < 2, 'a', 'b')", "a"),
        ("IF(1 > 2, 'a')", None),
        ("IF(true, 1.5, 2)", 1.5),
        ("IF(null, 1, 2)", 2),
        ("IF(false, TODAY(), '2026-01-31')", "2026-01-31"),
        ("'a' if 1 < 2 else 'b'", "a"),
    ),
)
