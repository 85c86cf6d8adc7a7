"""A number that the engine gives each new record, such as L-2026-00017."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from engine.sdk import Field, FieldType, Parse, Text, number_plain, read_text

FORMAT = "{00000}"
LONGEST = 100
VALUE_LONGEST = 40
PART = re.compile(r"\{(0{1,18}|[^{}]+)\}")
DATES = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d"}
PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
PERIODS = {"never": "", "year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
PLACES = {"YYYY": "year", "MM": "month", "DD": "day"}


def pattern_of(field: Field) -> str:
    return str(field.options.get("format", FORMAT))


def parts_of(field: Field) -> list[str]:
    return [part[1] for part in PART.finditer(pattern_of(field))]


def reads(field: Field) -> tuple[str, ...]:
    """The paths in the format: {kind}, {account.code}."""
    found = (part for part in parts_of(field) if part not in DATES and not is_counter(part))
    return tuple(dict.fromkeys(part for part in found if PATH.fullmatch(part)))


def is_counter(part: str) -> bool:
    return part.strip("0") == ""


def generate(field: Field, now: dt.datetime, counter: int, values: Mapping[str, Any]) -> str:
    def fill(part: re.Match[str]) -> str:
        name = part[1]
        if is_counter(name):
            return f"{counter:0{len(name)}d}"
        return now.strftime(DATES[name]) if name in DATES else shown(values.get(name))

    return PART.sub(fill, pattern_of(field))


def shown(value: Any) -> str:
    if isinstance(value, int | Decimal):
        return number_plain(value)
    return "" if value is None else str(value)[:VALUE_LONGEST]


def finest(parts: Iterable[str]) -> str:
    found = set(parts)
    return "day" if "DD" in found else "month" if "MM" in found else "year" if found & {"YYYY", "YY"} else "never"


def counter_period(field: Field, now: dt.datetime, values: Mapping[str, Any]) -> str:
    """What the counter belongs to: "2026-11" where that is the month, "2026-11|bonn" where a value stands in it."""
    parts = parts_of(field)
    period = now.strftime(PERIODS[str(field.options.get("restart") or finest(parts))])
    if not (paths := reads(field)):
        return period
    return "|".join((period, *(shown(values.get(path)) for path in paths)))


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    text, parts = pattern_of(field), parts_of(field)
    rest = PART.sub("", text)
    counters = [part for part in parts if is_counter(part)]
    odd = [part for part in parts if part not in DATES and not is_counter(part) and not PATH.fullmatch(part)]
    period = str(field.options.get("restart") or finest(parts))
    needed = {"never": (), "year": ("YYYY",), "month": ("YYYY", "MM"), "day": ("YYYY", "MM", "DD")}[period]
    missing = [part for part in needed if part not in parts and not (part == "YYYY" and "YY" in parts)]
    if "{" in rest or "}" in rest or odd:
        message = (
            f"the format '{text}' holds a brace that is none of {{YYYY}}, {{YY}}, {{MM}}, {{DD}}, {{000}}, {{field}}"
        )
        yield "format", "field.format", message, ""
    elif len(counters) != 1:
        message = f"the format '{text}' has {len(counters)} counters; it needs one"
        yield "format", "field.format", message, "write '{00000}' where the number stands"
    elif missing:
        message = f"the format '{text}' would give the same number again in another {PLACES[missing[0]]}"
        yield "format", "field.format", message, f"add {{{missing[0]}}}, or write restart: never"


def parser(field: Field) -> Parse:
    return lambda value: read_text(value, LONGEST)


AUTONUMBER = FieldType(
    name="autonumber",
    label={"en": "Number, given in turn", "zh-CN": "自动编号"},
    value="text",
    widget="readonly",
    cell="text",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {"type": "string", "maxLength": LONGEST, "pattern": r"^[^\u0000-\u001f\u007f]*$"},
    check=check,
    generate=generate,
    counter_period=counter_period,
    reads=reads,
    counter_start=lambda field: int(str(field.options.get("start", 1))),
    options={
        "format": {"type": "string", "minLength": 1, "maxLength": 60, "default": FORMAT},
        "start": {"type": "integer", "minimum": 0, "maximum": 10**15, "default": 1},
        "restart": {"enum": list(PERIODS), "description": "When the count begins again; by the format unless said."},
    },
    is_computed=True,
    is_searchable=True,
    may_be_title=True,
    may_default=False,
    good=(({}, "00017"), ({}, "L-2026-00017"), ({}, "合同2026-1"), ({}, "A" * 100)),
    bad=(
        ({}, 17, "value.type"),
        ({}, ["00017"], "value.type"),
        ({}, "A" * 101, "value.text.long"),
        ({}, "a\nb", "value.text.line"),
    ),
)
