"""The history of records: written with each change, in the same transaction.

What changed is kept by the columns' physical names, which a rename does not touch and which are never given twice: a
new field of an old name does not show what the old one held.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.audit.chain import Changed
from engine.audit.log import note_changes
from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import system, types
from engine.store.database import Compiled, Connection, compile_sql, new_id

__all__ = [
    "Entry", "content_of", "deletions", "forget_field", "forget_of_records", "latest", "read", "rewrite", "write",
]  # fmt: skip

MOST = 500  # lines that are read
FORGOTTEN = 1000  # lines at a time

OTHERS, INTO = "_others", "_into"  # beside the columns, whose names never begin with _

NOTHING: Mapping[str, Any] = {}
Changes = Mapping[str, tuple[Any, Any]]
Entry = tuple[str, int, str, Changes]
"""(record, its version after the change, action, field -> (old, new) JSON-ready)"""


def write(
    ctx: Context, connection: Connection, object_name: str, entries: Sequence[Entry], *, others: Sequence[str] = (),
    into: str = "", noted: Context | None = None,
) -> None:  # fmt: skip
    """Of a merge and its undoing: `others` went into this record, or this one went `into` another. An update of fields
    that the history does not tell of leaves its trace in the audit log alone, where `noted` says who wrote it and
    when, if that is not `ctx`."""
    connection.need(ctx.tenant.database)
    whole = [entry for entry in entries if entry[3] or entry[2] != "update"]
    if len(whole) < len(entries):
        silent = [entry[0] for entry in entries if not entry[3] and entry[2] == "update"]
        note_changes(noted or ctx, connection, object_name, "update", (), silent)
    if not whole:
        return
    compiled = _insert_sql(ctx.snapshot)
    columns = ctx.snapshot.physical.names.columns[object_name]
    table, by, at = ctx.snapshot.physical.names.tables[object_name], ctx.actor.id or None, types.utc_text(ctx.now)
    shared = {"_object": table, "_at": ctx.now, "_by": by}
    beside: dict[str, Any] = {OTHERS: list(others)} if others else {INTO: into} if into else {}
    rows = []
    changed: dict[str, list[Changed]] = {}
    for record, version, action, changes in whole:
        line, text = new_id(ctx.now), dumped(columns, changes, beside) if changes or beside else None
        rows.append(compiled.bind({
            **shared, "_id": line, "_record": record, "_version": version, "_action": action, "_changes": text,
        }))  # fmt: skip
        content = content_of(line, table, record, version, action, at, by, text)
        changed.setdefault(action, []).append(Changed(record, line, content))
    if len(rows) == 1:
        connection.run(compiled.sql, rows[0])
    else:
        connection.run_many(compiled.sql, rows)
    for action, those in changed.items():
        note_changes(noted or ctx, connection, object_name, action, those)


def content_of(
    line: str, table: str, record: str, version: int, action: str, at: str, by: str | None, changes: str | None
) -> bytes:
    """A line of the history as the audit log seals it; `at` as text."""
    return orjson.dumps((line, table, record, version, action, at, by, changes))


def dumped(columns: Mapping[str, str], changes: Changes, beside: Mapping[str, Any] = NOTHING) -> str:
    named: dict[str, Any] = {columns.get(name) or key_of(name): pair for name, pair in changes.items()}
    return orjson.dumps({**named, **beside}).decode()


def key_of(name: str) -> str:
    """What stands for a field that has no column: for the number of its lines. `owner` is a column of every table."""
    return name if name == "owner" else f":{name}"


def _insert_sql(snapshot: Snapshot) -> Compiled:
    if "history insert" not in snapshot.cache:
        columns = system.history.c
        values = {column: sa.bindparam(f"_{column.name}", type_=column.type) for column in columns}
        snapshot.cache["history insert"] = compile_sql(sa.insert(system.history).values(values), snapshot.dialect)
    compiled: Compiled = snapshot.cache["history insert"]
    return compiled


def read(connection: Connection, snapshot: Snapshot, object_name: str, record_id: str) -> Iterable[dict[str, Any]]:
    """Newest first: {at, by, action, version, changes {field: [old, new]}, others, into}. Only today's fields."""
    if "history read" not in snapshot.cache:
        kept = system.history.c
        statement = (
            sa.select(kept.at, kept.by, kept.action, kept.version, kept.changes)
            .where(kept.record == sa.bindparam("_record", type_=types.Id()))
            .order_by(kept.id.desc())
            .limit(MOST)
        )
        snapshot.cache["history read"] = compile_sql(statement, snapshot.dialect)
    compiled: Compiled = snapshot.cache["history read"]
    load_at = types.blank_kept(types.DateTime().loader(snapshot.dialect))
    fields = {column: name for name, column in snapshot.physical.names.columns[object_name].items()}
    fields["owner"] = "owner"
    own = snapshot.definitions.objects[object_name].fields
    fields |= {key_of(name): name for name, field in own.items() if field.is_list_of_records}
    for at, by, action, version, changes in connection.rows(compiled.sql, compiled.bind({"_record": record_id})):
        pairs = orjson.loads(changes) if changes else {}
        yield {
            "at": load_at(at) if load_at else at,
            "by": by or "",
            "action": action,
            "version": version,
            "others": tuple(pairs.pop(OTHERS, ())),
            "into": pairs.pop(INTO, ""),
            "changes": {fields[column]: tuple(pair) for column, pair in pairs.items() if column in fields},
        }


def deletions(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, datetime]]:
    """Record -> who deleted it last, and when."""
    kept = system.history.c
    wanted = sa.select(kept.record, kept.by, kept.at).where(kept.record.in_(ids), kept.action == "delete")
    return {record: (by or "", at) for record, by, at in connection.sa.execute(wanted.order_by(kept.id))}


def forget_field(connection: Connection, table: str, column: str) -> list[Changed]:
    """What became of one column of a table, in all of its records. The other changes stay. Returns the lines as they
    are now: the audit log is to know that it was the engine who changed them."""
    changed = []
    kept = system.history.c
    wanted = sa.select(system.history).where(kept.object == table, kept.changes.is_not(None))
    wanted = wanted.order_by(kept.id).limit(FORGOTTEN)
    last = ""
    while found := connection.sa.execute(wanted.where(kept.id > last) if last else wanted).all():
        for line in found:
            changes = orjson.loads(line.changes)
            if changes.pop(column, None) is not None:
                changed.append(rewrite(connection, line, changes))
        last = found[-1].id
    return changed


def forget_of_records(
    connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str], fields: Sequence[str]
) -> list[Changed]:
    """What became of some fields of some records. Returns the lines that say less now."""
    columns = {snapshot.physical.names.columns[object_name][name] for name in fields}
    changed: list[Changed] = []
    for one in ids:
        wanted = sa.select(system.history).where(system.history.c.record == one, system.history.c.changes.is_not(None))
        for line in connection.sa.execute(wanted).all():
            changes = orjson.loads(line.changes)
            left = {name: pair for name, pair in changes.items() if name not in columns}
            if len(left) < len(changes):
                changed.append(rewrite(connection, line, left))
    return changed


def rewrite(connection: Connection, line: Any, changes: Mapping[str, Any]) -> Changed:
    """Make a row of fs_history say these changes; returns it as it is now."""
    left = orjson.dumps(dict(changes)).decode() if changes else None
    connection.sa.execute(sa.update(system.history).where(system.history.c.id == line.id).values(changes=left))
    at = types.utc_text(line.at)
    content = content_of(line.id, line.object, line.record, line.version, line.action, at, line.by, left)
    return Changed(line.record, line.id, content)


def latest(connection: Connection, snapshot: Snapshot, limit: int, offset: int) -> list[tuple[str, str, datetime]]:
    """(object, record, at) of the last changes in the tenant, whoever may see them; newest first."""
    if "history latest" not in snapshot.cache:
        kept = system.history.c
        statement = (
            sa.select(kept.object, kept.record, kept.at)
            .order_by(kept.at.desc())
            .limit(sa.bindparam("_limit", type_=sa.Integer()))
            .offset(sa.bindparam("_offset", type_=sa.Integer()))
        )
        snapshot.cache["history latest"] = compile_sql(statement, snapshot.dialect)
    compiled: Compiled = snapshot.cache["history latest"]
    load_at = types.blank_kept(types.DateTime().loader(snapshot.dialect))
    objects = snapshot.physical.names.objects
    rows = connection.rows(compiled.sql, compiled.bind({"_limit": limit, "_offset": offset}))
    return [(objects[table], record, load_at(at) if load_at else at) for table, record, at in rows if table in objects]
