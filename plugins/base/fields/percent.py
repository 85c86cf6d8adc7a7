"""A share in percent: 12.5 is 12.5 %."""

from engine.sdk import ExactNumber, FieldType, number_from_form, number_json, number_text

NUMBER = ExactNumber(precision=9, scale=2)

PERCENT = FieldType(
    name="percent",
    label={"en": "Percent", "zh-CN": "百分比"},
    value="number",
    widget="percent",
    cell="percent",
    column=NUMBER.column,
    parser=NUMBER.parser,
    schema=NUMBER.schema,
    check=NUMBER.check,
    to_json=number_json,
    from_form=lambda field, sent, zone: number_from_form(sent, signs="%"),
    to_form=lambda field, value, zone: number_text(value),
    options=NUMBER.options,
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
