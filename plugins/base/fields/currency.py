"""An amount of money in the currency that the field names."""

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

PRECISION, SCALE = 18, 2


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
    return number_from_form(sent)


CURRENCY = FieldType(
    name="currency",
    label={"en": "Currency", "zh-CN": "金额"},
    value="number",
    widget="currency",
    cell="currency",
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
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "default": "CNY"},
        "min": {"type": "number"},
        "max": {"type": "number"},
    },
    good=(
        ({}, 0),
        ({}, 1234.5),
        ({}, -19.99),
        ({}, 19.990000000000002),
        ({}, "9999999999999999.99"),
        ({"currency": "JPY", "scale": 0}, 12000),
        ({"min": 0}, 0),
    ),
    bad=(
        ({}, False, "value.type"),
        ({}, {"amount": 1}, "value.type"),
        ({}, "¥12", "value.number"),
        ({}, 0.125, "value.number.scale"),
        ({"scale": 0}, "12.0", "value.number.scale"),
        ({}, "10000000000000000", "value.number.digits"),
        ({}, float("inf"), "value.number.finite"),
        ({"min": 0}, -0.01, "value.number.min"),
        ({"max": 100}, "100.01", "value.number.max"),
    ),
)
