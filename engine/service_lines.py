"""Lines: records of a child object that are written in one request with the record that they belong to.

A list that is sent replaces the lines: those named by id are changed, others of it are new, and lines that it leaves
out are deleted. Lines of one object are written together, in a few statements.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.context import Context
from engine.errors import InputProblem
from engine.process import unasked
from engine.rules.draft import Draft
from engine.rules.masters import masters_wrong
from engine.rules.pipeline import draft_of, names_before
from engine.rules.values import Rules, Values, rules_of
from engine.rules.written import Written
from engine.service_deletion import delete_lines
from engine.service_lists import MOST_LINES, order_of
from engine.service_rows import refuse, write_changed, write_new
from engine.store import rows_lines
from engine.store.database import Connection
from engine.store.query_paths import field_of
from engine.store.references import written
from engine.store.rows import Current

__all__ = ["Sent", "append", "counts_of", "insert", "read_changed", "read_new", "rewrite", "split"]

NOBODY = "00000000-0000-0000-0000-000000000000"  # stands for a parent that is not written yet
Counts = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Table:
    """A field that holds lines."""

    name: str
    owner: str
    child: str
    by: str  # the reference of the child that leads to the owner
    position: str  # the child's field that keeps the order; "" where the ids do


@dataclass(slots=True)
class Item:
    """One line as sent and read."""

    path: str  # "lines.0"
    draft: Draft
    current: Current | None = None  # None: it is new
    tables: list["Sent"] = field(default_factory=list)  # its own lines

    @property
    def id(self) -> str:
        return str(self.current.row[0]) if self.current else ""

    @property
    def is_written_anew(self) -> bool:
        return self.current is not None and bool(self.draft.changed)

    @property
    def is_changed(self) -> bool:
        return self.current is None or self.is_written_anew or any(one.is_changed for one in self.tables)


@dataclass(slots=True)
class Sent:
    """The lines that one record is to have."""

    table: Table
    items: list[Item]
    gone: list[Current] = field(default_factory=list)
    before: int = 0  # how many there were

    @property
    def is_changed(self) -> bool:
        return bool(self.gone) or any(item.is_changed for item in self.items)


def tables_of(ctx: Context, object_name: str) -> Mapping[str, Table]:
    key = ("line tables", object_name)
    if key not in ctx.snapshot.cache:
        ctx.snapshot.cache[key] = {
            one.name: Table(one.name, object_name, one.of, one.by, "".join(order_of(ctx, one.of)))
            for one in ctx.snapshot.definitions.objects[object_name].fields.values() if one.source == "lines"
        }  # fmt: skip
    found: Mapping[str, Table] = ctx.snapshot.cache[key]
    return found


def split(ctx: Context, object_name: str, values: Values) -> tuple[Values, Values]:
    """What was sent of the record itself, and of its tables."""
    tables = tables_of(ctx, object_name)
    if tables and not ctx.scope.is_full:
        readable = ctx.scope.readable(object_name)
        tables = {name: table for name, table in tables.items() if name in readable}
    if not tables or not any(name in tables for name in values):
        return values, {}
    own = {name: value for name, value in values.items() if name not in tables}
    return own, {name: value for name, value in values.items() if name in tables}


def read_new(ctx: Context, object_name: str, sent: Values, path: str = "") -> tuple[list[Sent], list[InputProblem]]:
    """Lines of a record that is to be created."""
    found: list[Sent] = []
    problems: list[InputProblem] = []
    for name, value in sent.items():
        table, here = tables_of(ctx, object_name)[name], f"{path}{name}"
        if not ctx.scope.allows_lines("create", table.child):
            problems.append(_not_allowed(here, "create", table.child))
            continue
        lines = list(_lines(here, value, problems))
        one = Sent(table, [])
        for index, (at, line) in enumerate(lines):
            if line.get("id") is not None:
                problems.append(_unknown_line(table, f"{at}.id", line["id"]))
                continue
            one.items.append(_new(ctx, table, at, index, line, NOBODY, problems))
        found.append(one)
    return found, problems


def read_changed(
    ctx: Context, connection: Connection, object_name: str, record_id: str, sent: Values, path: str = "",
    is_locked: bool = False,
) -> tuple[list[Sent], list[InputProblem]]:  # fmt: skip
    """Lines of a record that exists. `is_locked`: nobody else changes them until the end of the transaction."""
    found: list[Sent] = []
    problems: list[InputProblem] = []
    for name, value in sent.items():
        table, here = tables_of(ctx, object_name)[name], f"{path}{name}"
        by = field_of(ctx.snapshot, table.child, table.by)
        order = (table.position,) if table.position else ()
        key = written(by, object_name, record_id)
        current = rows_lines.lines(ctx, connection, table.child, by, key, order, MOST_LINES + 1, is_locked)
        if len(current) > MOST_LINES:
            message = f"'{name}' has more than {MOST_LINES:,} lines"
            problems.append(InputProblem(here, "lines.limit", message, "change them one by one"))
            continue
        one = Sent(table, [], before=len(current))
        known = {str(line.row[0]): line for line in current}
        for index, (at, line) in enumerate(_lines(here, value, problems)):
            line_id = line.get("id")
            if line_id is None:
                one.items.append(_new(ctx, table, at, index, line, record_id, problems))
                continue
            held = known.pop(line_id.lower(), None) if isinstance(line_id, str) else None
            if held is None:
                problems.append(_unknown_line(table, f"{at}.id", line_id))
                continue
            one.items.append(_changed(ctx, connection, table, at, index, line, key, held, problems, is_locked))
        one.gone = list(known.values())
        problems += _forbidden(ctx, here, one)
        found.append(one)
    return found, problems


def _lines(path: str, value: object, problems: list[InputProblem]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(path, line) of each line that can be read at all; null is no lines."""
    if value is None:
        return
    if not isinstance(value, list | tuple):
        problems.append(InputProblem(path, "value.type", f"'{path}' is a list of lines", "write [{...}, {...}]"))
        return
    if len(value) > MOST_LINES:
        message = f"'{path}' has {len(value):,} lines; {MOST_LINES:,} are allowed"
        problems.append(InputProblem(path, "lines.limit", message, "send fewer", (("max", MOST_LINES),)))
        return
    for index, line in enumerate(value):
        at = f"{path}.{index}"
        if isinstance(line, Mapping):
            yield at, line
        else:
            problems.append(InputProblem(at, "value.type", "a line is an object of fields", 'write {"id": ...}'))


def _new(
    ctx: Context, table: Table, at: str, index: int, line: Mapping[str, Any], parent: str, problems: list[InputProblem]
) -> Item:
    rules = rules_of(ctx.snapshot, table.child)
    by = rules.fields[table.by].field
    key = written(by, table.owner, parent)
    values, tables = _own_values(ctx, table, at, line, key, problems)
    draft = draft_of(ctx, rules, values, None)
    problems += [replace(one, path=f"{at}.{one.path}") for one in draft.problems if one.path != table.by]
    draft.problems.clear()
    draft.stored[table.by] = key
    if table.position:
        draft.stored[table.position] = index + 1
    problems += [replace(one, path=f"{at}.{one.path}") for one in masters_wrong(rules, draft.stored)]
    inner, wrong = read_new(ctx, table.child, tables, f"{at}.")
    problems += wrong
    return Item(at, draft, tables=inner)


def _changed(
    ctx: Context, connection: Connection, table: Table, at: str, index: int, line: Mapping[str, Any], key: str,
    held: Current, problems: list[InputProblem], is_locked: bool,
) -> Item:  # fmt: skip
    rules = rules_of(ctx.snapshot, table.child)
    values, tables = _own_values(ctx, table, at, line, key, problems)
    position = (table.position,) if table.position else ()
    before = held.stored(tuple(dict.fromkeys((*names_before(ctx, rules, values), *position))))
    draft = draft_of(ctx, rules, values, before)
    problems += [replace(one, path=f"{at}.{one.path}") for one in draft.problems]
    draft.problems.clear()
    if table.position:
        draft.stored[table.position] = index + 1
    inner, wrong = read_changed(ctx, connection, table.child, str(held.row[0]), tables, f"{at}.", is_locked)
    problems += wrong
    return Item(at, draft, held, inner)


def _own_values(
    ctx: Context, table: Table, at: str, line: Mapping[str, Any], key: str, problems: list[InputProblem]
) -> tuple[Values, Values]:
    """What a line says of itself and of its own tables, without its id and the record that it belongs to."""
    sent = {name: value for name, value in line.items() if name not in ("id", table.by)}
    other = line.get(table.by)
    if other is not None and str(other).lower() != key:
        message = f"'{table.by}' is the record that the line stands in"
        problems.append(InputProblem(f"{at}.{table.by}", "value.differs", message, "leave it out"))
    return split(ctx, table.child, sent)


def _unknown_line(table: Table, path: str, line_id: object) -> InputProblem:
    message = f"no line of this {table.owner} has the id '{str(line_id)[:60]}'"
    return InputProblem(path, "lines.unknown", message, "leave the id out for a new line", (("id", str(line_id)[:60]),))


def _not_allowed(path: str, action: str, child: str) -> InputProblem:
    return InputProblem(path, f"record.{action}.forbidden", f"you may not {action} a {child}", "ask an administrator")


def _forbidden(ctx: Context, path: str, sent: Sent) -> Iterator[InputProblem]:
    child = sent.table.child
    if any(item.current is None for item in sent.items) and not ctx.scope.can("create", child):
        yield _not_allowed(path, "create", child)
    if any(item.is_written_anew for item in sent.items) and not ctx.scope.can("update", child):
        yield _not_allowed(path, "update", child)
    if sent.gone and not ctx.scope.can("delete", child):
        yield _not_allowed(path, "delete", child)


def counts_of(sent: Sequence[Sent]) -> Counts:
    """For the history of the record that they belong to: how many lines there were, and are."""
    return {one.table.name: (one.before, len(one.items)) for one in sent if one.is_changed}


def insert(
    ctx: Context, connection: Connection, parents: Sequence[tuple[str, Sequence[Sent]]], seen: Written,
    is_new: bool = True,
) -> None:  # fmt: skip
    """New lines of records that were written: of `parents`, each an id and the lines of that record."""
    by_child: dict[str, list[Item]] = {}
    for parent, tables in parents:
        for sent in tables:
            by = field_of(ctx.snapshot, sent.table.child, sent.table.by)
            for item in sent.items:
                if item.current is None:
                    item.draft.stored[sent.table.by] = written(by, sent.table.owner, parent)
                    by_child.setdefault(sent.table.child, []).append(item)
    for child, items in by_child.items():
        rules = rules_of(ctx.snapshot, child)
        known = {sent.table.by for _, tables in parents for sent in tables if sent.table.child == child}
        paths = [item.path for item in items]
        made = write_new(ctx, connection, rules, [item.draft for item in items], paths, known, is_new, seen)
        inner = [(row["id"], item.tables) for row, item in zip(made, items, strict=True) if item.tables]
        if inner:
            insert(ctx, connection, inner, seen)


def rewrite(
    ctx: Context, connection: Connection, object_name: str, record_id: str, sent: Values, seen: Written
) -> list[Sent]:
    """The lines of a record that is being changed: it is locked by now, and so are its lines as they are read again."""
    tables, problems = read_changed(ctx, connection, object_name, record_id, sent, is_locked=True)
    refuse(problems)
    write(ctx, connection, record_id, tables, seen)
    return tables


def append(ctx: Context, connection: Connection, rules: Rules, new: Sequence[dict[str, Any]]) -> None:
    """Lines that are created by themselves come last: their position is the next one of their master's."""
    if not rules.masters or not (position := "".join(order_of(ctx, rules.object))):
        return
    empty = [row for row in new if row.get(position) is None]
    for name in rules.masters:
        keys = {row[name] for row in empty if row.get(name) is not None}
        last = rows_lines.last_positions(connection, ctx.snapshot, rules.object, name, position, sorted(keys))
        for row in empty:
            if (key := row.get(name)) is not None:
                last[key] = row[position] = last.get(key, 0) + 1


def write(ctx: Context, connection: Connection, record_id: str, tables: Sequence[Sent], seen: Written) -> None:
    """Lines of a record that existed."""
    for sent in tables:
        child = sent.table.child
        changed = [item for item in sent.items if item.is_written_anew]
        if sent.gone:
            gone = [str(line.row[0]) for line in sent.gone]
            with unasked.watched(ctx, connection, child, gone, "delete"):
                seen.touch(delete_lines(ctx, connection, child, gone, seen))
        if changed:
            rules = rules_of(ctx.snapshot, child)
            write_changed(ctx, connection, rules, [(i.path, i.id, i.draft) for i in changed], seen)
        insert(ctx, connection, [(record_id, [sent])], seen, is_new=False)
        for item in sent.items:
            if item.current is not None and item.tables:
                write(ctx, connection, item.id, item.tables, seen)
