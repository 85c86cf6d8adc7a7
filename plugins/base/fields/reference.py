"""Another record: the value is its id."""

import re
from collections.abc import Iterable

from engine.sdk import BadValue, Field, FieldType, Id, Parse, brief, wrong_type

PERSON = "user"
EXAMPLE = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def parser(field: Field) -> Parse:
    return parse


def parse(value: object) -> str | None:
    """Whether the record exists is asked by the record service, together with whether this person may see it."""
    if not isinstance(value, str):
        raise wrong_type(value, "the id of a record")
    if value == "":
        return None
    found = value.lower()
    if not ID.fullmatch(found):
        message = f"'{brief(value)}' is not the id of a record"
        raise BadValue("value.reference", message, f"write an id such as {EXAMPLE}", value=brief(value))
    return found


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    if field.default == "user" and field.target != PERSON:
        message = f"the default 'user' is the person acting, but the field points to '{field.target}'"
        yield "default", "field.default", message, ""


REFERENCE = FieldType(
    name="reference",
    label={"en": "Reference", "zh-CN": "关联"},
    value="reference",
    widget="lookup",
    cell="reference",
    column=lambda field: Id(),
    parser=parser,
    schema=lambda field: {"type": "string", "format": "uuid"},
    check=check,
    refers=True,
    default_words={"user": lambda context: context.actor.id},
    good=(
        ({}, "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"),
        ({}, "0199F2C4-5D1E-7A3B-8C4D-5E6F708192A3"),
        ({}, "00000000-0000-0000-0000-000000000000"),
        ({}, "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, {"id": "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"}, "value.type"),
        ({}, "acme", "value.reference"),
        ({}, "0199f2c45d1e7a3b8c4d5e6f708192a3", "value.reference"),
        ({}, "' OR 1=1 --", "value.reference"),
    ),
)
