"""Text of many lines, without formatting."""

from engine.sdk import Field, FieldType, Parse, Text, read_text

LENGTH = 20_000


def parser(field: Field) -> Parse:
    longest = int(str(field.options.get("length", LENGTH)))
    return lambda value: read_text(value, longest, has_lines=True)


LONGTEXT = FieldType(
    name="longtext",
    label={"en": "Long text", "zh-CN": "长文本"},
    value="text",
    widget="textarea",
    cell="longtext",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {
        "type": "string", "maxLength": field.options.get("length", LENGTH), "pattern": r"^[^\u0000]*$",
    },
    options={"length": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": LENGTH}},
    is_searchable=True,
    may_be_unique=False,
    may_be_indexed=False,
    good=(
        ({}, "one line"),
        ({}, "first\nsecond\n\tthird"),
        ({}, "客户要求：\n一、周五前报价"),
        ({}, "a" * 20_000),
        ({}, "bell \x07 is kept"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, {"text": "a"}, "value.type"),
        ({"length": 5}, "123456", "value.text.long"),
        ({}, "nul\x00", "value.text.character"),
        ({}, "half \udfff", "value.text.character"),
    ),
)  # fmt: skip
