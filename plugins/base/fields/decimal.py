"""An exact decimal number."""

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

PRECISION, SCALE = 18, 4


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


DECIMAL = FieldType(
    name="decimal",
    label={"en": "Number", "zh-CN": "数字"},
    value="number",
    widget="number",
    cell="number",
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
        ({}, 0),
        ({}, 1.1),
        ({}, -0.0001),
        ({}, "12345678901234.5678"),
        ({}, 0.1 + 0.2),
        ({"precision": 5, "scale": 5}, 0.12345),
        ({"min": 0, "max": 0.5}, 0.5),
        ({"scale": 0}, 42.0),
    ),
    bad=(
        ({}, True, "value.type"),
        ({}, [1], "value.type"),
        ({}, "1,000", "value.number"),
        ({}, "1e3", "value.number"),
        ({}, "１２", "value.number"),
        ({}, 0.00001, "value.number.scale"),
        ({}, "1.50000", "value.number.scale"),
        ({}, 10**14, "value.number.digits"),
        ({}, 1e300, "value.number.digits"),
        ({"precision": 18, "scale": 2}, 1234567890123456.8, "value.number.exact"),
        ({}, float("nan"), "value.number.finite"),
        ({}, float("-inf"), "value.number.finite"),
        ({"min": 0}, -1, "value.number.min"),
        ({"max": 0.5}, 0.51, "value.number.max"),
    ),
)
