"""A moment: stored in UTC, written and shown in the person's time zone."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.sdk import BadValue, DateTime, Field, FieldType, Parse, local_text, read_datetime, utc_from_local

PATTERN = (
    r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,30})?(?:[Zz]|[+\-][0-9]{2}:[0-9]{2})$"
)


def parser(field: Field) -> Parse:
    return lambda value: None if value == "" else read_datetime(value)


def to_json(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """The local time that was typed, as UTC.

    A time that occurs twice, when clocks go back, cannot say which it is. So a widget may send what was stored ("…Z")
    before the text; if the text still shows that moment, it is kept.
    """
    text = sent[-1].strip() if sent else ""
    for earlier in sent[:-1]:
        try:
            if local_text(read_datetime(earlier), zone) == text:
                return earlier
        except BadValue:
            continue
    return utc_from_local(text, zone) or text or None


def to_form(field: Field, value: datetime | None, zone: ZoneInfo) -> str:
    return "" if value is None else local_text(value, zone)


DATETIME = FieldType(
    name="datetime",
    label={"en": "Date and time", "zh-CN": "日期时间"},
    value="datetime",
    widget="datetime",
    cell="datetime",
    column=lambda field: DateTime(),
    parser=parser,
    schema=lambda field: {"type": "string", "format": "date-time", "pattern": PATTERN},
    to_json=to_json,
    from_form=from_form,
    to_form=to_form,
    default_words={"now": lambda context: context.now},
    good=(
        ({}, "2026-11-22T02:15:00Z"),
        ({}, "2026-11-22T10:15:00.123+08:00"),
        ({}, "2026-11-22t10:15:00.123456z"),
        ({}, "2024-02-29T23:59:59-11:30"),
        ({}, "1000-01-02T00:00:00Z"),
    ),
    bad=(
        ({}, 1763777700, "value.type"),
        ({}, "2026-11-22", "value.datetime"),
        ({}, "2026-11-22T25:00:00Z", "value.datetime"),
        ({}, "2026-11-22 10:15:00Z", "value.datetime"),
        ({}, "2026-11-22T10:15:00", "value.datetime.zone"),
        ({}, "0026-11-22T10:15:00Z", "value.date.year"),
        ({}, "9999-12-31T23:59:59-12:00", "value.date.year"),
    ),
)
