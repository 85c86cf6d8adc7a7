"""Can each choice be chosen, and has each required field one? Choices that depend on others, and record types."""

from collections.abc import Iterator, Mapping

from metadata.assemble import FieldItem, Item
from metadata.check.facts import Facts
from metadata.model import Field, Object, RecordType
from metadata.problem import Problem

__all__ = ["check"]

Fields = Mapping[str, Field]
Allowed = Mapping[str, tuple[str, ...]]  # what a record type offers of each field; others are as they are


def check(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.fields:
        if item.package in facts.given and item.built.depends_on and item.owner in facts.objects:
            fields = facts.objects[item.owner].fields
            yield from can_be_chosen(item, fields)
            yield from default_is_offered(item, fields)
    for object_ in facts.assembly.objects:
        for type_ in object_.built.record_types if object_.package in facts.given else ():
            if not type_.is_retired:
                yield from type_offers(object_, type_)


def offered(field: Field, fields: Fields, allowed: Allowed, trail: tuple[str, ...] = ()) -> frozenset[str]:
    """Values that somebody can choose in some record; a circle of fields ends the chain."""
    found = [
        choice for choice in field.choices
        if not choice.is_retired and (field.name not in allowed or choice.value in allowed[field.name])
    ]  # fmt: skip
    parent = fields.get(field.depends_on)
    if parent is None or not parent.choices or field.name in trail:
        return frozenset(choice.value for choice in found)
    above = offered(parent, fields, allowed, (*trail, field.name))
    return frozenset(choice.value for choice in found if not choice.only_for or above.intersection(choice.only_for))


def can_be_chosen(item: FieldItem, fields: Fields) -> Iterator[Problem]:
    field, parent = item.built, fields.get(item.built.depends_on)
    if parent is None or not parent.choices:
        return
    there, above = {choice.value: choice for choice in parent.choices}, offered(parent, fields, {})
    for choice in field.choices:
        if choice.is_retired or not choice.only_for or above.intersection(choice.only_for):
            continue
        if all(value in there for value in choice.only_for):  # others are wrong, not only out of reach
            shown = ", ".join(f"'{value}'" for value in choice.only_for[:3])
            why = "retired" if all(there[value].is_retired for value in choice.only_for) else "never offered"
            message = f"'{choice.value}' is never offered: of '{parent.name}', {shown} is {why}"
            place = item.document.key(*item.steps, "choices", choice.value)
            yield Problem(place, "choice.unreachable", message, "write 'retired: true', or another 'for'", "warning")


def default_is_offered(item: FieldItem, fields: Fields) -> Iterator[Problem]:
    field, parent = item.built, fields.get(item.built.depends_on)
    chosen = next((choice for choice in field.choices if choice.value == field.default), None)
    if parent is None or chosen is None or not chosen.only_for or not isinstance(parent.default, str):
        return
    if parent.default not in chosen.only_for and any(choice.value == parent.default for choice in parent.choices):
        message = f"the default '{chosen.value}' does not go with '{parent.default}', the default of '{parent.name}'"
        place = item.document.at(*item.steps, "default")
        yield Problem(place, "field.default.forbidden", message, "leave one of the two out", "warning")


def type_offers(item: Item[Object], type_: RecordType) -> Iterator[Problem]:
    fields = item.built.fields
    for name, field in fields.items():
        at = item.document.at("record_types", type_.name, "choices", name)
        values, kept = {choice.value for choice in field.choices}, type_.choices.get(name)
        if field.is_required and offered(field, fields, {}) and not offered(field, fields, type_.choices):
            message = f"'{name}' is required, and records of the type '{type_.name}' have no choice for it"
            yield Problem(at, "choice.none", message, "list a choice that is offered", "warning")
        elif kept is not None and isinstance(field.default, str) and field.default in values.difference(kept):
            message = f"the type '{type_.name}' does not offer '{field.default}', the default of '{name}'"
            yield Problem(at, "field.default.forbidden", message, f"add '{field.default}'", "warning")
