"""Do the rules of objects and fields work: can their formulas be read, do they name what there is, do they end?"""

from collections.abc import Generator, Iterator, Mapping

from metadata.assemble import FieldItem, Item
from metadata.check.choices import choices_of, rounds
from metadata.check.computed import fits, worded
from metadata.check.facts import Facts
from metadata.check.fields import place
from metadata.formula import Const, FormulaError, Names, Node, paths_in
from metadata.formula.template import said_parts
from metadata.model import Field, Object, Validation, ValueType, path_to
from metadata.problem import Place, Problem

__all__ = ["check"]

WITH_PRIOR = ("show_if", "require_if", "lock_if")
TEXTS = frozenset(("text", "choice"))
Read = Generator[Problem, None, Node | None]
"""Yields problems; returns what was read."""


def check(facts: Facts) -> Iterator[Problem]:
    defaults: dict[str, dict[str, tuple[FieldItem, Node]]] = {}
    for item in facts.assembly.fields:
        for key in WITH_PRIOR:
            if text := getattr(item.built, key):
                yield from read(facts, text, facts.names(item.owner), place(item, key), has_prior=True)
        if item.built.default_formula:
            tree = yield from default_works(facts, item)
            if tree is not None:
                defaults.setdefault(item.owner, {})[item.built.name] = (item, tree)
        yield from fetch_works(facts, item)
        yield from filter_works(facts, item)
        yield from format_works(facts, item)
        yield from currency_works(facts, item)
    for owner, trees in defaults.items():
        yield from default_circles(facts, owner, trees)
    for one in facts.assembly.objects:
        yield from validations_work(facts, one)
    for page in facts.assembly.layouts:
        for steps, text in conditions_of(page.document.data) if page.built.object in facts.objects else ():
            yield from read(facts, text, facts.names(page.built.object), page.document.at(*steps), has_prior=True)


def read(
    facts: Facts, text: str, names: Names, at: Place, *, is_condition: bool = True, has_prior: bool = False,
    outer: Names | None = None,
) -> Read:  # fmt: skip
    try:
        wants: ValueType | None = "boolean" if is_condition else None
        return facts.read(text, names, wants=wants, has_prior=has_prior, outer=outer)
    except FormulaError as error:
        yield Problem(facts.within(at, text, error.column), error.code, error.message, error.fix)
        return None


def default_works(facts: Facts, item: FieldItem) -> Read:
    field, kind = item.built, facts.kinds.get(item.built.type)
    at = place(item, "default", "formula")
    tree = yield from read(facts, field.default_formula, facts.names(item.owner), at, is_condition=False)
    if kind is None or kind.is_computed or tree is None:
        return tree
    if not kind.may_default:
        yield Problem(at, "field.default", f"a field of type '{kind.name}' takes no default", "leave 'default' out")
    elif isinstance(tree, Const) and kind.has_choices and tree.value not in (None, *choices_of(field)):
        known = choices_of(field)
        yield facts.no_such("choice", str(tree.value), known, at=at, code="choice.unknown", within=field.name)
    elif not fits(str(tree.type), kind.value) and not {str(tree.type), kind.value} <= TEXTS:
        message = (
            f"the default does not fit: '{field.name}' is a field of type '{field.type}', and this is {worded(tree)}"
        )
        yield Problem(at, "field.default", message)
    return tree


def default_circles(facts: Facts, owner: str, trees: Mapping[str, tuple[FieldItem, Node]]) -> Iterator[Problem]:
    """Default formulas that read each other's fields, all the way round; each circle once, at its first field."""
    reads = {name: own_fields(facts, owner, tree, set()) & trees.keys() - {name} for name, (_, tree) in trees.items()}
    for trail in rounds(reads):
        at = place(trees[trail[0]][0], "default", "formula")
        shown = " -> ".join(trail)
        yield Problem(at, "default.circle", f"these defaults wait for each other: {shown}", "give one a plain default")


def own_fields(facts: Facts, owner: str, node: Node, seen: set[str]) -> set[str]:
    """The fields of the record itself that a formula reads, those of its formula fields among them."""
    found = {path.steps[0] for path in paths_in(node)}
    for name in found - seen:
        seen.add(name)
        field = facts.objects[owner].fields.get(name)
        if field is not None and field.source == "formula":
            try:
                tree = facts.read(field.formula, facts.names(owner), wants=None)
            except FormulaError:
                continue
            found |= own_fields(facts, owner, tree, seen)
    return found


def fetch_works(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    field, at = item.built, place(item, "fetch")
    if not field.fetch or item.owner not in facts.objects:
        return
    reference, _, rest = field.fetch.partition(".")
    if not rest:
        message = f"'{field.fetch}' is a field of the record itself; a path through a reference is wanted"
        yield Problem(at, "field.fetch", message, f"write {field.fetch}.name?")
        return
    problems = list(facts.path_exists(field.fetch, item.owner, at))
    yield from problems
    source, first = facts.field(field.fetch, item.owner), facts.objects[item.owner].fields.get(reference)
    if problems or source is None:
        return
    if first is None or not first.is_written:
        yield Problem(at, "field.fetch", f"'{reference}' is no reference that is written in a '{item.owner}'")
    elif source.value == "secret":
        yield Problem(at, "field.fetch", f"'{field.fetch}' is a secret, which is not copied", "leave 'fetch' out")
    elif not takes(field, source):
        message = f"'{field.name}' is a field of type '{field.type}', and '{field.fetch}' one of type '{source.type}'"
        yield Problem(at, "field.fetch", message, f"make it a field of type {source.type}")


def takes(field: Field, source: Field) -> bool:
    """Whether a field can hold what another one holds."""
    if field.source != "value" or source.source in ("lines", "inverse"):
        return False
    if field.value == "reference":
        return source.value == "reference" and source.target == field.target
    if field.value == "json":  # an address is no file
        return source.type == field.type
    return field.value == source.value or {field.value, source.value} <= TEXTS


def filter_works(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    """Of a reference; that of a roll-up is read where roll-ups are."""
    field = item.built
    target = field.target or next(iter(field.targets), "")
    if not field.filter or field.source != "value" or target not in facts.objects:
        return
    at = place(item, "filter")
    if len(field.targets) > 1:
        message = f"'{field.name}' leads to records of several objects, which no one filter fits"
        yield Problem(at, "field.filter", message, "leave 'filter' out")
        return
    yield from read(facts, field.filter, facts.names(target), at, outer=facts.names(item.owner))


def format_works(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    """Fields that a number given in turn is made of."""
    kind = facts.kinds.get(item.built.type)
    if kind is None or kind.reads is None:
        return
    at = place(item, "format")
    for path in kind.reads(item.built):
        yield from facts.path_exists(path, item.owner, at)
        found = facts.field(path, item.owner)
        if found is not None and (not found.is_stored or found.value not in ("text", "choice", "number", "date")):
            message = f"'{path}' is a field of type '{found.type}', which cannot stand in a number"
            yield Problem(at, "field.format", message, "name a text, a choice, a number or a date that is stored")


def currency_works(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    """Where an amount's currency stands."""
    path, owner = str(item.built.options.get("currency_from") or ""), facts.objects.get(item.owner)
    if not path or owner is None:
        return
    at, written = place(item, "currency_from"), path_to(owner, path)
    yield from facts.path_exists(written, item.owner, at)
    found = facts.field(written, item.owner)
    if found is not None and found.value not in TEXTS:
        message = f"'{path}' is a field of type '{found.type}'; a currency is told by a text or a choice such as EUR"
        yield Problem(at, "field.currency", message, "name a text or a choice")


def validations_work(facts: Facts, item: Item[Object]) -> Iterator[Problem]:
    document, built = item.document, item.built
    names: dict[str, int] = {}
    for index, rule in enumerate(built.validations):
        if names.setdefault(rule.name, index) != index:
            message = f"two rules of '{built.name}' are called '{rule.name}'"
            yield Problem(document.at("validations", index, "rule"), "name.duplicate", message, "rename one of the two")
        yield from validation_works(facts, item, rule, index)


def validation_works(facts: Facts, item: Item[Object], rule: Validation, index: int) -> Iterator[Problem]:
    document, built = item.document, item.built
    about, scope = built, facts.names(built.name)
    if rule.each:
        lines = built.fields.get(rule.each)
        at = document.at("validations", index, "each")
        if lines is None:
            known = [name for name, one in built.fields.items() if one.source == "lines"]
            yield facts.no_such("field", rule.each, known, at=at, code="field.unknown", within=built.name)
            return
        if lines.source != "lines" or lines.of not in facts.objects:
            yield Problem(at, "validation.each", f"'{rule.each}' holds no lines", "name a field of type table")
            return
        about, scope = facts.objects[lines.of], facts.names(lines.of, lines.by)
    if rule.field and rule.field not in about.fields:
        at = document.at("validations", index, "field")
        yield facts.no_such("field", rule.field, about.fields, at=at, code="field.unknown", within=about.name)
    for key in ("error_if", "unless"):
        if text := getattr(rule, key):
            at = document.at("validations", index, key)
            yield from read(facts, text, scope, at, has_prior=not rule.each)
    yield from message_works(facts, item, rule, index, scope)


def message_works(
    facts: Facts, item: Item[Object], rule: Validation, index: int, scope: Names
) -> Iterator[Problem]:  # fmt: skip
    """That the formulas in a message can be read, in each language; a text is told where it is written."""

    def title_of(name: str) -> str:
        return facts.objects[name].title if name in facts.objects else ""

    for language, text in rule.message.items():
        try:
            said_parts(text, scope, facts.functions, title_of, has_prior=not rule.each)
        except FormulaError as error:
            at = facts.within(place_of_text(facts, item, rule, index, language, text), text, error.column)
            yield Problem(at, error.code, error.message, error.fix)


def place_of_text(
    facts: Facts, item: Item[Object], rule: Validation, index: int, language: str, text: str
) -> Place:  # fmt: skip
    """In the object, or in the translation that lies over it."""
    said = item.document.data["validations"][index].get("message")
    if said == text:
        return item.document.at("validations", index, "message")
    if isinstance(said, dict) and said.get(language) == text:
        return item.document.at("validations", index, "message", language)
    for other in facts.assembly.translations:
        steps = ("objects", item.built.name, "validations", rule.name)
        found: object = other.document.data
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        if other.document.name == language and found:
            return other.document.at(*steps, "label") if isinstance(found, dict) else other.document.at(*steps)
        texts = other.document.data.get("texts") or {}
        if other.document.name == language and (key := next((k for k in texts if texts[k] == text), None)) is not None:
            return other.document.at("texts", key)
    return item.document.at("validations", index, "message")


def conditions_of(data: object, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where tabs and sections of a layout say when they are shown."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "show_if" and isinstance(value, str):
                yield (*steps, key), value
            elif key in ("tabs", "sections"):
                yield from conditions_of(value, (*steps, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from conditions_of(value, (*steps, index))
