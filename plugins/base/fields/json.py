"""Any JSON value: what other systems send along, kept as it came."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from engine.sdk import INTEGER_MAX, INTEGER_MIN, BadValue, Field, FieldType, Json, JsonText, Parse, brief

LENGTH = 20_000
DEPTH = 50
EXACT = 2**53  # whole numbers below are the same as float and int


class Unread(str):
    """What a form sent that is not JSON, with the place of the mistake. As a plain text it would be a JSON string."""

    def __new__(cls, text: str, line: int, column: int) -> "Unread":
        made = super().__new__(cls, text)
        made.line, made.column = line, column
        return made

    line: int
    column: int


def parser(field: Field) -> Parse:
    longest = int(str(field.options.get("length", LENGTH)))

    def parse(value: object) -> JsonText | None:
        if isinstance(value, Unread):
            message = f"this is not JSON: the mistake is in line {value.line}, column {value.column}"
            fix = 'text stands in double quotes: "like this"'
            raise BadValue("value.json", message, fix, line=value.line, column=value.column)
        if isinstance(value, JsonText):
            return value
        if value == "":
            return None
        try:
            text = JsonText.of(canonical(value, DEPTH))
        except TypeError as error:  # half of a surrogate pair
            raise not_kept("a character", "is no valid Unicode") from error
        if len(text) > longest:
            message = f"this JSON has {len(text)} characters; at most {longest} are allowed"
            raise BadValue("value.json.long", message, "shorten it", length=len(text), max=longest)
        return text

    return parse


def canonical(value: Any, depth: int) -> Any:
    """The value with whole numbers as int, so that what is equal is stored alike."""
    if depth < 0:
        message = f"this JSON has more than {DEPTH} levels"
        raise BadValue("value.json.deep", message, "put less inside one another", max=DEPTH)
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise not_kept("a key", "is not text")
        return {checked(key): canonical(value[key], depth - 1) for key in value}
    if isinstance(value, list | tuple):
        return [canonical(one, depth - 1) for one in value]
    if isinstance(value, str):
        return checked(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return number(value)
    raise not_kept(f"'{brief(value)}'", "is no JSON")


def checked(text: str) -> str:
    if "\x00" in text:
        raise not_kept("the character U+0000", "cannot be stored")
    return str(text)


def number(value: float | Decimal) -> int | float:
    if isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise not_kept(brief(value), "has more than 64 bits")
        return value
    try:
        found = float(value)
    except (OverflowError, ValueError):
        found = math.inf
    if not math.isfinite(found):
        raise not_kept(brief(value), "is not a number that can be stored")
    return int(found) if found.is_integer() and abs(found) < EXACT else found


def not_kept(what: str, why: str) -> BadValue:
    return BadValue("value.json.part", f"{what} in this JSON {why}", "leave it out", value=what)


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    text = sent[-1].strip() if sent else ""
    if not text or isinstance(text, Unread):
        return text or None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Unread(text, error.lineno, error.colno)
    except UnicodeEncodeError:
        return Unread(text, 1, 1)


def to_form(field: Field, value: JsonText | None, zone: ZoneInfo) -> str:
    return "" if value is None else orjson.dumps(value.value, option=orjson.OPT_INDENT_2).decode()


JSON = FieldType(
    name="json",
    label={"en": "JSON", "zh-CN": "JSON"},
    value="json",
    widget="json",
    cell="json",
    column=lambda field: Json(),
    parser=parser,
    schema=lambda field: {"type": ["object", "array", "string", "number", "boolean"]},
    to_json=lambda value: value.value,
    from_form=from_form,
    to_form=to_form,
    options={"length": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": LENGTH}},
    may_be_unique=False,
    may_be_indexed=False,
    may_default=False,
    good=(
        ({}, {"source": "网站", "tags": ["a", "b"], "nested": {"b": None, "a": 1.5}}),
        ({}, []),
        ({}, {}),
        ({}, "text"),
        ({}, '{"text": "that looks like JSON"}'),
        ({}, 1.0),
        ({}, -9223372036854775808),
        ({}, False),
        ({"length": 5}, [1, 2]),
    ),
    bad=(
        ({}, 2**64, "value.json.part"),
        ({}, {"a": ["nul\x00"]}, "value.json.part"),
        ({}, "half \udfff", "value.json.part"),
        ({}, [float("nan")], "value.json.part"),
        ({"length": 5}, [1, 2, 3], "value.json.long"),
    ),
)
