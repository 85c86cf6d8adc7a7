"""A share in percent: 12.5 is 12.5 %."""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from engine.sdk import (
    Decimal,
    Field,
    FieldType,
    Parse,
    number_from_form,
    number_json,
    number_schema,
    number_text,
    option_number,
    read_decimal,
)

PRECISION, SCALE = 9, 2


def digits(field: Field) -> tuple[int, int]:
    return int(str(field.options.get("precision", PRECISION))), int(str(field.options.get("scale", SCALE)))


def parser(field: Field) -> Parse:
    (precision, scale), least, most = digits(field), option_number(field, "min"), option_number(field, "max")
    return lambda value: None if value == "" else read_decimal(value, precision, scale, least, most)


def schema(field: Field) -> dict[str, object]:
    return number_schema(*digits(field), option_number(field, "min"), option_number(field, "max"))


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    precision, scale = digits(field)
    if scale > precision:
        yield "scale", "field.scale", f"scale {scale} is more than precision {precision}", f"write {precision} or less"
    least, most = option_number(field, "min"), option_number(field, "max")
    if least is not None and most is not None and least > most:
        yield "min", "field.range", f"min {least} is more than max {most}: no value fits", f"write {most} or less"


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    return number_from_form(sent, signs="%")


PERCENT = FieldType(
    name="percent",
    label={"en": "Percent", "zh-CN": "百分比"},
    value="number",
    widget="percent",
    cell="percent",
    column=lambda field: Decimal(*digits(field)),
    parser=parser,
    schema=schema,
    check=check,
    to_json=number_json,
    from_form=from_form,
    to_form=lambda field, value, zone: number_text(value),
    options={
        "precision": {"type": "integer", "minimum": 1, "maximum": 18, "default": PRECISION},
        "scale": {"type": "integer", "minimum": 0, "maximum": 18, "default": SCALE},
        "min": {"type": "number"},
        "max": {"type": "number"},
    },
    good=(
        ({}, 12.5),
        ({}, 0),
        ({}, -3.25),
        ({}, "100"),
        ({"min": 0, "max": 100}, 100),
        ({"scale": 4}, 0.0001),
    ),
    bad=(
        ({}, True, "value.type"),
        ({}, "12.5%", "value.number"),
        ({}, 12.345, "value.number.scale"),
        ({}, 10_000_000, "value.number.digits"),
        ({}, float("nan"), "value.number.finite"),
        ({"min": 0, "max": 100}, 100.01, "value.number.max"),
        ({"min": 0, "max": 100}, -1, "value.number.min"),
    ),
)
