"""What a publish does to the tables, derived from what changed. Pure: opens no connection, reads no row."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from engine.publish.compare import Changes, FieldChange, ObjectChange
from engine.registry import Plugins
from engine.store.names import Allocator, Names, bounded
from engine.store.types import StoredType, Text
from metadata.model import EVERY, SYSTEM_FIELDS, Definitions, Field, Object, SortKey

__all__ = ["ColumnWork", "Index", "NameChange", "Work", "allocate", "column_works", "first_sort", "indexes"]


class Work(Enum):
    ADD = "a new column"
    COPY = "a new column, filled with the converted values of the old one, which goes"
    REWRITE = "the same column, each value checked against the new definition and converted"
    KEEP = "the same column; no value changes"
    DROP = "the column goes"


@dataclass(frozen=True, slots=True)
class ColumnWork:
    work: Work
    old: Field | None
    new: Field | None
    is_retargeted: bool = False
    objects: Mapping[str, str] = dataclasses.field(default_factory=dict)  # as of a FieldChange

    @property
    def becomes_required(self) -> bool:
        return self.new is not None and self.new.is_required and not (self.old and self.old.is_required)

    @property
    def is_worked_out(self) -> bool:
        """Whether there was no column and will be none."""
        return self.work is Work.KEEP and self.new is not None and not self.new.is_stored


@dataclass(frozen=True, slots=True, order=True)
class Index:
    """Of one table. Its name follows from the rest, and physical names do not change: so it is the same for ever."""

    table: str
    columns: tuple[str, ...]
    is_unique: bool = False
    is_of_trash: bool = False  # else of the records that are not deleted
    folded: tuple[str, ...] = ()  # those of the columns that it holds in lower case
    has_equal_blanks: bool = False  # of a unique one: two blanks are the same value

    @property
    def name(self) -> str:
        parts = (f"lower_{column}" if column in self.folded else column for column in self.columns)
        kind = "ub" if self.has_equal_blanks else "ux" if self.is_unique else "ix"
        return bounded(kind, self.table, *parts)


def column_works(change: ObjectChange, plugins: Plugins) -> Iterator[ColumnWork]:
    """For an object that stays."""
    for one in change.fields:
        old = one.old if one.old and one.old.is_stored else None
        new = one.new if one.new and one.new.is_stored else None
        if old or new:
            work = work_of(replace(one, old=old, new=new), plugins)
            yield ColumnWork(work, old, new, one.is_retargeted, one.objects)
        else:
            yield ColumnWork(Work.KEEP, one.old, one.new)


def work_of(change: FieldChange, plugins: Plugins) -> Work:
    old, new = change.old, change.new
    if old is None or new is None:
        return Work.DROP if new is None else Work.ADD
    before, after = plugins.fields[old.type], plugins.fields[new.type]
    if new.refers_to_any and old.refers_to_any:
        is_same = EVERY not in old.targets and all(change.objects.get(name) == name for name in old.targets)
        return Work.KEEP if is_same else Work.REWRITE
    if (
        change.is_retargeted
        or bool(old.targets) != bool(new.targets)
        or before.refers != after.refers
        or shape(old, plugins) != shape(new, plugins)
    ):
        return Work.COPY
    if after.refers or (old.type == new.type and after.is_computed):
        return Work.KEEP
    values = {choice.value for choice in old.choices} - {choice.value for choice in new.choices}
    if not new.is_written:
        return Work.KEEP
    if old.type != new.type or dict(old.options) != dict(new.options) or values:
        return Work.REWRITE
    return Work.KEEP


def shape(field: Field, plugins: Plugins) -> tuple[object, ...]:
    column = plugins.fields[field.type].column(field)
    return column.shape if isinstance(column, StoredType) else (repr(column),)


@dataclass(frozen=True, slots=True)
class NameChange:
    """A row of fs_name to add (`was` None), to rename (both) or to mark as dropped (`now` None)."""

    table: str
    column: str
    was: tuple[str, str] | None  # (object, field)
    now: tuple[str, str] | None


def allocate(changes: Changes, old: Names, allocator: Allocator, plugins: Plugins) -> tuple[Names, list[NameChange]]:
    """The new version's physical names: kept for what stays under whatever name, new for what is new or converted."""
    tables: dict[str, str] = {}
    columns: dict[str, Mapping[str, str]] = {}
    found: list[NameChange] = []
    for change in changes.objects:
        if change.new is None:
            assert change.old is not None
            found += dropped_table(change.old, old)
            continue
        name, earlier = change.new.name, change.old.name if change.old else ""
        table = old.tables[earlier] if earlier else allocator.table(name)
        tables[name] = table
        if not earlier:
            found.append(NameChange(table, "", None, (name, "")))
        elif earlier != name:
            found.append(NameChange(table, "", (earlier, ""), (name, "")))
        columns[name] = table_columns(change, table, old.columns.get(earlier, {}), allocator, plugins, found)
    return Names(tables, columns), found


def table_columns(
    change: ObjectChange,
    table: str,
    old: Mapping[str, str],
    allocator: Allocator,
    plugins: Plugins,
    found: list[NameChange],
) -> dict[str, str]:
    assert change.new is not None
    object_name = change.new.name
    earlier_object = change.old.name if change.old else ""
    works = {work.new.name: work.work for work in column_works(change, plugins) if work.new} if change.old else {}
    kept = change.kept or {}
    columns: dict[str, str] = {}
    for name, field in change.new.fields.items():
        if not field.is_stored:
            continue
        earlier = kept.get(name)
        if earlier is not None and earlier in old and works.get(name) is not Work.COPY:
            columns[name] = old[earlier]
            if (earlier_object, earlier) != (object_name, name):
                found.append(NameChange(table, old[earlier], (earlier_object, earlier), (object_name, name)))
        else:
            columns[name] = allocator.column(table, name)
            found.append(NameChange(table, columns[name], None, (object_name, name)))
    gone = set(old.values()) - set(columns.values())
    found += [NameChange(table, column, (earlier_object, name), None) for name, column in old.items() if column in gone]
    return columns


def dropped_table(definition: Object, old: Names) -> Iterator[NameChange]:
    table, name = old.tables[definition.name], definition.name
    yield NameChange(table, "", (name, ""), None)
    for field, column in old.columns[name].items():
        yield NameChange(table, column, (name, field), None)


def first_sort(definitions: Definitions, object_name: str) -> tuple[SortKey, ...]:
    """The order that an object's list opens in: of its default view, else of its first."""
    views = [view for view in definitions.views.values() if view.object == object_name]
    opened = next((view for view in views if view.is_default), views[0] if views else None)
    return opened.sort if opened else ()


def indexes(definition: Object, names: Names, plugins: Plugins, sort: Sequence[SortKey] = ()) -> set[Index]:
    """All of an object's. Plain ones end with the id, which makes an order total; so lists are read in index order.

    `sort` is the order that its list opens in: the first page of a million records must not sort them all.
    """
    table, columns = names.tables[definition.name], names.columns[definition.name]

    def column(field: str) -> str:
        return columns.get(field, field)  # a system field's column has its name

    found = {
        Index(table, ("owner", "id")),
        Index(table, ("created_at", "id")),
        Index(table, ("deleted_at",), False, True),
    }
    for field in definition.fields.values():
        if not field.is_stored:
            continue
        if field.is_unique:
            found.add(Index(table, (column(field.name),), is_unique=True))
        elif field.is_indexed or plugins.fields[field.type].refers or field.refers_to_any:
            found.add(Index(table, (column(field.name), "id")))
    for group in definition.unique:
        found.add(Index(table, tuple(map(column, group)), is_unique=True))
    for group in definition.unique_with_blank:
        found.add(Index(table, tuple(map(column, group)), is_unique=True, has_equal_blanks=True))
    for group in definition.indexes:
        found.add(Index(table, (*map(column, group), "id")))
    fields = [definition.fields.get(key.path) or SYSTEM_FIELDS.get(key.path) for key in sort]
    if sort and all(field and field.is_stored for field in fields) and len({key.is_descending for key in sort}) == 1:
        found.add(sort_index(table, [field for field in fields if field], definition, column, plugins))
    return found


def sort_index(
    table: str, fields: Sequence[Field], definition: Object, column: Callable[[str], str], plugins: Plugins
) -> Index:
    """Text without an index of its own is sorted in lower case: engine/store/query_build.py."""
    indexed = {name for group in (*definition.unique, *definition.indexes) for name in group[:1]}
    folded = [
        column(field.name)
        for field in fields
        if isinstance(plugins.fields[field.type].column(field), Text)
        and not (field.is_unique or field.is_indexed or field.name in indexed)
    ]
    names = [column(field.name) for field in fields]
    return Index(table, tuple(names if names[-1] == "id" else [*names, "id"]), folded=tuple(folded))
