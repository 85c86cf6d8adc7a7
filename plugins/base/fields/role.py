"""One of the roles that the definitions have. A role that has gone stays where it was given, and grants nothing."""

from engine.sdk import BadValue, Field, FieldType, Parse, Text, brief, wrong_type


def parser(field: Field) -> Parse:
    known = {choice.value for choice in field.choices}

    def parse(value: object) -> str | None:
        if not isinstance(value, str):
            raise wrong_type(value, "the name of a role")
        if value in known:
            return value
        if value == "":
            return None
        message = f"no role is called '{brief(value)}'"
        raise BadValue("value.role.unknown", message, f"choose one of {', '.join(sorted(known)[:20])}", value=value)

    return parse


ROLE = FieldType(
    name="role",
    label={"en": "Role", "zh-CN": "角色"},
    value="choice",
    widget="select",
    cell="choice",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {"type": "string", "enum": [choice.value for choice in field.choices]},
    chosen_from="roles",
    may_be_title=True,
    may_default=False,
    good=(
        ({"choices": ("admin", "seller")}, "admin"),
        ({"choices": ("admin", "seller")}, "seller"),
        ({"choices": ("admin",)}, "admin"),
        ({"choices": ("admin", "sales_manager_2")}, "sales_manager_2"),
    ),
    bad=(
        ({"choices": ("admin", "seller")}, "admn", "value.role.unknown"),
        ({"choices": ("admin", "seller")}, "Admin", "value.role.unknown"),
        ({"choices": ("admin", "seller")}, 1, "value.type"),
        ({"choices": ("admin", "seller")}, ["admin"], "value.type"),
    ),
)
