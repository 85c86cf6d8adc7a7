"""REGEX(text, pattern)"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, Pattern, PatternError, once

LONGEST = 2_000

compiled = lru_cache(maxsize=500)(Pattern)


def refused(pattern: str) -> str:
    try:
        compiled(pattern)
    except PatternError as error:
        return f"at its character {error.column}, {error.message}"
    return ""


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(text: Any) -> Any:
        fits = sa.func.length(text) <= sa.literal_column(str(LONGEST))
        return sa.case((fits, sa.collate(text, "C").op("~", is_comparison=True)(args[1])), else_=sa.false())

    return once(build, args[0])


REGEX = Function(
    name="REGEX",
    doc="Whether the whole text, of at most 2,000 characters, is of the pattern, which stands there in quotes.",
    takes=("text", "pattern"),
    returns="boolean",
    sql=sql,
    python=lambda here, text, pattern: text is not None and len(text) <= LONGEST and compiled(pattern).matches(text),
    js="(here, text, pattern) => text !== null && fs.matches(text, pattern)",
    in_sqlite="python",
    blank="value",
    check=refused,
    weight=200,
    examples=(
        (r"REGEX('AB-1234', '[A-Z]{2}-\\d+')", True),
        (r"REGEX('xAB-1234', '[A-Z]{2}-\\d+')", False),
        ("REGEX('华东', '.{2}')", True),
        (r"REGEX('a\nb', 'a.b')", False),
        ("REGEX('aaaaaaaaaaaaaaaaaaaaaaaaaaaaac', '(a+)+b')", False),
        ("REGEX(null, 'a*')", False),
    ),
)
