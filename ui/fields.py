"""What the browser must know of a field to read its controls and to show its values: plain data for scripts."""

from collections.abc import Mapping
from typing import Any

from engine.contracts.field import FieldType
from metadata.model import Field, say
from ui.formats import Formats, currency_sign

__all__ = ["reading_of", "showing_of", "words_of"]


def reading_of(kind: FieldType, field: Field) -> dict[str, Any]:
    """For reading.js."""
    return {"kind": kind.value, "widget": kind.widget, "cell": kind.cell}


def showing_of(kind: FieldType, field: Field, formats: Formats, language: str) -> dict[str, Any]:
    """For showing.js."""
    shown: dict[str, Any] = {"cell": kind.cell}
    if isinstance(scale := field.options.get("scale"), int):
        shown["scale"] = scale
    if "currency" in kind.options:
        code = str(field.options.get("currency") or "CNY")
        shown["before"], shown["after"] = currency_sign(formats.locale, code)
    if field.choices:
        shown["labels"] = {choice.value: say(choice.label, language) for choice in field.choices}
    return shown


def words_of(formats: Formats) -> Mapping[str, str]:
    """What values are told with, in the person's language."""
    say = formats.say
    return {"h": say("{n}h"), "m": say("{n}m"), "s": say("{n}s"), "yes": say("Yes"), "no": say("No")}
