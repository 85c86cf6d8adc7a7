"""A colour as #rrggbb."""

import re
import unicodedata
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engine.sdk import BadValue, Field, FieldType, Parse, Text, brief, plain_form, wrong_type

SHAPE = re.compile("#[0-9A-Fa-f]{6}")
TYPED = re.compile("#?([0-9A-Fa-f]{6}|[0-9A-Fa-f]{3})")


def parser(field: Field) -> Parse:
    def parse(value: object) -> str | None:
        if not isinstance(value, str):
            raise wrong_type(value, "a colour such as #1a7f37")
        if value == "":
            return None
        if not SHAPE.fullmatch(value):
            message = f"'{brief(value)}' is not a colour"
            raise BadValue("value.color", message, "write # and six digits, such as #1a7f37", value=brief(value))
        return value.lower()

    return parse


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """ "1A7F37" and "#abc" are understood as well."""
    text = plain_form(field, sent, zone)
    if not isinstance(text, str):
        return None
    typed = TYPED.fullmatch(unicodedata.normalize("NFKC", text))
    if typed is None:
        return text
    digits = typed[1]
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


COLOR = FieldType(
    name="color",
    label={"en": "Colour", "zh-CN": "颜色"},
    value="text",
    widget="color",
    cell="color",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"},
    from_form=from_form,
    good=(
        ({}, "#1a7f37"),
        ({}, "#FFFFFF"),
        ({}, "#000000"),
        ({}, "#AbCdEf"),
    ),
    bad=(
        ({}, 255, "value.type"),
        ({}, "red", "value.color"),
        ({}, "#abc", "value.color"),
        ({}, "#12345g", "value.color"),
        ({}, " #123456", "value.color"),
        ({}, "#１２３４５６", "value.color"),
    ),
)
