"""TODAY()"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Date, Function, as_sql


def sql(context: Any, args: Sequence[Any]) -> Any:
    return as_sql(context.today, Date())


TODAY = Function(
    name="TODAY",
    doc="The date today, in the person's time zone.",
    takes=(),
    returns="date",
    sql=sql,
    python=lambda here: here.today,
    js="(here) => here.today",
    is_volatile=True,
    examples=(("TODAY()", "2026-11-22"),),
)
