"""The layout of an object: its own, or one made of its fields where no package has one."""

from dataclasses import replace

from engine.snapshot import Snapshot
from metadata.model import Cell, Layout, Object, RelatedList, Section, Tab
from ui.widgets import LONG

__all__ = ["layout_for"]

MOST_RELATED = 6
DETAILS = {"en": "Details", "zh-CN": "详细信息"}
REST = {"en": "More fields", "zh-CN": "其他字段"}


def layout_for(snapshot: Snapshot, definition: Object) -> Layout:
    key = ("ui.layout", definition.name)
    found: Layout | None = snapshot.cache.get(key)
    if found is None:
        own = [layout for layout in snapshot.definitions.layouts.values() if layout.object == definition.name]
        chosen = next((layout for layout in own if layout.is_default), own[0] if own else None)
        found = with_rest(chosen, definition) if chosen else made(snapshot, definition)
        snapshot.cache[key] = found
    return found


def with_rest(layout: Layout, definition: Object) -> Layout:
    """Fields that the layout forgets stand at the end of its first tab: a new field is seen without a second edit.

    Who does not want one on the page says `hidden: true`.
    """
    placed = {cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells}
    rest = tuple(Cell(f.name) for f in definition.fields.values() if f.name not in placed and not f.is_hidden)
    if not rest:
        return layout
    first, *others = layout.tabs or (Tab(DETAILS),)
    first = replace(first, sections=(*first.sections, Section(REST, 2, rest)))
    return replace(layout, tabs=(first, *others))


def made(snapshot: Snapshot, definition: Object) -> Layout:
    """Short fields in two columns, long ones across; then lists of what refers to the object."""
    plugins = snapshot.plugins.fields
    fields = [field for field in definition.fields.values() if not field.is_hidden]
    short = [Cell(f.name) for f in fields if plugins[f.type].widget not in LONG]
    long = [Cell(f.name, 2) for f in fields if plugins[f.type].widget in LONG]
    empty = [Cell(None)] if (len(short) + 1) % 2 else []
    section = Section(DETAILS, 2, (*short, Cell("owner"), *empty, *long))
    related = tuple(
        RelatedList(other.name, field.name, (other.title, *first_columns(other, field.name)))
        for other in snapshot.definitions.objects.values()
        for field in other.fields.values()
        if field.target == definition.name and not field.is_hidden
    )[:MOST_RELATED]
    return Layout("", definition.name, (Tab(DETAILS, (section,), related),))


def first_columns(other: Object, without: str) -> list[str]:
    return [f.name for f in other.fields.values() if f.name not in (other.title, without) and not f.is_hidden][:3]
