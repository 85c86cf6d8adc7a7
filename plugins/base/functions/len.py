"""LEN(text)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.coalesce(sa.func.length(args[0]), 0)


LEN = Function(
    name="LEN",
    doc="How many characters the text has; 0 for blank.",
    takes=("text",),
    returns="number",
    sql=sql,
    python=lambda here, text: len(text or ""),
    js="(here, text) => fs.whole(fs.letters(text ?? '').length)",
    in_sqlite="python",
    blank="value",
    examples=(
        ("LEN('abc')", 3),
        ("LEN('华东')", 2),
        ("LEN('')", 0),
        ("LEN(null)", 0),
    ),
)
