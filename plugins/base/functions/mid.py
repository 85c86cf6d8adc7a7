"""MID(text, start, count)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, count, whole


def middle(here: Any, text: str, start: Any, number: Any) -> str:
    at = whole(start) - 1
    return text[at : at + max(whole(number), 0)] if at >= 0 else ""


def sql(context: Any, args: Sequence[Any]) -> Any:
    start = count(args[1], 1, is_blank_below=True)
    return sa.func.nullif(sa.func.substr(args[0], start, count(args[2], 0)), "")


MID = Function(
    name="MID",
    doc="So many characters of the text from the place `start` on, which counts from 1; blank for a place before it.",
    takes=("text", "number", "number"),
    returns="text",
    sql=sql,
    python=middle,
    js="(here, text, start, length) => fs.middle(text, fs.count(start), fs.count(length))",
    in_sqlite="python",
    examples=(
        ("MID('abcdef', 2, 3)", "bcd"),
        ("MID('abc', 3, 9)", "c"),
        ("MID('abc', 4, 1)", None),
        ("MID('abc', 0, 2)", None),
        ("MID('abc', 1, -1)", None),
    ),
)
