"""A judgement in stars, from 1 to the field's `max`."""

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engine.sdk import Field, FieldType, Integer, Parse, number_from_form, read_integer

MAX = 5
DIGITS = re.compile("-?[0-9]{1,4}")


def most(field: Field) -> int:
    return int(str(field.options.get("max", MAX)))


def parser(field: Field) -> Parse:
    stars = most(field)
    return lambda value: None if value == "" else read_integer(value, 1, stars)


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    text = number_from_form(sent)
    return int(text) if text is not None and DIGITS.fullmatch(text) else text  # the parser says what is wrong


RATING = FieldType(
    name="rating",
    label={"en": "Rating", "zh-CN": "评分"},
    value="number",
    widget="rating",
    cell="rating",
    column=lambda field: Integer(),
    parser=parser,
    schema=lambda field: {"type": "integer", "minimum": 1, "maximum": most(field)},
    from_form=from_form,
    options={"max": {"type": "integer", "minimum": 2, "maximum": 10, "default": MAX}},
    may_be_unique=False,
    good=(
        ({}, 1),
        ({}, 5),
        ({}, 3.0),
        ({"max": 10}, 10),
    ),
    bad=(
        ({}, 0, "value.number.min"),
        ({}, 6, "value.number.max"),
        ({}, "3", "value.type"),
        ({}, True, "value.type"),
        ({}, 2.5, "value.integer"),
        ({"max": 3}, 4, "value.number.max"),
        ({}, 2**70, "value.integer.size"),
    ),
)
