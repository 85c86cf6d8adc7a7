"""Several of the objects that the packages define, in the definitions' order. One that has gone stays where it was
given, until the field is written."""

from typing import Any

from engine.sdk import BadValue, Field, FieldType, Parse, TextList, brief, wrong_type
from plugins.base.fields.multi_choice import from_form


def parser(field: Field) -> Parse:
    order = {choice.value: place for place, choice in enumerate(field.choices)}

    def parse(value: object) -> list[str] | None:
        if value == "":
            return None
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise wrong_type(value, "a list of names of objects", 'write ["lead"]')
        for one in value:
            if one not in order:
                fix = f"choose among {', '.join(list(order)[:20])}" if order else "a package defines them: object: …"
                raise BadValue("value.objects.unknown", f"no object is called '{brief(one)}'", fix, value=brief(one))
        if len(set(value)) < len(value):
            twice = next(one for place, one in enumerate(value) if one in value[:place])
            raise BadValue(
                "value.choice.twice", f"'{brief(twice)}' is given twice", "leave one out", value=brief(twice)
            )
        return sorted(value, key=order.__getitem__) or None

    return parse


def schema(field: Field) -> dict[str, Any]:
    """Before a package defines one there are none: a list of values may not be empty."""
    names = [choice.value for choice in field.choices]
    items = {"type": "string", "enum": names} if names else {"type": "string", "maxLength": 0}
    return {"type": "array", "items": items, "uniqueItems": True, "maxItems": len(names)}


OBJECTS = FieldType(
    name="objects",
    label={"en": "Objects", "zh-CN": "对象"},
    value="choices",
    widget="multiselect",
    cell="choices",
    column=lambda field: TextList(),
    parser=parser,
    schema=schema,
    from_form=from_form,
    to_form=lambda field, value, zone: list(value or ()),
    chosen_from="objects",
    may_default=False,
    may_be_unique=False,
    may_be_indexed=False,
    good=(
        ({"choices": ("lead", "ticket")}, ["lead"]),
        ({"choices": ("lead", "ticket")}, ["ticket", "lead"]),
        ({"choices": ("lead", "ticket")}, ["lead", "ticket"]),
        ({"choices": ("lead", "order_2")}, ["order_2"]),
    ),
    bad=(
        ({"choices": ("lead", "ticket")}, ["led"], "value.objects.unknown"),
        ({"choices": ()}, ["lead"], "value.objects.unknown"),
        ({"choices": ("lead", "ticket")}, ["lead", "lead"], "value.choice.twice"),
        ({"choices": ("lead", "ticket")}, "lead", "value.type"),
        ({"choices": ("lead", "ticket")}, [1], "value.type"),
    ),
)
