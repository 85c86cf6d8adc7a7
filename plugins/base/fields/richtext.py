"""Formatted text. What is stored is safe HTML: it is cleaned on the way in, so no reader has to."""

import re

from engine.sdk import Field, FieldType, Parse, Text, read_text, safe_html

LENGTH = 50_000
NOTHING = re.compile(r"(?:<(?!hr)[^>]*>|\s|&nbsp;)*")


def parser(field: Field) -> Parse:
    longest = int(str(field.options.get("length", LENGTH)))

    def parse(value: object) -> str | None:
        html = read_text(value, longest, has_lines=True)
        if html is None:
            return None
        safe = safe_html(html).strip()
        if NOTHING.fullmatch(safe):  # an editor's "<p></p>"
            return None
        # "&" has grown to "&amp;": what is stored must be taken when it is sent again.
        return read_text(safe, longest, has_lines=True)

    return parse


RICHTEXT = FieldType(
    name="richtext",
    label={"en": "Formatted text", "zh-CN": "富文本"},
    value="text",
    widget="richtext",
    cell="richtext",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {
        "type": "string", "maxLength": field.options.get("length", LENGTH), "pattern": r"^[^\u0000]*$",
        "contentMediaType": "text/html",
    },
    options={"length": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": LENGTH}},
    is_searchable=True,
    may_be_unique=False,
    may_be_indexed=False,
    may_default=False,
    good=(
        ({}, "plain"),
        ({}, "<p>你好 <strong>bold</strong></p>"),
        ({}, '<a href="https://example.com/?a=1&amp;b=2">link</a>'),
        ({}, "<ul><li>one</li><li>two</li></ul>"),
        ({}, "<script>alert(1)</script>kept"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, ["<p>"], "value.type"),
        ({"length": 5}, "<p>1</p>", "value.text.long"),
        ({}, "nul\x00", "value.text.character"),
        ({}, 1.5, "value.type"),
    ),
)  # fmt: skip
