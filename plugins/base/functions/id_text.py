"""ID_TEXT(reference)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.cast(args[0], sa.Text())


ID_TEXT = Function(
    name="ID_TEXT",
    doc="The id of the record that a reference leads to, or of the record itself (`id`), as a text: for addresses.",
    takes=("reference",),
    returns="text",
    sql=sql,
    python=lambda here, value: value,
    js="(here, value) => value",
    in_sqlite="python",
    examples=(("ID_TEXT(null)", None),),
)
