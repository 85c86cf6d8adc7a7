"""VALUE(text)"""

import decimal
import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, once

SHAPE = r"^[+-]?[0-9]{1,30}([.][0-9]{1,20})?$"


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(text: Any) -> Any:
        is_number = sa.collate(text, "C").op("~", is_comparison=True)(SHAPE)
        return sa.case((is_number, sa.cast(text, sa.Numeric())))

    return once(build, sa.func.btrim(args[0], " ", type_=sa.Text()))


VALUE = Function(
    name="VALUE",
    doc="The number that the text is, such as -12.5, of up to 30 digits before and 20 after the point; else blank.",
    takes=("text",),
    returns="number",
    sql=sql,
    python=lambda here, text: decimal.Decimal(text.strip(" ")) if re.fullmatch(SHAPE, text.strip(" ")) else None,
    js="(here, text) => fs.value(text)",
    in_sqlite="python",
    examples=(
        ("VALUE('12.50')", 12.5),
        ("VALUE(' -3 ')", -3),
        ("VALUE('1,200')", None),
        ("VALUE('abc')", None),
        ("VALUE('1e3')", None),
        ("VALUE(null)", None),
    ),
)
