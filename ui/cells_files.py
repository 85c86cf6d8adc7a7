"""Cells of files and images: links to downloads, and small pictures. Whatever comes out is HTML, escaped here."""

from collections.abc import Mapping
from html import escape
from typing import Any

import orjson

from engine.files.kinds import size_text
from ui.icons import icon
from ui.shown import Cell, Row, Shown

__all__ = ["ADDRESS", "entries", "file", "icon_of", "image", "names"]

ADDRESS = "/files/"
IN_LIST = 2  # of several files, how many a list shows
ICONS: Mapping[str, str] = {
    "application/pdf": "file-text", "text/plain": "file-text", "text/csv": "file-type-csv",
    "application/vnd.ms-excel": "file-type-xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "file-type-xls",
}  # fmt: skip
Entry = Mapping[str, Any]


def entries(value: str | None) -> list[Entry]:
    """The files in a stored value."""
    if not value:
        return []
    plain = orjson.loads(str(value))
    return plain if isinstance(plain, list) else [plain]


def names(value: Any) -> str:
    """Of a value as the history keeps it."""
    plain = value if isinstance(value, list) else [value]
    return ", ".join(str(one.get("name") or one.get("id")) for one in plain if isinstance(one, dict))


def icon_of(kind: str) -> str:
    return "photo" if kind.startswith("image/") else ICONS.get(kind, "file")


def file(shown: Shown) -> Cell:
    at, is_full = shown.at, shown.is_full

    def cell(row: Row) -> str:
        found = entries(row[at])
        return several([link(one) for one in found], is_full) if found else ""

    return cell


def image(shown: Shown) -> Cell:
    """The picture itself, which the browser makes small and fetches when it comes into sight."""
    at, is_full = shown.at, shown.is_full

    def cell(row: Row) -> str:
        found = entries(row[at])
        return several([picture(one, is_full) for one in found], is_full) if found else ""

    return cell


def several(shown: list[str], is_full: bool) -> str:
    if len(shown) == 1:
        return shown[0]
    kept = shown if is_full else shown[:IN_LIST]
    more = f'<span class="quiet">+{len(shown) - len(kept)}</span>' if len(kept) < len(shown) else ""
    return f'<span class="pills">{"".join(kept)}{more}</span>'


def link(one: Entry) -> str:
    name, size = label(one), one.get("size")
    told = f"<small>{size_text(size)}</small>" if isinstance(size, int) else ""
    kind = icon(icon_of(str(one.get("type", ""))), "icon-small")
    return f'<a class="file" href="{ADDRESS}{escape(one["id"])}">{kind}<span class="cut">{name}</span>{told}</a>'


def picture(one: Entry, is_full: bool) -> str:
    address, kind = f"{ADDRESS}{escape(one['id'])}", "picture" if is_full else "picture picture-small"
    return f'<a class="{kind}" href="{address}"><img src="{address}" alt="{label(one)}" loading="lazy"></a>'


def label(one: Entry) -> str:
    return escape(str(one.get("name") or one["id"]))
