"""A telephone number: stored as E.164 ("+862155551234") with its extension; short and local numbers as their digits."""

import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import phonenumbers

from engine.sdk import BadValue, Field, FieldType, Parse, Text, brief, wrong_type

REGION = "CN"
LONGEST = 40
EXTENSION = re.compile(r"^(.{5,}?)[\s,，(（]*(?:转接?|分机|ext\.?|x|#)\s*[:：]?\s*(\d{1,7})\s*[)）]?$", re.IGNORECASE)
LANDLINE_EXTENSION = re.compile(r"^(0\d{2,3}[-\s]?\d{7,8})-(\d{1,6})$")
DIGITS = re.compile(r"[\d\s()+./\-－—（）·]+")


def parser(field: Field) -> Parse:
    region = str(field.options.get("region", REGION))

    def parse(value: object) -> str | None:
        if not isinstance(value, str):
            raise wrong_type(value, "a telephone number as text")
        text = value.strip()
        if not text:
            return None
        found = normalised(text, region) if len(value) <= LONGEST else None
        if found is None:
            fix = "write it with its area code, such as 021-5555 1234, or with its country, such as +86 138 0013 8000"
            raise BadValue("value.phone", f"'{brief(value)}' is not a telephone number", fix, value=brief(value))
        return found

    return parse


def normalised(text: str, region: str) -> str | None:
    main, extension = text, ""
    if ";ext=" in text:
        main, _, extension = text.partition(";ext=")
    elif match := EXTENSION.match(text) or LANDLINE_EXTENSION.match(text):
        main, extension = match.groups()
    if not DIGITS.fullmatch(main) or (extension and not re.fullmatch(r"[0-9]{1,7}", extension)):
        return None
    try:
        number = phonenumbers.parse(main, region)
    except phonenumbers.NumberParseException:
        return None
    whole = stored(number, main, region)
    return whole + (f";ext={extension}" if extension else "") if whole else None


def stored(number: phonenumbers.PhoneNumber, text: str, region: str) -> str | None:
    digits = str(phonenumbers.normalize_digits_only(text))
    if len(digits) <= 6 and not text.startswith("+"):  # 95588, 110
        is_short = phonenumbers.is_possible_short_number_for_region(number, region)
        return digits if is_short else None
    if phonenumbers.is_valid_number(number):
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    is_of_known_length = phonenumbers.is_possible_number(
        number
    )  # a local number, or of a range that is newly given out
    return ("+" if text.startswith("+") else "") + digits if is_of_known_length else None


def to_form(field: Field, value: str | None, zone: ZoneInfo) -> str:
    """As people write it: "+86 21 5555 1234"."""
    if not value or not value.startswith("+"):
        return value or ""
    main, _, extension = value.partition(";ext=")
    number = phonenumbers.parse(main, None)
    text = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    return f"{text} ext. {extension}" if extension else text


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    region = str(field.options.get("region", REGION))
    if region not in phonenumbers.SUPPORTED_REGIONS:
        message = f"'{region}' is no region whose telephone numbers are known"
        yield "region", "field.region", message, "write CN, US, DE, …"


PHONE = FieldType(
    name="phone",
    label={"en": "Phone", "zh-CN": "电话"},
    value="text",
    widget="phone",
    cell="phone",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {"type": "string", "maxLength": LONGEST},
    check=check,
    to_form=to_form,
    options={"region": {"type": "string", "pattern": "^[A-Z]{2}$", "default": REGION}},
    is_searchable=True,
    good=(
        ({}, "13800138000"),
        ({}, "021-5555 1234"),
        ({}, "(0755) 8888 6666 转 801"),
        ({}, "400-820-8820"),
        ({}, "95588"),
        ({}, "+1 202-555-0143 ext. 5"),
        ({"region": "US"}, "(202) 555-0143"),
    ),
    bad=(
        ({}, 13800138000, "value.type"),
        ({}, "call me", "value.phone"),
        ({}, "12", "value.phone"),
        ({}, "6222021234567890123", "value.phone"),
        ({}, "+99912345678", "value.phone"),
        ({}, "1" * 41, "value.phone"),
        ({}, "javascript:alert(1)", "value.phone"),
    ),
)
