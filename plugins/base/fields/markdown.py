"""Text in Markdown (CommonMark with tables). Stored as typed; what screens show of it is cleaned there."""

from engine.sdk import Field, FieldType, Parse, Text, read_text

LENGTH = 20_000


def parser(field: Field) -> Parse:
    longest = int(str(field.options.get("length", LENGTH)))
    return lambda value: read_text(value, longest, has_lines=True)


MARKDOWN = FieldType(
    name="markdown",
    label={"en": "Markdown", "zh-CN": "Markdown 文本"},
    value="text",
    widget="markdown",
    cell="markdown",
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
        ({}, "plain"),
        ({}, "# 报价\n\n- **一**\n- two"),
        ({}, "| a | b |\n|---|---|\n| 1 | 2 |"),
        ({}, "<script>alert(1)</script> is text"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, ["# a"], "value.type"),
        ({"length": 5}, "123456", "value.text.long"),
        ({}, "nul\x00", "value.text.character"),
        ({}, "half \udfff", "value.text.character"),
    ),
)  # fmt: skip
