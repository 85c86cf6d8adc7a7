"""A postal address in parts, each of them optional; the country by its code."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

import orjson

from engine.sdk import BadValue, Field, FieldType, Json, JsonText, Parse, brief, read_text, wrong_type

LENGTHS = {"country": 2, "province": 100, "city": 100, "district": 100, "street": 300, "postcode": 20}
PARTS = tuple(LENGTHS)
NO_CONTROLS = r"^[^\u0000-\u001f\u007f]*$"
ORDER = "parts:"  # what a form sends first: which of its texts is which
# ISO 3166-1, alpha-2.
CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA
GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS
MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS
RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW
TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(CODES.split())


def parts_of(field: Field) -> tuple[str, ...]:
    said = field.options.get("parts")
    return tuple(part for part in PARTS if part in said) if isinstance(said, list | tuple) else PARTS


def parser(field: Field) -> Parse:
    parts = parts_of(field)

    def parse(value: object) -> JsonText | None:
        if isinstance(value, JsonText):
            value = value.value
        if value == "":
            return None
        if not isinstance(value, Mapping):
            raise wrong_type(value, "an address as an object", 'write {"city": "上海市", "street": "世纪大道1号"}')
        found = dict(filled(value, parts))
        return JsonText.of(found) if found else None

    return parse


def filled(value: Mapping[object, object], parts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for part, sent in value.items():
        if part not in parts:
            message = f"'{brief(part)}' is no part of this address; there are {', '.join(parts)}"
            raise BadValue("value.address.part", message, part=brief(part), parts=", ".join(parts))
        text = None if sent is None else read_text(sent, LENGTHS[str(part)])
        if text is not None:
            yield str(part), country(text) if part == "country" else text


def country(text: str) -> str:
    code = text.upper()
    if code not in COUNTRIES:
        message = f"'{brief(text)}' is not the code of a country"
        raise BadValue("value.address.country", message, "write CN, US, DE, …", value=brief(text))
    return code


def schema(field: Field) -> Mapping[str, object]:
    texts = {
        part: {"type": ["string", "null"], "maxLength": LENGTHS[part], "pattern": NO_CONTROLS}
        for part in parts_of(field)
    }
    return {"type": "object", "properties": texts, "additionalProperties": False}


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """The parts in the order that the first text names; of a sheet, JSON, or a text that is the street."""
    if not sent:
        return None
    if not sent[0].startswith(ORDER):
        return read_cell(sent[-1].strip(), parts_of(field))
    names = sent[0].removeprefix(ORDER).split(",")
    found = {name: text.strip() for name, text in zip(names, sent[1:], strict=False) if text.strip()}
    return found or None


def read_cell(text: str, parts: tuple[str, ...]) -> object:
    try:
        if text.startswith("{"):
            return orjson.loads(text)
    except ValueError:
        return text
    return {"street": text} if text and "street" in parts else text or None


def to_form(field: Field, value: JsonText | None, zone: ZoneInfo) -> list[str]:
    if value is None:
        return []
    held, parts = value.value, parts_of(field)
    return [ORDER + ",".join(parts), *(held.get(part, "") for part in parts)]


ADDRESS = FieldType(
    name="address",
    label={"en": "Address", "zh-CN": "地址"},
    value="json",
    widget="address",
    cell="address",
    column=lambda field: Json(),
    parser=parser,
    schema=schema,
    to_json=lambda value: value.value,
    from_form=from_form,
    to_form=to_form,
    options={
        "parts": {"type": "array", "minItems": 1, "items": {"enum": list(PARTS)}, "default": list(PARTS)},
    },
    is_searchable=True,
    may_be_unique=False,
    may_be_indexed=False,
    good=(
        ({}, {"country": "CN", "province": "上海市", "city": "上海市", "district": "浦东新区", "street": "世纪大道1号",
              "postcode": "200120"}),
        ({}, {"country": "us", "street": "1 Main St, \"Suite\" 5\\b", "city": "Springfield", "postcode": ""}),
        ({}, {"city": "Berlin", "street": None}),
        ({"parts": ("city", "street")}, {"street": "Unter den Linden 1"}),
    ),
    bad=(
        ({}, "上海市浦东新区世纪大道1号", "value.type"),
        ({}, ["CN"], "value.type"),
        ({}, {"city": 7}, "value.type"),
        ({}, {"town": "Berlin"}, "value.address.part"),
        ({"parts": ("city",)}, {"street": "x"}, "value.address.part"),
        ({}, {"country": "XX"}, "value.address.country"),
        ({}, {"country": "China"}, "value.text.long"),
        ({}, {"street": "two\nlines"}, "value.text.line"),
        ({}, {"postcode": "2" * 21}, "value.text.long"),
    ),
)  # fmt: skip
