"""An amount of money in the currency that the field names."""

from engine.sdk import ExactNumber, FieldType, number_from_form, number_json, number_text

NUMBER = ExactNumber(precision=18, scale=2)

CURRENCY = FieldType(
    name="currency",
    label={"en": "Currency", "zh-CN": "金额"},
    value="number",
    widget="currency",
    cell="currency",
    column=NUMBER.column,
    parser=NUMBER.parser,
    schema=NUMBER.schema,
    check=NUMBER.check,
    to_json=number_json,
    from_form=lambda field, sent, zone: number_from_form(sent, signs="¥$€£"),
    to_form=lambda field, value, zone: number_text(value),
    options={
        **NUMBER.options,
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "default": "CNY"},
        "currency_from": {"type": "string", "minLength": 1, "description": "A path to a code such as EUR."},
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
