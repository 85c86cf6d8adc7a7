"""Can fields be filled at all? What is required and cannot be, what is fetched from nothing, what is called alike."""

from collections.abc import Iterator, Mapping

from metadata.assemble import FieldItem
from metadata.check.facts import Facts
from metadata.formula import FormulaError
from metadata.formula.ranges import truth
from metadata.model import Field
from metadata.problem import Place, Problem

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    placed = placed_fields(facts)
    for item in facts.assembly.fields:
        if item.package in facts.given:
            yield from can_be_filled(facts, item, placed)
            yield from fetches_something(facts, item)
    yield from labels_differ(facts)


def at(item: FieldItem, *keys: str) -> Place:
    return item.document.at(*item.steps, *keys) if keys else item.document.key(*item.steps)


def placed_fields(facts: Facts) -> frozenset[tuple[str, str]]:
    """Object and field of every cell of a layout."""
    return frozenset(
        (item.built.object, cell.field)
        for item in facts.assembly.layouts
        for tab in item.built.tabs
        for section in tab.sections
        for cell in section.cells
        if cell.field
    )


def is_given(field: Field) -> bool:
    """Whether a new record has a value that nobody typed."""
    return field.default is not None or bool(field.default_formula or field.fetch)


def is_always(facts: Facts, text: str, owner: str, value: bool) -> bool:
    try:
        return bool(text) and truth(facts.read(text, facts.names(owner), has_prior=True)) is value
    except FormulaError:
        return False


def can_be_filled(facts: Facts, item: FieldItem, placed: frozenset[tuple[str, str]]) -> Iterator[Problem]:
    field = item.built
    kind = facts.kind(field)
    if is_given(field) or not field.is_written or kind is None or kind.is_computed or field.is_master:
        return  # lines get their master with the record that they stand in
    is_required = field.is_required or is_always(facts, field.require_if, item.owner, True)
    fix = "add a default, or leave 'required' out"
    if not is_required:
        if field.require_if and field.is_read_only:
            message = f"'{field.name}' is read-only and has no default: where 'require_if' is true no form can be saved"
            yield Problem(at(item), "field.required.read_only", message, "add a default", "warning")
        return
    if is_always(facts, field.lock_if, item.owner, True):
        message = f"'{field.name}' is required, always locked and without a default: no form can be saved"
        yield Problem(at(item, "lock_if"), "field.required.locked", message, fix, "warning")
    elif is_always(facts, field.show_if, item.owner, False):
        message = f"'{field.name}' is required, never shown and without a default: no form can be saved"
        yield Problem(at(item, "show_if"), "field.required.hidden", message, fix, "warning")
    elif field.is_hidden and not field.is_read_only and (item.owner, field.name) not in placed:
        message = f"'{field.name}' is required, hidden, in no layout and without a default: no form can be saved"
        yield Problem(at(item, "hidden"), "field.required.hidden", message, fix, "warning")


def fetches_something(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    """That each step of the path can have a value: its field is not hidden, read-only and without a source at once."""
    owner = item.owner
    for step in item.built.fetch.split(".") if item.built.fetch else ():
        field = facts.objects[owner].fields.get(step) if owner in facts.objects else None
        if field is None:
            return
        kind = facts.kind(field)
        is_filled = is_given(field) or not field.is_written or kind is None or kind.is_computed
        if field.is_hidden and field.is_read_only and not is_filled:
            why = f"'{step}' of '{owner}' is hidden, read-only and without a default"
            message = f"'{item.built.fetch}' has never a value: {why}"
            yield Problem(at(item, "fetch"), "field.fetch.empty", message, "fetch another field", "warning")
            return
        owner = field.target


def labels_differ(facts: Facts) -> Iterator[Problem]:
    """Of fields that are shown. Under different headings the same word says different things; and two packages may add
    to one object without each other's knowledge.
    """
    seen: dict[tuple[str, str, str, str], str] = {}
    apart = sections_of(facts)
    for item in facts.assembly.fields:
        field = item.built
        if item.package not in facts.given or field.is_hidden:
            continue
        alike = {
            language: other
            for language, other in others(seen, item).items()
            if other != field.name
            and not apart.get((item.owner, other), set()) ^ apart.get((item.owner, field.name), set())
        }
        if alike:
            language, other = next(iter(alike.items()))
            message = f"'{other}' and '{field.name}' are both called '{field.label[language]}'"
            yield Problem(at(item), "field.label.duplicate", message, "give one another label", "warning")


def sections_of(facts: Facts) -> dict[tuple[str, str], set[tuple[str, int, int]]]:
    """Object and field -> the sections that show it: layout, number of the tab and of the section."""
    found: dict[tuple[str, str], set[tuple[str, int, int]]] = {}
    for item in facts.assembly.layouts:
        for number, tab in enumerate(item.built.tabs):
            for place, section in enumerate(tab.sections):
                for cell in section.cells:
                    if cell.field:
                        found.setdefault((item.built.object, cell.field), set()).add((item.built.name, number, place))
    return found


def others(seen: dict[tuple[str, str, str, str], str], item: FieldItem) -> Mapping[str, str]:
    """Language -> the first field of the object that has this label."""
    labels = item.built.label.items()
    return {
        language: seen.setdefault((item.package, item.owner, language, label), item.built.name)
        for language, label in labels
        if label.strip()
    }
