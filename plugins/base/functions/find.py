"""FIND(part, text)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.strpos(args[1], args[0])


FIND = Function(
    name="FIND",
    doc="The place of the part in the text, from 1; 0 where it is not in it. A and a differ.",
    takes=("text", "text"),
    returns="number",
    sql=sql,
    python=lambda here, part, text: text.find(part) + 1,
    js="(here, part, text) => fs.whole(fs.find(text, part))",
    in_sqlite="python",
    examples=(
        ("FIND('c', 'abcabc')", 3),
        ("FIND('C', 'abc')", 0),
        ("FIND('精', '华东精密')", 3),
        ("FIND(null, 'abc')", None),
    ),
)
