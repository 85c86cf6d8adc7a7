"""A calendar day, of no time zone."""

from engine.sdk import Date, Field, FieldType, Parse, read_date


def parser(field: Field) -> Parse:
    return lambda value: None if value == "" else read_date(value)


DATE = FieldType(
    name="date",
    label={"en": "Date", "zh-CN": "日期"},
    value="date",
    widget="date",
    cell="date",
    column=lambda field: Date(),
    parser=parser,
    schema=lambda field: {"type": "string", "format": "date", "pattern": "^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"},
    to_json=lambda value: value.isoformat(),
    to_form=lambda field, value, zone: "" if value is None else value.isoformat(),
    default_words={"today": lambda context: context.now.astimezone(context.time_zone).date()},
    good=(({}, "2026-11-22"), ({}, "2024-02-29"), ({}, "1000-01-01"), ({}, "9999-12-31")),
    bad=(
        ({}, 20261122, "value.type"),
        ({}, "22.11.2026", "value.date"),
        ({}, "2026-02-29", "value.date"),
        ({}, "20261122", "value.date"),
        ({}, "2026-11-22T10:00:00Z", "value.date"),
        ({}, "0026-11-22", "value.date.year"),
    ),
)
