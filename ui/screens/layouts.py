"""The layout of an object: its own, or one made of its fields where no package has one."""

from collections.abc import Iterable
from dataclasses import replace

from engine.snapshot import Snapshot
from metadata.build.objects import RECORD_TYPE
from metadata.model import EVERY, Cell, Field, Layout, Object, RelatedList, Section, Tab
from metadata.processes import APPROVAL_STATUS
from ui.widgets import LONG

__all__ = ["layout_for"]

MOST_RELATED = 6
DETAILS = {"en": "Details", "zh-CN": "详细信息"}
REST = {"en": "More fields", "zh-CN": "其他字段"}


def layout_for(snapshot: Snapshot, definition: Object, record_type: str = "") -> Layout:
    """The layout of records of that type; of all types that have none of their own."""
    key = ("ui.layout", definition.name, record_type)
    found: Layout | None = snapshot.cache.get(key)
    if found is None:
        own = [layout for layout in snapshot.definitions.layouts.values() if layout.object == definition.name]
        for_type = [layout for layout in own if record_type in layout.record_types]
        others = [layout for layout in own if not layout.record_types]
        best = next((layout for layout in for_type if layout.is_default), for_type[0] if for_type else None)
        chosen = best or next((layout for layout in others if layout.is_default), (others or own or [None])[0])
        found = (
            with_lists(snapshot, with_rest(chosen, definition), definition) if chosen else made(snapshot, definition)
        )
        snapshot.cache[key] = found
    return found


def with_rest(layout: Layout, definition: Object) -> Layout:
    """What the layout forgets stands at the end of its first tab: a new field is seen without a second edit.

    Lines have a section of their own. Who does not want a field on the page says `hidden: true`.
    """
    placed = {cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells}
    placed |= {APPROVAL_STATUS}  # the panel of approvals shows it
    forgotten = [f for f in definition.fields.values() if f.name not in placed and is_placed(f, definition)]
    rest = tuple(Cell(f.name) for f in forgotten if f.source != "lines")
    sections = [*lines_sections(forgotten), *([Section(REST, 2, rest)] if rest else [])]
    if not sections:
        return layout
    first, *others = layout.tabs or (Tab(DETAILS),)
    first = replace(first, sections=(*first.sections, *sections))
    return replace(layout, tabs=(first, *others))


def with_lists(snapshot: Snapshot, layout: Layout, definition: Object) -> Layout:
    """Lists of referring records that stand among the fields of a section are shown as lists of its tab."""
    lists = {name: field for name, field in definition.fields.items() if field.source == "inverse"}
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
    return RelatedList(other.name, field.by, (other.title, *first_columns(other, field.by)), field.label)


def is_placed(field: Field, definition: Object) -> bool:
    """A record's type stands in the head of its page, and in its form; a title that is worked out in the head."""
    is_type = field.name == RECORD_TYPE and bool(definition.record_types)
    is_head = is_type or (field.name == definition.title and field.source == "formula")
    return not field.is_hidden and field.source != "inverse" and not is_head


def lines_sections(fields: Iterable[Field]) -> list[Section]:
    return [Section(f.label, 1, (Cell(f.name),)) for f in fields if f.source == "lines"]


def made(snapshot: Snapshot, definition: Object) -> Layout:
    """Short fields in two columns, long ones across; then lines, and lists of what refers to the object."""
    plugins = snapshot.plugins.fields
    fields = [field for field in definition.fields.values() if is_placed(field, definition)]
    plain = [field for field in fields if field.source != "lines"]
    short = [Cell(f.name) for f in plain if plugins[f.type].widget not in LONG]
    long = [Cell(f.name, 2) for f in plain if plugins[f.type].widget in LONG]
    empty = [Cell(None)] if (len(short) + 1) % 2 else []
    section = Section(DETAILS, 2, (*short, Cell("owner"), *empty, *long))
    lists = [f for f in definition.fields.values() if f.source == "inverse" and not f.is_hidden]
    said = tuple(list_of(snapshot, field) for field in lists)
    shown = {(f.of, f.by) for f in definition.fields.values() if f.is_list_of_records}
    found = tuple(
        RelatedList(other.name, field.name, (other.title, *first_columns(other, field.name)))
        for other in snapshot.definitions.objects.values()
        for field in other.fields.values()
        if field.refers_to(definition.name) and EVERY not in field.targets and not field.is_hidden
        and (other.name, field.name) not in shown
    )  # fmt: skip
    related = (*said, *found[: max(0, MOST_RELATED - len(said))])
    return Layout("", definition.name, (Tab(DETAILS, (section, *lines_sections(fields)), related),))


def first_columns(other: Object, without: str) -> list[str]:
    return [f.name for f in other.fields.values() if f.name not in (other.title, without) and is_column(f)][:3]


def is_column(field: Field) -> bool:
    return not field.is_hidden and not field.is_list_of_records
