"""A span of time, kept as whole seconds."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from engine.sdk import BadValue, Field, FieldType, Integer, Parse, brief, plain_form, read_integer

MOST = 100 * 366 * 86_400  # a hundred years
# ISO 8601, 5.5.2, whole numbers only; years and months are left out, as they are of no fixed length.
ISO = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})D)?(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,10})M)?(?:([0-9]{1,11})S)?)?"
)
CLOCK = re.compile(r"([0-9]{1,7}):([0-5][0-9])(?::([0-5][0-9]))?")
AMOUNT = r"([0-9]{{1,9}}(?:\.[0-9]{{1,6}})?) ?(?:{})\.?"
TYPED = re.compile(
    "[ ,]*".join(
        f"(?:{AMOUNT.format(unit)})?"
        for unit in ("days?|d|天|日", "hours?|hrs?|h|小时|时", "minutes?|mins?|m|分钟|分", "seconds?|secs?|s|秒钟?")
    ),
    re.IGNORECASE,
)
SECONDS = (86_400, 3_600, 60, 1)


def parser(field: Field) -> Parse:
    def parse(value: object) -> int | None:
        if value == "":
            return None
        if not isinstance(value, str):
            return read_integer(value, 0, MOST)
        found = ISO.fullmatch(value)
        if not found:
            message = f"'{brief(value)}' is not a duration"
            fix = "write seconds as a number, or PT1H30M; in a form 1h 30m"
            raise BadValue("value.duration", message, fix, value=brief(value))
        return read_integer(sum(int(n or 0) * unit for n, unit in zip(found.groups(), SECONDS, strict=True)), 0, MOST)

    return parse


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """ "1h 30m", "90m", "1.5h", "1:30", "01:30:00" and "1小时30分" are understood. A number alone says no unit."""
    text = plain_form(field, sent, zone)
    if not isinstance(text, str):
        return None
    typed = unicodedata.normalize("NFKC", text)
    if found := CLOCK.fullmatch(typed):
        hours, minutes, seconds = found.groups()
        return int(hours) * 3_600 + int(minutes) * 60 + int(seconds or 0)
    found = TYPED.fullmatch(typed)
    if not found or not any(found.groups()):
        return text
    total = sum(Decimal(n or 0) * unit for n, unit in zip(found.groups(), SECONDS, strict=True))
    return int(total) if total == int(total) else text


def to_form(field: Field, value: Any, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    parts = ((value // 3_600, "h"), (value % 3_600 // 60, "m"), (value % 60, "s"))
    return " ".join(f"{n}{unit}" for n, unit in parts if n) or "0m"


DURATION = FieldType(
    name="duration",
    label={"en": "Duration", "zh-CN": "时长"},
    value="number",
    widget="text",
    cell="duration",
    column=lambda field: Integer(),
    parser=parser,
    schema=lambda field: {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": MOST, "description": "seconds"},
            {"type": "string", "pattern": f"^{ISO.pattern}$", "description": "ISO 8601, such as PT1H30M"},
        ]
    },
    from_form=from_form,
    to_form=to_form,
    good=(
        ({}, 0),
        ({}, 5400),
        ({}, 90061),
        ({}, 60.0),
        ({}, "PT1H30M"),
        ({}, "P1DT1S"),
    ),
    bad=(
        ({}, -1, "value.number.min"),
        ({}, 3_162_240_001, "value.number.max"),
        ({}, 1.5, "value.integer"),
        ({}, True, "value.type"),
        ({}, "1:30", "value.duration"),
        ({}, "90", "value.duration"),
        ({}, "PT", "value.duration"),
        ({}, "P1M", "value.duration"),
        ({}, "PT1.5S", "value.duration"),
        ({}, [60], "value.type"),
    ),
)
