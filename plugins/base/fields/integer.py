"""A whole number of 64 bits."""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from engine.sdk import INTEGER_MAX, INTEGER_MIN, Field, FieldType, Integer, Parse, number_from_form, read_integer


def bounds(field: Field) -> tuple[int, int]:
    least, most = field.options.get("min"), field.options.get("max")
    return INTEGER_MIN if least is None else int(str(least)), INTEGER_MAX if most is None else int(str(most))


def parser(field: Field) -> Parse:
    least, most = bounds(field)
    return lambda value: None if value == "" else read_integer(value, least, most)


def schema(field: Field) -> dict[str, object]:
    least, most = bounds(field)
    return {"type": "integer", "minimum": least, "maximum": most}


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    least, most = bounds(field)
    if least > most:
        yield "min", "field.range", f"min {least} is more than max {most}: no value fits", f"write {most} or less"


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    text = number_from_form(sent)
    try:
        return int(text) if text and len(text) < 40 else text
    except ValueError:
        return text  # the parser says what is wrong with it


BOUND = {"type": "integer", "minimum": INTEGER_MIN, "maximum": INTEGER_MAX}
INTEGER = FieldType(
    name="integer",
    label={"en": "Whole number", "zh-CN": "整数"},
    value="number",
    widget="number",
    cell="number",
    column=lambda field: Integer(),
    parser=parser,
    schema=schema,
    check=check,
    from_form=from_form,
    options={"min": BOUND, "max": BOUND},
    good=(
        ({}, 0),
        ({}, -7),
        ({}, 12.0),
        ({}, 9223372036854775807),
        ({}, -9223372036854775808),
        ({"min": 1, "max": 5}, 5),
    ),
    bad=(
        ({}, True, "value.type"),
        ({}, "12", "value.type"),
        ({}, [1], "value.type"),
        ({}, 1.5, "value.integer"),
        ({}, 9223372036854775808, "value.integer.size"),
        ({}, 1e300, "value.integer.size"),
        ({"min": 1}, 0, "value.number.min"),
        ({"max": 5}, 6, "value.number.max"),
    ),
)
