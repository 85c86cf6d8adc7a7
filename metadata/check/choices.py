"""Do choices depend on choices that exist, and do record types offer some of them?"""

from collections.abc import Iterable, Iterator, Mapping

from metadata.assemble import FieldItem, Item
from metadata.build.objects import RECORD_TYPE
from metadata.check.facts import Facts
from metadata.check.fields import place
from metadata.model import Field, Layout, Object
from metadata.problem import Problem

__all__ = ["check", "choices_of", "rounds"]


def check(facts: Facts) -> Iterator[Problem]:
    for field in facts.assembly.fields:
        yield from depends_works(facts, field)
    for item in facts.assembly.objects:
        yield from choice_circles(facts, item.built)
        yield from record_types_work(facts, item)
    for page in facts.assembly.layouts:
        yield from layout_works(facts, page)


def depends_works(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    field, owner = item.built, facts.objects.get(item.owner)
    if owner is None:
        return
    at, governor = place(item, "depends_on"), owner.fields.get(field.depends_on)
    if field.depends_on and governor is None:
        known = [name for name, one in owner.fields.items() if one.choices]
        yield facts.no_such("field", field.depends_on, known, at=at, code="field.unknown", within=item.owner)
    elif governor is not None and not governor.choices:
        yield Problem(
            at, "choice.depends", f"'{field.depends_on}' is no field with choices", "name one that has choices"
        )
    for choice in field.choices:
        here = item.document.at(*item.steps, "choices", choice.value, "for")
        if choice.only_for and not field.depends_on:
            message = f"'{choice.value}' says for which choices it is, but not of which field"
            yield Problem(here, "choice.depends", message, "say depends_on: the field that governs it")
        known = choices_of(governor)
        for value in choice.only_for if known else ():
            if value not in known:
                yield facts.no_such("choice", value, known, at=here, code="choice.unknown", within=field.depends_on)


def choices_of(field: Field | None) -> list[str]:
    return [choice.value for choice in field.choices] if field is not None else []


def choice_circles(facts: Facts, built: Object) -> Iterator[Problem]:
    ways = {name: (one.depends_on,) for name, one in built.fields.items() if one.depends_on in built.fields}
    for trail in rounds(ways):
        item = next(one for one in facts.assembly.fields if (one.owner, one.built.name) == (built.name, trail[0]))
        message = f"these choices depend on each other: {' -> '.join(trail)}"
        yield Problem(place(item, "depends_on"), "choice.circle", message, "leave 'depends_on' out of one of them")


def rounds(ways: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Circles, each once, its first name at both ends."""
    done: set[str] = set()
    for start in ways:
        trail = [start]
        waiting = [iter(ways[start])] if start not in done else []
        while waiting:
            step = next(waiting[-1], None)
            if step is None:
                waiting.pop()
                done.add(trail.pop())
            elif step in trail:
                yield [*trail[trail.index(step) :], step]
                done.update(trail)
                break
            elif step not in done and step in ways:
                trail.append(step)
                waiting.append(iter(ways[step]))


def record_types_work(facts: Facts, item: Item[Object]) -> Iterator[Problem]:
    document, built = item.document, item.built
    first = next((one.name for one in built.record_types if one.is_default), "")
    for one in built.record_types:
        if one.is_default and one.name != first:
            message = f"'{first}' is the default record type of '{built.name}' already"
            at = document.at("record_types", one.name, "default")
            yield Problem(at, "default.second", message, "leave 'default' out of one of the two")
        for name, values in one.choices.items():
            at = document.key("record_types", one.name, "choices", name)
            field = built.fields.get(name)
            if field is None or name == RECORD_TYPE:
                known = [name for name, field in built.fields.items() if field.choices and name != RECORD_TYPE]
                yield facts.no_such("field", name, known, at=at, code="field.unknown", within=built.name)
            elif not field.choices:
                yield Problem(
                    at, "record_type.choices", f"'{name}' is no field with choices", "name one that has choices"
                )
            known = choices_of(field)
            for index, value in enumerate(values if known else ()):
                if value not in known:
                    here = document.at("record_types", one.name, "choices", name, index)
                    yield facts.no_such("choice", value, known, at=here, code="choice.unknown", within=name)


def layout_works(facts: Facts, item: Item[Layout]) -> Iterator[Problem]:
    document, built = item.document, item.built
    owner = facts.objects.get(built.object)
    if owner is None:
        return
    known = [one.name for one in owner.record_types]
    for index, name in enumerate(built.record_types):
        if name not in known:
            is_list = isinstance(document.data["record_types"], list)
            at = document.at("record_types", index) if is_list else document.at("record_types")
            yield facts.no_such("record type", name, known, at=at, code="record_type.unknown", within=built.object)
