"""A number that the engine gives each new record, such as L-2026-00017."""

import re
from collections.abc import Iterable
from datetime import datetime

from engine.sdk import Field, FieldType, Parse, Text, read_text

FORMAT = "{00000}"
LONGEST = 100
PART = re.compile(r"\{(YYYY|YY|MM|DD|0{1,18})\}")
DATES = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d"}


def pattern_of(field: Field) -> str:
    return str(field.options.get("format", FORMAT))


def generate(field: Field, now: datetime, counter: int) -> str:
    def fill(part: re.Match[str]) -> str:
        name = part[1]
        return now.strftime(DATES[name]) if name in DATES else f"{counter:0{len(name)}d}"

    return PART.sub(fill, pattern_of(field))


def counter_period(field: Field, now: datetime) -> str:
    """What the counter belongs to: "2026-11" where the format's finest date part is the month; "" counts for ever."""
    parts = PART.findall(pattern_of(field))
    if "DD" in parts:
        return f"{now:%Y-%m-%d}"
    if "MM" in parts:
        return f"{now:%Y-%m}"
    return f"{now:%Y}" if "YYYY" in parts or "YY" in parts else ""


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    text = pattern_of(field)
    parts = PART.findall(text)
    rest = PART.sub("", text)
    counters = [part for part in parts if part.startswith("0")]
    if "{" in rest or "}" in rest:
        message = f"the format '{text}' holds a brace that is none of {{YYYY}}, {{YY}}, {{MM}}, {{DD}}, {{000}}"
        yield "format", "field.format", message, ""
    elif len(counters) != 1:
        message = f"the format '{text}' has {len(counters)} counters; it needs one"
        yield "format", "field.format", message, "write '{00000}' where the number stands"
    elif ("DD" in parts and "MM" not in parts) or ("MM" in parts and not {"YYYY", "YY"} & set(parts)):
        message = f"the format '{text}' would give the same number again in another month or year"
        yield "format", "field.format", message, "add {YYYY}, and {MM} where there is {DD}"


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
    counter_start=lambda field: int(str(field.options.get("start", 1))),
    options={
        "format": {"type": "string", "minLength": 1, "maxLength": 60, "default": FORMAT},
        "start": {"type": "integer", "minimum": 0, "maximum": 10**15, "default": 1},
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
