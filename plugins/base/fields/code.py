"""A piece of program text: its indentation is kept, and it is shown as it was typed."""

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engine.sdk import Field, FieldType, Parse, Text, read_text

LENGTH = 50_000
BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


def parser(field: Field) -> Parse:
    longest = int(str(field.options.get("length", LENGTH)))

    def parse(value: object) -> str | None:
        if read_text(value, longest, has_lines=True) is None:
            return None
        text = str(value).replace("\r\n", "\n").replace("\r", "\n").rstrip()
        return BLANK_LINES.sub("", text)

    return parse


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    return sent[-1] if sent and sent[-1].strip() else None


CODE = FieldType(
    name="code",
    label={"en": "Code", "zh-CN": "代码"},
    value="text",
    widget="code",
    cell="code",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {
        "type": "string", "maxLength": field.options.get("length", LENGTH), "pattern": r"^[^\u0000]*$",
    },
    from_form=from_form,
    options={
        "length": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": LENGTH},
        "language": {"type": "string", "pattern": "^[a-z0-9+#.-]{1,30}$", "default": "text"},
    },
    is_searchable=True,
    may_be_unique=False,
    may_be_indexed=False,
    good=(
        ({}, "print(1)"),
        ({"language": "python"}, "    if x:\n        y = '销售'"),
        ({"language": "c++"}, "\tint a;\n\n\treturn a;"),
        ({}, "<script>alert(1)</script>"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, ["print(1)"], "value.type"),
        ({"length": 5}, "123456", "value.text.long"),
        ({}, "nul\x00", "value.text.character"),
        ({}, "half \udfff", "value.text.character"),
    ),
)  # fmt: skip
