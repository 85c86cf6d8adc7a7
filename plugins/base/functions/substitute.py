"""SUBSTITUTE(text, old, new)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def substitute(here: Any, text: str | None, old: str | None, new: str | None) -> str | None:
    if text is None or old is None:
        return text and text[:100_000]
    return text[:100_000].replace(old, (new or "")[:100])[:100_000]


def sql(context: Any, args: Sequence[Any]) -> Any:
    text, old, new = args
    cut = sa.func.left(text, 100_000)
    made = sa.func.replace(cut, sa.func.coalesce(old, ""), sa.func.left(sa.func.coalesce(new, ""), 100))
    return sa.func.nullif(sa.func.left(made, 100_000), "")


SUBSTITUTE = Function(
    name="SUBSTITUTE",
    doc="The text with each `old` in it made `new`, of which the first 100 characters count; blank removes.",
    takes=("text", "text", "text"),
    returns="text",
    sql=sql,
    python=substitute,
    js="(here, text, old, other) => fs.substitute(text, old, other)",
    in_sqlite="python",
    blank="value",
    examples=(
        ("SUBSTITUTE('a-b-c', '-', '+')", "a+b+c"),
        ("SUBSTITUTE('a-b', '-', null)", "ab"),
        ("SUBSTITUTE('aaa', 'aa', 'b')", "ba"),
        ("SUBSTITUTE('abc', null, 'x')", "abc"),
        ("SUBSTITUTE('aaa', 'a', '')", None),
        ("SUBSTITUTE('a.b', '.', '$&')", "a$&b"),
        ("SUBSTITUTE(null, 'a', 'b')", None),
    ),
)
