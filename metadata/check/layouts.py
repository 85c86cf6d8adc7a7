"""Do layouts show fields and related lists that exist?"""

from collections.abc import Iterator

from metadata.assemble import Item
from metadata.check.facts import Facts
from metadata.model import SYSTEM_FIELDS, Layout, RelatedList, Section
from metadata.problem import Problem

__all__ = ["check"]

Steps = tuple[str | int, ...]


def check(facts: Facts) -> Iterator[Problem]:
    defaults: dict[str, str] = {}
    for item in facts.assembly.layouts:
        document, built = item.document, item.built
        yield from facts.object_exists(built.object, item.package, document.at("object"))
        if "tabs" in document.data and ("sections" in document.data or "related" in document.data):
            message = "a layout has either tabs, or sections and related lists of its own"
            yield Problem(document.key("tabs"), "layout.tabs", message, "put the sections into a tab")
        if built.is_default:
            yield from only_default(item, defaults)
        yield from head_works(facts, item)
        yield from body_works(facts, item)


def only_default(item: Item[Layout], defaults: dict[str, str]) -> Iterator[Problem]:
    """Two packages may each bring a default; the last one counts. Within one package it is a mistake."""
    first = defaults.setdefault(f"{item.package}/{item.built.object}", item.built.name)
    if first != item.built.name:
        message = f"'{first}' is the default layout of '{item.built.object}' already"
        yield Problem(item.document.at("default"), "default.second", message, "leave 'default' out of one of the two")


def head_works(facts: Facts, item: Item[Layout]) -> Iterator[Problem]:
    document, built = item.document, item.built
    for index, name in enumerate(built.highlights):
        yield from facts.path_exists(name, built.object, document.at("highlights", index), most=1)
    if built.path:
        at = document.at("path")
        yield from facts.path_exists(built.path, built.object, at, most=1)
        field = facts.field(built.path, built.object)
        if field is not None and field.value != "choice":
            message = f"'{built.path}' is a field of type '{field.type}'; a row of stages shows a choice"
            yield Problem(at, "layout.path", message, "name a field of type choice")


def body_works(facts: Facts, item: Item[Layout]) -> Iterator[Problem]:
    """Tabs as written: the first tab of the model may be the document's own sections."""
    data, seen = item.document.data, dict[str, str]()
    tabs = list(item.built.tabs)
    steps: list[Steps] = [("tabs", number) for number in range(len(data.get("tabs") or ()))]
    if len(tabs) > len(steps):
        steps.insert(0, ())
    for tab, here in zip(tabs, steps, strict=True):
        for number, section in enumerate(tab.sections):
            yield from section_works(facts, item, section, (*here, "sections", number), seen)
        for number, related in enumerate(tab.related):
            yield from related_works(facts, item, related, (*here, "related", number))


def section_works(
    facts: Facts, item: Item[Layout], section: Section, here: Steps, seen: dict[str, str]
) -> Iterator[Problem]:
    document, object_ = item.document, item.built.object
    for index, cell in enumerate(section.cells):
        at = document.at(*here, "fields", index)
        if not cell.field:
            continue
        yield from facts.path_exists(cell.field, object_, at, most=1)
        if cell.field in seen:
            message = f"the field '{cell.field}' is in this layout twice"
            yield Problem(at, "layout.field.twice", message, "delete one of the two")
        seen[cell.field] = cell.field
        if cell.span > section.columns:
            message = f"the cell spans {cell.span} columns, but the section has {section.columns}"
            span = document.at(*here, "fields", index, "span")
            yield Problem(span, "layout.span", message, f"write {section.columns}")


def related_works(facts: Facts, item: Item[Layout], related: RelatedList, here: Steps) -> Iterator[Problem]:
    document, owner = item.document, item.built.object
    yield from facts.object_exists(related.object, item.package, document.at(*here, "object"))
    if related.object not in facts.objects:
        return
    if related.field:
        yield from points_here(facts, related, owner, item, here)
    for index, path in enumerate(related.columns):
        yield from facts.path_exists(path, related.object, document.at(*here, "columns", index))
    shown = (*related.columns, *(key.path for key in related.sort))
    yield from facts.joins_fit(shown, related.object, document.at(*here, "columns"))
    if related.sort:
        yield from facts.sort_works(related.sort, related.object, document, (*here, "sort"))


def points_here(facts: Facts, related: RelatedList, owner: str, item: Item[Layout], here: Steps) -> Iterator[Problem]:
    at = item.document.at(*here, "field")
    fields = {**SYSTEM_FIELDS, **facts.objects[related.object].fields}
    pointing = [name for name, field in fields.items() if field.refers_to(owner)]
    field = fields.get(related.field)
    if field is None:
        known = pointing or fields
        yield facts.no_such("field", related.field, known, at=at, code="field.unknown", within=related.object)
    elif owner in facts.objects and not field.refers_to(owner):
        targets = " or ".join(f"'{name}'" for name in (field.target, *field.targets) if name)
        where = f"points to {targets}" if targets else "is no reference"
        message = f"'{related.field}' of '{related.object}' {where}, not to '{owner}'"
        if not targets:
            message = f"'{related.field}' of '{related.object}' {where} to '{owner}'"
        fix = f"write {' or '.join(repr(name) for name in pointing)}" if pointing else ""
        yield Problem(at, "layout.related.field", message, fix)
