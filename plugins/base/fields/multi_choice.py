"""Several of the values that the field lists, kept in the list's order."""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from engine.sdk import BadValue, Field, FieldType, Parse, TextList, brief, wrong_type


def parser(field: Field) -> Parse:
    """Takes retired values, too: old records keep theirs. `check_change` refuses them where they come anew."""
    order = {choice.value: place for place, choice in enumerate(field.choices)}

    def parse(value: object) -> list[str] | None:
        if value == "":
            return None
        if not isinstance(value, list | tuple):
            raise wrong_type(value, "a list of " + offered(field), f'write ["{brief(value)}"]')
        for one in value:
            if not isinstance(one, str):
                raise wrong_type(one, "one of " + offered(field))
            if one not in order:
                message = f"'{brief(one)}' is not one of {offered(field)}"
                raise BadValue("value.choice.unknown", message, value=brief(one), choices=offered(field))
        if len(set(value)) < len(value):
            twice = next(one for place, one in enumerate(value) if one in value[:place])
            message = f"'{brief(twice)}' is given twice"
            raise BadValue("value.choice.twice", message, "leave one out", value=brief(twice))
        return sorted(value, key=order.__getitem__) or None

    return parse


def offered(field: Field) -> str:
    values = [choice.value for choice in field.choices if not choice.is_retired]
    return ", ".join(values[:20]) + (f" and {len(values) - 20} more" if len(values) > 20 else "")


def check_change(field: Field, new: list[str] | None, old: list[str] | None) -> None:
    for choice in field.choices:
        if choice.is_retired and choice.value in (new or ()) and choice.value not in (old or ()):
            message = f"'{brief(choice.value)}' is no longer offered; choose from {offered(field)}"
            raise BadValue("value.choice.retired", message, value=brief(choice.value), choices=offered(field))


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    default = field.default if isinstance(field.default, list | tuple) else ()
    for choice in field.choices:
        if choice.is_retired and choice.value in default:
            yield "default", "field.default.retired", f"the default '{choice.value}' is retired", ""


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """What the boxes sent; a single text such as "red; blue", from a sheet, is taken apart."""
    texts = [text.strip() for text in sent if text.strip()]
    known = {choice.value for choice in field.choices}
    if len(texts) == 1 and texts[0] not in known:
        texts = [part.strip() for part in texts[0].replace("；", ";").split(";") if part.strip()]
    return texts or None


MULTI_CHOICE = FieldType(
    name="multi_choice",
    label={"en": "Several choices", "zh-CN": "多选"},
    value="choices",
    widget="multiselect",
    cell="choices",
    column=lambda field: TextList(),
    parser=parser,
    schema=lambda field: {
        "type": "array",
        "items": {"type": "string", "enum": [choice.value for choice in field.choices]},
        "uniqueItems": True,
        "maxItems": len(field.choices),
    },
    check=check,
    check_change=check_change,
    from_form=from_form,
    to_form=lambda field, value, zone: list(value or ()),
    has_choices=True,
    may_be_unique=False,
    may_be_indexed=False,
    good=(
        ({"choices": ("red", "blue", "green")}, ["red"]),
        ({"choices": ("red", "blue", "green")}, ["green", "red"]),
        ({"choices": ("红", 'say "hi"', "a,b")}, ["红", 'say "hi"', "a,b"]),
        ({"choices": ("red", "blue", "green")}, ["red", "blue", "green"]),
    ),
    bad=(
        ({"choices": ("red", "blue")}, "red", "value.type"),
        ({"choices": ("red", "blue")}, [1], "value.type"),
        ({"choices": ("red", "blue")}, ["pink"], "value.choice.unknown"),
        ({"choices": ("red", "blue")}, ["red", "red"], "value.choice.twice"),
        ({"choices": ("red", "blue")}, {"red": True}, "value.type"),
    ),
)
