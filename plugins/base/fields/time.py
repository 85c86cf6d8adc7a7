"""A time of day, of no time zone."""

from engine.sdk import Field, FieldType, Parse, Time, read_time


def parser(field: Field) -> Parse:
    return lambda value: None if value == "" else read_time(value)


TIME = FieldType(
    name="time",
    label={"en": "Time", "zh-CN": "时间"},
    value="time",
    widget="time",
    cell="time",
    column=lambda field: Time(),
    parser=parser,
    schema=lambda field: {"type": "string", "pattern": "^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$"},
    to_json=lambda value: value.isoformat(timespec="seconds"),
    to_form=lambda field, value, zone: (
        "" if value is None else value.isoformat(timespec="seconds" if value.second else "minutes")
    ),
    default_words={"now": lambda context: context.now.astimezone(context.time_zone).time().replace(microsecond=0)},
    good=(({}, "08:30"), ({}, "00:00"), ({}, "23:59:59"), ({}, "12:00:01")),
    bad=(
        ({}, 830, "value.type"),
        ({}, "24:00", "value.time"),
        ({}, "8:30", "value.time"),
        ({}, "08:30:00Z", "value.time"),
        ({}, "12:60", "value.time"),
    ),
)
