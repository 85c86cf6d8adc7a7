"""PART(value, name)"""

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from engine.sdk import Function, JsonText, once

NAME = "^[A-Za-z0-9_]+$"


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(value: Any, name: Any) -> Any:
        is_name = sa.collate(name, "C").op("~", is_comparison=True)(NAME)
        is_text = sa.func.jsonb_typeof(value.op("->", return_type=JSONB())(name)) == "string"
        text = value.op("->>", return_type=sa.Text())(name)
        return sa.case((sa.and_(is_name, is_text), sa.func.nullif(text, "")))

    return once(build, sa.cast(args[0], JSONB()), sa.cast(args[1], sa.Text()))


def python(here: Any, value: JsonText, name: str) -> str | None:
    found = value.value
    if not isinstance(found, dict) or not re.fullmatch(NAME, name):
        return None
    text = found.get(name)
    return text if isinstance(text, str) else None


PART = Function(
    name="PART",
    doc="The text that an address, or other structured data, has under a name of letters, digits and '_'; else blank.",
    takes=("json", "text"),
    returns="text",
    sql=sql,
    python=python,
    js="(here, value, name) => fs.part(value, name)",
    in_sqlite="python",
    examples=(
        ("PART(home, 'city')", "上海市"),
        ("PART(home, 'province')", None),
        ("PART(home, 'City')", None),
        ("PART(home, '')", None),
        ("PART(home, 'city\"')", None),
        ("PART(shop, 'latitude')", None),
        ("PART(null, 'city')", None),
        ("PART(home, null)", None),
    ),
)
