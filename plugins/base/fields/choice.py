"""One of the values that the field lists."""

from collections.abc import Iterable

from engine.sdk import BadValue, Field, FieldType, Parse, Text, brief, wrong_type


def parser(field: Field) -> Parse:
    """Takes retired values, too: old records keep theirs. `check_change` refuses them where they come anew."""
    known = frozenset(choice.value for choice in field.choices)

    def parse(value: object) -> str | None:
        if not isinstance(value, str):
            raise wrong_type(value, "one of " + offered(field))
        if value in known:
            return value
        if value == "":
            return None
        message = f"'{brief(value)}' is not one of {offered(field)}"
        raise BadValue("value.choice.unknown", message, value=brief(value), choices=offered(field))

    return parse


def offered(field: Field) -> str:
    values = [choice.value for choice in field.choices if not choice.is_retired]
    return ", ".join(values[:20]) + (f" and {len(values) - 20} more" if len(values) > 20 else "")


def check_change(field: Field, new: str | None, old: str | None) -> None:
    if new != old and any(choice.value == new and choice.is_retired for choice in field.choices):
        message = f"'{brief(new)}' is no longer offered; choose one of {offered(field)}"
        raise BadValue("value.choice.retired", message, value=brief(new), choices=offered(field))


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    if any(choice.value == field.default and choice.is_retired for choice in field.choices):
        yield "default", "field.default.retired", f"the default '{field.default}' is retired", ""


CHOICE = FieldType(
    name="choice",
    label={"en": "Choice", "zh-CN": "单选"},
    value="choice",
    widget="select",
    cell="choice",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {"type": "string", "enum": [choice.value for choice in field.choices]},
    check=check,
    check_change=check_change,
    has_choices=True,
    good=(
        ({"choices": ("new", "won")}, "new"),
        ({"choices": ("new", "won")}, "won"),
        ({"choices": ("新建", "a b", "1")}, "新建"),
        ({"choices": ("新建", "a b", "1")}, "1"),
    ),
    bad=(
        ({"choices": ("new", "won")}, "lost", "value.choice.unknown"),
        ({"choices": ("new", "won")}, "New", "value.choice.unknown"),
        ({"choices": ("new", "1")}, 1, "value.type"),
        ({"choices": ("new", "won")}, ["new"], "value.type"),
    ),
)
