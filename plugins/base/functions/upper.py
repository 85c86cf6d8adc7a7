"""UPPER(text)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, capitals, upper


def sql(context: Any, args: Sequence[Any]) -> Any:
    return capitals(context, args[0])


UPPER = Function(
    name="UPPER",
    doc="The text with a to z as capitals; all others stay as they are.",
    takes=("text",),
    returns="text",
    sql=sql,
    python=lambda here, text: upper(text),
    js="(here, text) => text.replace(/[a-z]+/g, (found) => found.toUpperCase())",
    examples=(
        ("UPPER('Acme')", "ACME"),
        ("UPPER('äb 华东')", "äB 华东"),
        ("UPPER('ß')", "ß"),
        ("UPPER(null)", None),
    ),
)
