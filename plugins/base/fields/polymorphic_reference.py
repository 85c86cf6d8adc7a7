"""A record of one of several objects: the value is the object's name and the record's id, "project/0199...".

It may also be sent as {"object": "project", "id": "0199..."}.
"""

import re
from collections.abc import Iterable

from engine.sdk import BadValue, Field, FieldType, Parse, Text, brief, wrong_type

EXAMPLE = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"
VALUE = re.compile(r"(\w{1,63})/([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})")


def parser(field: Field) -> Parse:
    targets = field.targets

    def parse(value: object) -> str | None:
        """Whether the record exists is asked by the record service, as is whether this person may see it."""
        text = as_text(value)
        if text == "":
            return None
        found = VALUE.fullmatch(text)
        if found is None:
            message = f"'{brief(value)}' is not an object and an id"
            fix = f"write {next((name for name in targets if name != '*'), 'project')}/{EXAMPLE}"
            raise BadValue("value.reference.any", message, fix, value=brief(value))
        if targets and found[1] not in targets and "*" not in targets:
            message = f"'{brief(found[1])}' is not one of {', '.join(targets)}"
            raise BadValue("value.reference.object", message, value=brief(found[1]), objects=", ".join(targets))
        return f"{found[1]}/{found[2].lower()}"

    return parse


def as_text(value: object) -> str:
    if isinstance(value, dict) and value.keys() == {"object", "id"} and all(isinstance(v, str) for v in value.values()):
        return f"{value['object']}/{value['id']}"
    if not isinstance(value, str):
        raise wrong_type(value, 'an object and an id, "object/id"')
    return value


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    if field.is_master and "*" in field.targets:
        message = "a record belongs to one of the objects that are named"
        yield "to", "field.to", message, "name the objects: [project, customer]"


POLYMORPHIC_REFERENCE = FieldType(
    name="polymorphic_reference",
    label={"en": "Reference to one of several objects", "zh-CN": "多态关联"},
    value="reference",
    widget="any_reference",
    cell="any_reference",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {
        "anyOf": [
            {"type": "string", "pattern": r"^\w{1,63}/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"},
            {
                "type": "object",
                "properties": {"object": {"type": "string"}, "id": {"type": "string", "format": "uuid"}},
                "required": ["object", "id"],
                "additionalProperties": False,
            },
        ]
    },
    check=check,
    targets=True,
    may_default=False,
    good=(
        ({}, f"project/{EXAMPLE}"),
        ({}, {"object": "project", "id": EXAMPLE}),
        ({}, f"客户/{EXAMPLE.upper()}"),
        ({}, "order_2/00000000-0000-0000-0000-000000000000"),
    ),
    bad=(
        ({}, EXAMPLE, "value.reference.any"),
        ({}, "project/7", "value.reference.any"),
        ({}, 7, "value.type"),
        ({}, {"object": "project"}, "value.type"),
        ({}, f"a b/{EXAMPLE}", "value.reference.any"),
    ),
)
