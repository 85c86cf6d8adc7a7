"""TRIM(text)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function

SPACES = " \t\r\n\u00a0\u3000"


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.nullif(sa.func.btrim(args[0], SPACES), "")


TRIM = Function(
    name="TRIM",
    doc="The text without spaces, tabs and line ends around it; the wide space of Chinese texts is one, too.",
    takes=("text",),
    returns="text",
    sql=sql,
    python=lambda here, text: text.strip(SPACES),
    js="(here, text) => fs.trim(text)",
    in_sqlite="python",
    examples=(
        ("TRIM('  a b ')", "a b"),
        ("TRIM('\u3000华东\u3000')", "华东"),
        ("TRIM('  ')", None),
        ("TRIM(null)", None),
    ),
)
