"""One line of text."""

from collections.abc import Iterable

from engine.sdk import BadValue, Field, FieldType, Parse, Pattern, PatternError, Text, brief, read_text, say

LENGTH = 255
NO_CONTROLS = r"^[^\u0000-\u001f\u007f]*$"


def parser(field: Field) -> Parse:
    longest = int(str(field.options.get("length", LENGTH)))
    source = field.options.get("pattern")
    if not source:
        return lambda value: read_text(value, longest)
    pattern = Pattern(str(source))

    def parse(value: object) -> str | None:
        text = read_text(value, longest)
        if text is not None and not (pattern.matches(text) and pattern.matches(str(value))):
            raise mismatch(field, text)
        return text

    return parse


def mismatch(field: Field, text: str) -> BadValue:
    own = field.options.get("pattern_message")
    message = say(own, "en") if isinstance(own, dict) else own
    message = message or f"'{brief(text)}' does not match the pattern {field.options['pattern']}"
    return BadValue("value.pattern", str(message), value=brief(text), pattern=str(field.options["pattern"]))


def schema(field: Field) -> dict[str, object]:
    source = field.options.get("pattern")
    pattern = Pattern(str(source)).ecma if source else NO_CONTROLS
    return {"type": "string", "maxLength": field.options.get("length", LENGTH), "pattern": pattern}


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    try:
        Pattern(str(field.options.get("pattern") or ""))
    except PatternError as error:
        message = f"the pattern '{field.options['pattern']}' is refused at character {error.column}: {error.message}"
        yield "pattern", "field.pattern", message, ""


TEXT = FieldType(
    name="text",
    label={"en": "Text", "zh-CN": "文本"},
    value="text",
    widget="text",
    cell="text",
    column=lambda field: Text(),
    parser=parser,
    schema=schema,
    check=check,
    options={
        "length": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": LENGTH},
        "pattern": {"type": "string", "minLength": 1, "maxLength": 200},
        "pattern_message": {"type": ["string", "object"], "additionalProperties": {"type": "string"}},
    },
    is_searchable=True,
    may_be_title=True,
    good=(
        ({}, "Ada"),
        ({}, "华东精密机械有限公司"),
        ({}, "a" * 255),
        ({"length": 3}, "日本語"),
        ({}, "<b>'\"; DROP TABLE lead; --"),
        ({}, "👩‍👩‍👧 ümlaut \u202e"),
        ({"pattern": r"[A-Z]{2}-\d{3,5}"}, "AB-1234"),
        ({"pattern": r"(a+)+b"}, "aaab"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, True, "value.type"),
        ({}, ["Ada"], "value.type"),
        ({}, "a" * 256, "value.text.long"),
        ({"length": 3}, "日本語文", "value.text.long"),
        ({}, "two\nlines", "value.text.line"),
        ({}, "nul\x00", "value.text.character"),
        ({}, "half \ud800", "value.text.character"),
        ({"pattern": r"[A-Z]{2}-\d{3,5}"}, "ab-1234", "value.pattern"),
        ({"pattern": r"\d+"}, "١٢٣", "value.pattern"),
    ),
)
