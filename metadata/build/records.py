"""Build sample data."""

import re
from collections.abc import Mapping
from typing import Any

from metadata.build.objects import plain
from metadata.document import Document
from metadata.model import Data, Field, FieldKind, Record

__all__ = ["RELATIVE", "build_data", "from_cell"]

RELATIVE = re.compile(r"today(?:[+-]\d{1,5})?(?:T[0-2]\d:[0-5]\dZ)?|now(?:[+-]\d{1,6}[hdm])?", re.ASCII)
"""A date or time that depends on the day when sample data is loaded: today-14, now+3h, today+1T06:30Z."""


def build_data(document: Document, fields: Mapping[str, Field], package: str, kinds: Mapping[str, FieldKind]) -> Data:
    is_sheet = document.file.lower().endswith(".csv")
    records = []
    for index, data in enumerate(document.data.get("records") or ()):
        values = {name: plain(value) for name, value in data.items() if name != "_key" and value is not None}
        if is_sheet:
            values = {name: from_cell(value, fields.get(name), kinds) for name, value in values.items()}
        key = data.get("_key")
        records.append(Record("" if key is None else str(key), values, document.at("records", index)))
    return Data(document.name, tuple(records), package, document.at())


def from_cell(text: str, field: Field | None, kinds: Mapping[str, FieldKind]) -> Any:
    """What a cell of a sheet means for its field; the text itself where it means nothing."""
    kind = kinds.get(field.type) if field else None
    if field is None or kind is None or kind.refers or RELATIVE.fullmatch(text):
        return text
    if kind.value == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind.value == "choices":
        return [part.strip() for part in text.split(";") if part.strip()]
    if kind.read_text is None:
        return text
    try:
        return kind.read_text(field, text)
    except ValueError:
        return text
