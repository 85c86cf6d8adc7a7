"""Do the options of actions that are values, filters and texts fit what they are about?"""

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.check.computed import fits, worded
from metadata.check.facts import Facts
from metadata.document import Document
from metadata.formula import Actor, FormulaError, Names, Path
from metadata.formula import Node as Formula
from metadata.formula.results import WithResults
from metadata.formula.template import is_template, said_parts
from metadata.model import SYSTEM_FIELDS, Field
from metadata.problem import Problem
from metadata.processes import APPROVAL_STATUS, Part, PartKind

__all__ = ["action_works", "names_before", "texts_in"]

Steps = tuple[str | int, ...]
USER = "user"
TEXTS = frozenset(("text", "choice"))


def names_before(facts: Facts, parts: tuple[Part, ...], index: int, names: Names, has_body: bool = False) -> Names:
    """What a step may name: the record, and what steps before it have made or found."""
    results: dict[str, str] = {}
    for one in parts[:index]:
        kind = facts.parts.actions.get(one.kind)
        target = kind.given(one.options).get(kind.about) if kind is not None and kind.about else None
        if one.name and isinstance(target, str) and target in facts.objects:
            results[one.name] = target
    return WithResults(facts.objects, names, results, has_body) if results or has_body else names


def action_works(
    facts: Facts, kind: PartKind, options: Mapping[str, Any], object_: str, document: Document, inside: Steps,
    is_map: bool, has_prior: bool, names: Names,
) -> Iterator[Problem]:  # fmt: skip
    """Of options that fit the action's schema. `inside`: where they stand."""

    def at(option: str) -> Steps:
        return (*inside, option) if is_map else inside

    if object_ and object_ not in facts.objects:
        return  # said where the object is
    target = str(options.get(kind.about) or object_) if kind.about else object_
    if kind.values and target in facts.objects:
        said = options if kind.values == "*" else options.get(kind.values)
        where = inside if kind.values == "*" else at(kind.values)
        yield from values_work(facts, said, target, object_, document, where, has_prior, names)
    for option in kind.fields:
        for steps, name in texts_in(options.get(option), at(option)):
            yield from facts.path_exists(name, object_, document.at(*steps), most=1)
    for option in kind.texts:
        for steps, text in texts_in(options.get(option), at(option)):
            yield from text_works(facts, text, document, steps, has_prior, names)
    for option, over in [*((option, target) for option in kind.filters), *kind.over.items()]:
        for steps, text in texts_in(options.get(option), at(option)) if over in facts.objects else ():
            try:
                facts.read(text, facts.names(over), outer=names)
            except FormulaError as error:
                yield Problem(facts.within(document.at(*steps), text, error.column), error.code, error.message,
                              error.fix)  # fmt: skip


def values_work(
    facts: Facts, said: object, target: str, object_: str, document: Document, where: Steps, has_prior: bool,
    names: Names,
) -> Iterator[Problem]:  # fmt: skip
    for name, value in said.items() if isinstance(said, dict) else ():
        field = facts.objects[target].fields.get(name) or (SYSTEM_FIELDS["owner"] if name == "owner" else None)
        steps = (*where, name)
        if field is None:
            known = [*facts.objects[target].fields, "owner"]
            yield facts.no_such("field", name, known, at=document.key(*steps), code="field.unknown", within=target)
        elif not field.is_written or name == APPROVAL_STATUS or ((kind := facts.kind(field)) and kind.is_computed):
            message = f"'{name}' is the engine's own to fill, and nothing can be written to it"
            yield Problem(document.key(*steps), "action.value", message, "leave it out")
        elif isinstance(value, str) and value.startswith("="):
            yield from formula_fits(facts, value[1:], field, object_, document, steps, has_prior, names)
        elif isinstance(value, str) and is_template(value):
            yield from text_works(facts, value, document, steps, has_prior, names)
        else:
            yield from literal_fits(facts, value, field, document, steps)


def formula_fits(
    facts: Facts, text: str, field: Field, object_: str, document: Document, steps: Steps, has_prior: bool,
    names: Names,
) -> Iterator[Problem]:  # fmt: skip
    at = document.at(*steps)
    try:
        tree = facts.read(text, names, wants=None, has_prior=has_prior)
    except FormulaError as error:
        yield Problem(facts.within(at, text, error.column), error.code, error.message, error.fix)
        return
    given = str(tree.type)
    is_body = isinstance(names, WithResults) and names.has_body and given == "text"
    if not fits(given, field.value) and not {given, field.value} <= TEXTS and not is_body:
        message = f"'{field.name}' is a field of type '{field.type}', and this is {worded(tree)}"
        yield Problem(at, "action.value", message)
    elif field.target and (given := leads_to(tree, object_)) and given != field.target:
        message = f"'{field.name}' refers to '{field.target}', and this is a record of '{given}'"
        yield Problem(at, "action.value", message)


def leads_to(tree: Formula, object_: str) -> str:
    """The object whose record a formula gives; "" where that is not told by a path."""
    if isinstance(tree, Actor):
        return USER if tree.attribute == "id" else ""
    if not isinstance(tree, Path):
        return ""
    before = tree.fields[-2].target if len(tree.fields) > 1 else object_
    return before if tree.fields[-1].name == "id" else tree.fields[-1].target


def literal_fits(facts: Facts, value: Any, field: Field, document: Document, steps: Steps) -> Iterator[Problem]:
    kind, at = facts.kind(field), document.at(*steps)
    if value is None or kind is None or kind.refers:
        return
    if kind.has_choices and isinstance(value, str) and not field.chosen_from:
        known = [choice.value for choice in field.choices]
        if value not in known:
            yield facts.no_such("choice", value, known, at=at, code="choice.unknown", within=field.name)
    elif kind.check_value is not None and (wrong := kind.check_value(field, value)):
        yield Problem(at, "action.value", f"'{field.name}': {wrong}")


def text_works(
    facts: Facts, text: str, document: Document, steps: Steps, has_prior: bool, names: Names
) -> Iterator[Problem]:  # fmt: skip
    def title_of(name: str) -> str:
        return facts.objects[name].title if name in facts.objects else ""

    if not is_template(text):
        return
    try:
        said_parts(text, names, facts.functions, title_of, has_prior=has_prior)
    except FormulaError as error:
        at = facts.within(document.at(*steps), text, error.column)
        yield Problem(at, error.code, error.message, error.fix)


def texts_in(value: object, steps: Steps) -> Iterator[tuple[Steps, str]]:
    """A text, or those of a list or a map, beside their places."""
    if isinstance(value, str) and value:
        yield steps, value
    elif isinstance(value, (list, tuple)):
        for index, one in enumerate(value):
            yield from texts_in(one, (*steps, index))
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from texts_in(one, (*steps, key))
