"""What those who take part in an approval read of its record: the one door for those whose own rights do not show it.

It is open as long as somebody is asked or told, through the nodes by which they are, and tells what these do not hide.
Lists, searches, exports, histories and everything else know nothing of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from engine.context import SYSTEM, Context, context_of
from engine.errors import Conflict, NotFound
from engine.process.agents import agents_of
from engine.process.approval import kept
from engine.process.approval.state import ENDED, OPEN_TASKS, State, Task
from engine.process.approval.work import chart_at, object_at
from engine.process.visible import is_masked, mask_value, visible_fields
from engine.service_lists import MOST_LINES, listed
from engine.snapshot import Snapshot
from engine.store import rows_files
from engine.store.database import Connection
from engine.store.lasting import name_now
from engine.store.query import Query, find, one
from engine.store.query_paths import field_of
from engine.store.query_rows import RowReader
from engine.store.references import pointed
from engine.store.system_approvals import approval_participant, approval_task
from metadata.model import Field
from metadata.processes import Approval, Node

__all__ = [
    "MOST_DEPTH", "Reading", "hidden_from", "hidden_now", "may_have_file", "nodes_of", "now_called",
    "read_as_participant", "read_for", "reading_of", "titles_of",
]  # fmt: skip

Json = dict[str, Any]
MOST_DEPTH = 5
MOST_LINES_IN_ALL = 5000  # of one field, of all records that hold it
PIECE = 500


@dataclass(slots=True)
class Reading:
    """Of a record, or of one of its lines. Values are JSON-ready; `titles` holds those of all records referred to."""

    object: str
    id: str
    version: int
    title: str
    fields: tuple[str, ...]  # in the definition's order
    values: Json
    titles: dict[str, str] = field(default_factory=dict)
    masked: frozenset[str] = frozenset()
    lines: dict[str, list["Reading"]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)  # of the lines, too
    cut: set[str] = field(default_factory=set)  # lines of which there are more than are read

    def record(self) -> Json:
        """As the API shows it."""
        lines = {name: [{"id": one.id, **one.values} for one in table] for name, table in self.lines.items()}
        return {"id": self.id, "version": self.version, **self.values, **lines}


def read_for(
    ctx: Context, connection: Connection, approval: Approval, node: Node | Sequence[Node], object_name: str,
    record_id: str,
) -> Reading:  # fmt: skip
    """The record through a node, or through several that each show what they do not hide. Whether the person takes part
    is for the caller to know. Raises NotFound."""
    nodes = [node] if isinstance(node, Node) else list(node)
    hidden = common([each.hidden for each in nodes])
    return _reading(ctx, _system(ctx), connection, object_name, record_id, hidden, "")


def read_as_participant(ctx: Context, instance: str) -> Reading:
    """Raises NotFound for whoever does not take part, or not any more."""
    with ctx.tenant.database.read() as connection:
        state = kept.load(connection, instance)
        found = reading_of(ctx, connection, state) if state is not None else None
        if found is None:
            raise NotFound("no approval of yours has this id", code="approval.unknown")
        return found


def reading_of(ctx: Context, connection: Connection, state: State) -> Reading | None:
    """None for whoever does not take part, or not any more. Raises NotFound for a record that is deleted."""
    nodes = nodes_of(ctx, connection, state)
    if not nodes:
        return None
    object_name = object_at(ctx.snapshot, state.instance.object)
    hidden = hidden_from(ctx, state, nodes)
    from engine.process.waiting import reading_of_new  # it reads through what stands here

    new = reading_of_new(ctx, connection, state, sorted(hidden))
    if new is not None:
        return new
    return _reading(ctx, _system(ctx), connection, object_name, state.instance.record, hidden, "")


def nodes_of(ctx: Context, connection: Connection, state: State) -> list[Node]:
    """Those by which the person takes part now: they are asked, by themselves, of a queue or for somebody who is away,
    or they are told."""
    user, found = ctx.actor.id, dict[str, Node]()
    chart = chart_at(ctx.tenant.at(state.instance.version), state.instance.approval)
    tasks = {
        task.id: task for task in state.tasks.values()
        if state.instance.state not in ENDED and task.is_open and task.opened_at is not None
    }  # fmt: skip
    for task in tasks.values():
        if user and task.user == user:
            found[task.node] = chart.node(task.node)
    for each in state.participants.values():
        if not user or each.user != user or each.state != "OPEN":
            continue
        if each.kind == "cc":
            run, of = state.runs.get(each.run), state.tasks.get(each.task)
            name = run.node if run is not None else of.node if of is not None else ""
            if name:
                found[name] = chart.node(name)
        elif each.task in tasks and _may_act(ctx, connection, state, tasks[each.task], each.kind):
            found[tasks[each.task].node] = chart.node(tasks[each.task].node)
    return list(found.values())


def _may_act(ctx: Context, connection: Connection, state: State, task: Task, kind: str) -> bool:
    """Of a queue as long as nobody has claimed it; for somebody else as long as that one is away."""
    if kind == "queue":
        return not task.user
    of = state.instance
    return ctx.actor.id in agents_of(connection, [task.user], ctx.now, of.approval, of.object).get(task.user, ())


def hidden_from(ctx: Context, state: State, nodes: Sequence[Node]) -> frozenset[str]:
    """What all of these nodes hide, by the names that the fields have now."""
    return hidden_now(ctx, state.instance.version, state.instance.object, common([each.hidden for each in nodes]))


def hidden_now(ctx: Context, version: int, table: str, hidden: Collection[str]) -> frozenset[str]:
    """Names of a version, of the object with this table, by the names that the fields have now."""
    names = frozenset(hidden)
    then = ctx.tenant.at(version) if names else ctx.snapshot
    if then.version == ctx.snapshot.version:
        return names
    # Under its old name and its new one: what cannot be told apart is hidden.
    return names | {now_called(ctx, then, object_at(then, table), name) for name in names}


def common(hidden: Sequence[Collection[str]]) -> frozenset[str]:
    """What is hidden by each of these; whoever hides lines hides all fields of theirs."""
    every = {name for names in hidden for name in names}
    return frozenset(name for name in every if all(_hides(names, name) for names in hidden))


def _hides(names: Collection[str], name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:count]) in names for count in range(1, len(parts) + 1))


def now_called(ctx: Context, then: Snapshot, object_name: str, name: str) -> str:
    first, dot, rest = name.partition(".")
    table = then.physical.names.tables[object_name]
    try:
        now = object_at(ctx.snapshot, table)
    except Conflict:
        return name
    called = name_now(then, object_name, ctx.snapshot, now, first) or first
    if not dot:
        return called
    field = then.definitions.objects[object_name].fields.get(first)
    return f"{called}.{now_called(ctx, then, field.of, rest)}" if field is not None and field.of else name


def may_have_file(ctx: Context, connection: Connection, file_id: str) -> bool:
    """Whether the person takes part in an approval whose record, or a line of it, holds the file in a field that they
    see through their nodes."""
    for instance in _instances_of(ctx, connection):
        state = kept.load(connection, instance)
        try:
            found = reading_of(ctx, connection, state) if state is not None else None
        except NotFound:
            continue
        if found is not None and file_id in found.files:
            return True
    return False


def _instances_of(ctx: Context, connection: Connection) -> list[str]:
    if not ctx.actor.id:
        return []
    task, other = approval_task.c, approval_participant.c
    asked = sa.select(task.instance).where(task.user == ctx.actor.id, task.state.in_(sorted(OPEN_TASKS)))
    told = sa.select(other.instance).where(other.user == ctx.actor.id, other.state == "OPEN")
    return sorted(set(connection.sa.scalars(sa.union(asked, told))))


def _system(ctx: Context) -> Context:
    """Reads everything, in the person's language."""
    found = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot)
    return Context(
        found.tenant, found.snapshot, found.actor, found.scope, found.now, ctx.language, ctx.time_zone,
        origin=ctx.origin,
    )  # fmt: skip


def _reading(
    ctx: Context, system: Context, connection: Connection, object_name: str, record_id: str,
    hidden: frozenset[str], prefix: str,
) -> Reading:  # fmt: skip
    names = visible_fields(ctx, object_name, hidden, prefix)
    found = one(system, connection, object_name, record_id, _plain(ctx, object_name, names))
    if not found.rows:
        raise NotFound("the record of this approval is deleted", code="record.unknown")
    [made] = _made(ctx, system, connection, object_name, found.reader, found.rows, names, hidden, prefix)
    return made


def _plain(ctx: Context, object_name: str, names: Iterable[str]) -> tuple[str, ...]:
    """What is read of a record itself."""
    return ("id", "version", *(name for name in names if field_of(ctx.snapshot, object_name, name).source != "lines"))


def _made(
    ctx: Context, system: Context, connection: Connection, object_name: str, reader: RowReader,
    rows: list[tuple[Any, ...]], names: tuple[str, ...], hidden: frozenset[str], prefix: str,
) -> list[Reading]:  # fmt: skip
    """Of records that were read alike. Their lines are read for all of them at once, however many there are."""
    fields = {name: field_of(ctx.snapshot, object_name, name) for name in names}
    masked = frozenset(name for name in _plain(ctx, object_name, names)[2:] if is_masked(ctx, object_name, name))
    plain = [name for name, each in fields.items() if each.source != "lines"]
    records, stored = reader.records(rows), [reader.row(row) for row in rows]
    title = ctx.snapshot.definitions.objects[object_name].title
    ids = [str(record["id"]) for record in records]
    titled = titles_of(system, connection, object_name, ids) if title in names else {}
    pointing = [{name: row.get(name) for name in plain if fields[name].is_stored} for row in stored]
    titles = _titles(ctx, system, connection, fields, pointing)
    made: list[Reading] = []
    for record, held in zip(records, pointing, strict=True):
        shown = str(mask_value(ctx, object_name, title, titled.get(record["id"], ""))) if title in names else ""
        values = {name: mask_value(ctx, object_name, name, record.get(name)) for name in plain}
        own = {place[1] for name, value in held.items() for place in pointed(fields[name], value)}
        told = {place: text for place, text in titles.items() if place in own}
        made.append(Reading(object_name, record["id"], int(record["version"]), shown, names, values, told, masked))
        for name, files_of in rows_files.attachments(ctx.snapshot, object_name).items():
            if held.get(name) is not None and name not in masked:
                made[-1].files |= set(files_of(held[name]))
    for name, each in fields.items():
        if each.source == "lines" and prefix.count(".") < MOST_DEPTH:
            _put_lines(ctx, system, connection, object_name, name, each, made, hidden, f"{prefix}{name}.")
    return made


def _put_lines(
    ctx: Context, system: Context, connection: Connection, object_name: str, name: str, owner: Field,
    readings: Sequence[Reading], hidden: frozenset[str], prefix: str,
) -> None:  # fmt: skip
    names = visible_fields(ctx, owner.of, hidden, prefix)
    ids = [one.id for one in readings]
    found = listed(system, connection, object_name, owner, ids, MOST_LINES, _plain(ctx, owner.of, names))
    rows: list[tuple[Any, ...]] = []
    for one_ in readings:
        rows += found[one_.id].rows[: max(MOST_LINES_IN_ALL - len(rows), 0)]
    lines = _made(ctx, system, connection, owner.of, found[ids[0]].reader, rows, names, hidden, prefix) if rows else []
    for one_ in readings:
        there = found[one_.id]
        own, lines = lines[: len(there.rows)], lines[len(there.rows) :]
        one_.lines[name] = own
        one_.files |= {file for line in own for file in line.files}
        if there.is_truncated or len(own) < len(there.rows):
            one_.cut.add(name)


def titles_of(system: Context, connection: Connection, object_name: str, ids: Sequence[str]) -> dict[str, str]:
    """As they are within the transaction."""
    wanted: dict[str, str] = {}
    for start in range(0, len(ids), PIECE):
        piece = tuple(ids[start : start + PIECE])
        query = Query(object_name, (system.scope.title(object_name),), ids=piece, limit=len(piece))
        found = find(system, connection, query)
        for row, values in zip(found.rows, found.reader.values(found.rows), strict=True):
            wanted[row[0]] = "" if values[0] is None else str(values[0])
    return wanted


def _titles(
    ctx: Context, system: Context, connection: Connection, fields: Mapping[str, Field],
    rows: Sequence[Mapping[str, Any]],
) -> dict[str, str]:  # fmt: skip
    """Of all records that the values refer to; none where the titles of an object are worked out from masked fields."""
    wanted: dict[str, dict[str, None]] = {}
    for row in rows:
        for name, value in row.items():
            for target, record in pointed(fields[name], value):
                if target in ctx.snapshot.definitions.objects:
                    wanted.setdefault(target, {})[record] = None
    found: dict[str, str] = {}
    for target, ids in wanted.items():
        title = ctx.snapshot.definitions.objects[target].title
        if title in visible_fields(ctx, target, ()):
            made = titles_of(system, connection, target, sorted(ids))
            found |= {key: str(mask_value(ctx, target, title, text)) for key, text in made.items()}
    return found
