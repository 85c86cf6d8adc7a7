"""The layout of an object: its own, or one made of its fields where no package has one."""

from dataclasses import replace

from engine.snapshot import Snapshot
from metadata.model import EVERY, Cell, Field, Layout, Object, RelatedList, Section, SortKey, Tab
from ui.widgets import LONG

__all__ = ["layout_for"]

MOST_RELATED = 6
POSITION = "position"
DETAILS = {"en": "Details", "zh-CN": "详细信息"}
REST = {"en": "More fields", "zh-CN": "其他字段"}


def layout_for(snapshot: Snapshot, definition: Object) -> Layout:
    key = ("ui.layout", definition.name)
    found: Layout | None = snapshot.cache.get(key)
    if found is None:
        own = [layout for layout in snapshot.definitions.layouts.values() if layout.object == definition.name]
        chosen = next((layout for layout in own if layout.is_default), own[0] if own else None)
        found = (
            with_lists(snapshot, with_rest(snapshot, chosen, definition), definition)
            if chosen
            else made(snapshot, definition)
        )
        snapshot.cache[key] = found
    return found


def with_rest(snapshot: Snapshot, layout: Layout, definition: Object) -> Layout:
    """Fields that the layout forgets stand at the end of its first tab: a new field is seen without a second edit.

    Who does not want one on the page says `hidden: true`.
    """
    placed = {cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells}
    fields = [f for f in definition.fields.values() if f.name not in placed and not f.is_hidden]
    rest = tuple(Cell(f.name) for f in fields if not f.is_list_of_records)
    lines = tuple(list_of(snapshot, f) for f in fields if f.source == "lines")
    if not rest and not lines:
        return layout
    first, *others = layout.tabs or (Tab(DETAILS),)
    sections = (*first.sections, Section(REST, 2, rest)) if rest else first.sections
    return replace(layout, tabs=(replace(first, sections=sections, related=(*lines, *first.related)), *others))


def with_lists(snapshot: Snapshot, layout: Layout, definition: Object) -> Layout:
    """Lists of records that stand among fields of a section are shown as the lists of its tab."""
    lists = {name: field for name, field in definition.fields.items() if field.is_list_of_records}
    if not lists:
        return layout
    tabs = []
    for tab in layout.tabs:
        placed = [cell.field for section in tab.sections for cell in section.cells if cell.field in lists]
        sections = tuple(
            replace(section, cells=tuple(cell for cell in section.cells if cell.field not in lists))
            for section in tab.sections
        )
        related = tuple(list_of(snapshot, lists[name]) for name in placed if name)
        tabs.append(replace(tab, sections=tuple(s for s in sections if s.cells), related=(*related, *tab.related)))
    return replace(layout, tabs=tuple(tabs))


def list_of(snapshot: Snapshot, field: Field) -> RelatedList:
    other = snapshot.definitions.objects[field.of]
    sort = (
        (SortKey(POSITION),) if field.source == "lines" and other.kind == "child" and POSITION in other.fields else ()
    )
    columns = (other.title, *first_columns(other, field.by))
    return RelatedList(other.name, field.by, columns, field.label, sort, 100 if field.source == "lines" else 10)


def made(snapshot: Snapshot, definition: Object) -> Layout:
    """Short fields in two columns, long ones across; then lists of what refers to the object."""
    plugins = snapshot.plugins.fields
    fields = [field for field in definition.fields.values() if not field.is_hidden and not field.is_list_of_records]
    short = [Cell(f.name) for f in fields if plugins[f.type].widget not in LONG]
    long = [Cell(f.name, 2) for f in fields if plugins[f.type].widget in LONG]
    empty = [Cell(None)] if (len(short) + 1) % 2 else []
    section = Section(DETAILS, 2, (*short, Cell("owner"), *empty, *long))
    lists = [f for f in definition.fields.values() if f.is_list_of_records and not f.is_hidden]
    said = tuple(list_of(snapshot, f) for f in sorted(lists, key=lambda f: f.source != "lines"))
    shown = {(one.object, one.field) for one in said}
    found = tuple(
        RelatedList(other.name, field.name, (other.title, *first_columns(other, field.name)))
        for other in snapshot.definitions.objects.values()
        for field in other.fields.values()
        if field.refers_to(definition.name) and EVERY not in field.targets and not field.is_hidden
        and (other.name, field.name) not in shown
    )  # fmt: skip
    related = (*said, *found[: max(0, MOST_RELATED - len(said))])
    return Layout("", definition.name, (Tab(DETAILS, (section,), related),))


def first_columns(other: Object, without: str) -> list[str]:
    return [
        f.name
        for f in other.fields.values()
        if f.name not in (other.title, without) and not f.is_hidden and not f.is_list_of_records
    ][:3]
