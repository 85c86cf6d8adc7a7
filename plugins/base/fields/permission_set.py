"""One of the permission sets that the definitions have. A set that has gone stays where it was given, and grants
nothing."""

from typing import Any

from engine.sdk import BadValue, Field, FieldType, Parse, Text, brief, wrong_type


def parser(field: Field) -> Parse:
    known = {choice.value for choice in field.choices}

    def parse(value: object) -> str | None:
        if not isinstance(value, str):
            raise wrong_type(value, "the name of a permission set")
        if value in known:
            return value
        if value == "":
            return None
        message = f"no permission set is called '{brief(value)}'"
        fix = f"choose one of {', '.join(sorted(known)[:20])}" if known else "a package defines them: permission_set: …"
        raise BadValue("value.permission_set.unknown", message, fix, value=value)

    return parse


def schema(field: Field) -> dict[str, Any]:
    """Many tenants have none: a list of values may not be empty."""
    names = [choice.value for choice in field.choices]
    return {"type": "string", "enum": names} if names else {"type": "string", "maxLength": 0}


PERMISSION_SET = FieldType(
    name="permission_set",
    label={"en": "Permission set", "zh-CN": "权限集"},
    value="choice",
    widget="select",
    cell="choice",
    column=lambda field: Text(),
    parser=parser,
    schema=schema,
    chosen_from="permission_sets",
    may_be_title=True,
    may_default=False,
    good=(
        ({"choices": ("desk", "audit")}, "desk"),
        ({"choices": ("desk", "audit")}, "audit"),
        ({"choices": ("desk",)}, "desk"),
        ({"choices": ("desk", "lead_desk_2")}, "lead_desk_2"),
    ),
    bad=(
        ({"choices": ("desk", "audit")}, "dsk", "value.permission_set.unknown"),
        ({"choices": ()}, "desk", "value.permission_set.unknown"),
        ({"choices": ("desk", "audit")}, 1, "value.type"),
        ({"choices": ("desk", "audit")}, ["desk"], "value.type"),
    ),
)
