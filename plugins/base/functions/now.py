"""NOW()"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import DateTime, Function, as_sql


def sql(context: Any, args: Sequence[Any]) -> Any:
    return as_sql(context.now, DateTime())


NOW = Function(
    name="NOW",
    doc="The moment at which the request began.",
    takes=(),
    returns="datetime",
    sql=sql,
    python=lambda here: here.now,
    js="(here) => here.now",
    is_volatile=True,
    examples=(("NOW()", "2026-11-21T23:15:00.123Z"),),
)
