"""Yes or no."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engine.sdk import Boolean, Field, FieldType, Parse, wrong_type

YES = {"true", "1", "on", "yes", "y", "是"}
NO = {"false", "0", "off", "no", "n", "否"}


def parser(field: Field) -> Parse:
    return parse


def parse(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if value == "":
        return None
    raise wrong_type(value, "true or false")


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """A checkbox that is off sends nothing, which is "no"; an empty choice of a drop-down is blank."""
    text = sent[-1].strip() if sent else "false"
    folded = text.casefold()
    return True if folded in YES else False if folded in NO else text or None


BOOLEAN = FieldType(
    name="boolean",
    label={"en": "Yes or no", "zh-CN": "是/否"},
    value="boolean",
    widget="switch",
    cell="boolean",
    column=lambda field: Boolean(),
    parser=parser,
    schema=lambda field: {"type": "boolean"},
    from_form=from_form,
    to_form=lambda field, value, zone: "" if value is None else "true" if value else "false",
    may_be_unique=False,
    good=(({}, True), ({}, False)),
    bad=(
        ({}, 1, "value.type"),
        ({}, 0, "value.type"),
        ({}, "true", "value.type"),
        ({}, [], "value.type"),
    ),
)
