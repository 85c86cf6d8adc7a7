"""LOWER(text)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, lower, small_letters


def sql(context: Any, args: Sequence[Any]) -> Any:
    return small_letters(context, args[0])


LOWER = Function(
    name="LOWER",
    doc="The text with A to Z as small letters; all others stay as they are.",
    takes=("text",),
    returns="text",
    sql=sql,
    python=lambda here, text: lower(text),
    js="(here, text) => fs.lower(text)",
    examples=(("LOWER('Acme')", "acme"), ("LOWER('ÄB 华东')", "Äb 华东"), ("LOWER(null)", None)),
)
