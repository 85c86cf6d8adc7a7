"""An exact decimal number."""

from engine.sdk import ExactNumber, FieldType, number_from_form, number_json, number_text

NUMBER = ExactNumber(precision=18, scale=4)

DECIMAL = FieldType(
    name="decimal",
    label={"en": "Number", "zh-CN": "数字"},
    value="number",
    widget="number",
    cell="number",
    column=NUMBER.column,
    parser=NUMBER.parser,
    schema=NUMBER.schema,
    check=NUMBER.check,
    to_json=number_json,
    from_form=lambda field, sent, zone: number_from_form(sent),
    to_form=lambda field, value, zone: number_text(value),
    options=NUMBER.options,
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
