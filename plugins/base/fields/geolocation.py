"""A place on earth: latitude and longitude in degrees, to six places, which is a step of a person."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import orjson

from engine.sdk import BadValue, Field, FieldType, Json, JsonText, Parse, brief, number_text, read_decimal, wrong_type

MOST = {"latitude": Decimal(90), "longitude": Decimal(180)}
SCALE, PRECISION = 6, 9
PLAIN = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,30})?")
SEPARATOR = re.compile(r"[,;\s]+")


def parser(field: Field) -> Parse:
    return parse


def parse(value: object) -> JsonText | None:
    if isinstance(value, JsonText):
        value = value.value
    if value == "":
        return None
    if not isinstance(value, Mapping):
        raise wrong_type(value, "latitude and longitude", 'write {"latitude": 31.23, "longitude": 121.47}')
    if value.keys() != MOST.keys():
        message = f"{brief(dict(value))} does not have latitude and longitude, and nothing else"
        raise BadValue("value.geolocation", message, 'write {"latitude": 31.23, "longitude": 121.47}')
    return JsonText.of({name: degrees(value[name], most) for name, most in MOST.items()})


def degrees(value: object, most: Decimal) -> int | float:
    if value is None or value == "":
        raise BadValue("value.geolocation", "latitude and longitude go together", "write both, or none")
    found = read_decimal(value, PRECISION, SCALE, -most, most)
    return int(found) if found == int(found) else float(found)


def schema(field: Field) -> Mapping[str, object]:
    text = {"type": "string", "pattern": r"^-?[0-9]{1,3}(?:\.[0-9]{1,6})?$"}
    sides = {
        name: {"anyOf": [{"type": "number", "minimum": -int(most), "maximum": int(most)}, text]}
        for name, most in MOST.items()
    }
    return {"type": "object", "properties": sides, "required": list(MOST), "additionalProperties": False}


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """Two texts, or both in one: "31.23, 121.47", as maps give them. Finer places are rounded. Of a sheet, JSON too."""
    texts = [unicodedata.normalize("NFKC", text).strip() for text in sent]
    filled = [text for text in texts if text]
    if not filled:
        return None
    if len(filled) == 1 and filled[0].startswith("{"):
        return read_cell(filled[0])
    if len(filled) == 1 and len(both := SEPARATOR.split(filled[0])) == 2:
        texts = both
    if len(texts) != len(MOST):
        return filled[-1]
    return {name: rounded(text) for name, text in zip(MOST, texts, strict=True)}


def read_cell(text: str) -> object:
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def rounded(text: str) -> str:
    plain = text.removesuffix("°").replace("\u2212", "-")
    if not PLAIN.fullmatch(plain):
        return text
    return number_text(Decimal(plain).quantize(Decimal(1).scaleb(-SCALE), ROUND_HALF_UP))


def to_form(field: Field, value: JsonText | None, zone: ZoneInfo) -> list[str]:
    return [] if value is None else [number_text(Decimal(repr(value.value[name]))) for name in MOST]


GEOLOCATION = FieldType(
    name="geolocation",
    label={"en": "Geolocation", "zh-CN": "地理位置"},
    value="json",
    widget="geolocation",
    cell="geolocation",
    column=lambda field: Json(),
    parser=parser,
    schema=schema,
    to_json=lambda value: value.value,
    from_form=from_form,
    to_form=to_form,
    may_be_unique=False,
    may_be_indexed=False,
    good=(
        ({}, {"latitude": 31.23, "longitude": 121.47}),
        ({}, {"latitude": -90, "longitude": 180}),
        ({}, {"longitude": "-0.000001", "latitude": "89.999999"}),
        ({}, {"latitude": 0, "longitude": 0.0}),
    ),
    bad=(
        ({}, "31.23, 121.47", "value.type"),
        ({}, [31.23, 121.47], "value.type"),
        ({}, {"latitude": 31.23}, "value.geolocation"),
        ({}, {"latitude": 31.23, "longitude": None}, "value.geolocation"),
        ({}, {"latitude": 31.23, "longitude": 121.47, "altitude": 4}, "value.geolocation"),
        ({}, {"latitude": True, "longitude": 121.47}, "value.type"),
        ({}, {"latitude": "north", "longitude": 121.47}, "value.number"),
        ({}, {"latitude": 90.000001, "longitude": 0}, "value.number.max"),
        ({}, {"latitude": 0, "longitude": -180.5}, "value.number.min"),
        ({}, {"latitude": 0.1234567, "longitude": 0}, "value.number.scale"),
    ),
)
