"""Cells of addresses and places on earth. Whatever comes out is HTML, escaped here."""

from html import escape

import orjson

from ui.icons import icon
from ui.places import one_line
from ui.shown import Cell, Row, Shown

__all__ = ["address", "geolocation"]


def address(shown: Shown) -> Cell:
    at, language = shown.at, shown.language

    def cell(row: Row) -> str:
        return escape(one_line(orjson.loads(str(row[at])), language)) if row[at] else ""

    return cell


def geolocation(shown: Shown) -> Cell:
    """Opens in whatever the device has for places: no map of others is asked."""
    at, sign = shown.at, icon("map-pin", "icon-small")

    def cell(row: Row) -> str:
        if not row[at]:
            return ""
        place = orjson.loads(str(row[at]))
        latitude, longitude = f"{place['latitude']:.6f}", f"{place['longitude']:.6f}"
        return f'<a class="place nums" href="geo:{latitude},{longitude}">{sign}{latitude}, {longitude}</a>'

    return cell
