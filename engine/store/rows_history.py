"""The history of records: written with each change, in the same transaction.

What changed is kept by the columns' physical names, which a rename does not touch and which are never given twice: a
new field of an old name does not show what the old one held.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import system, types
from engine.store.database import Compiled, Connection, compile_sql, new_id

__all__ = ["Entry", "forget_field", "latest", "read", "write"]

MOST = 500  # lines that are read
FORGOTTEN = 1000  # lines at a time

OTHERS, INTO = "_others", "_into"  # beside the columns, whose names never begin with _

NOTHING: Mapping[str, Any] = {}
Changes = Mapping[str, tuple[Any, Any]]
Entry = tuple[str, int, str, Changes]
"""(record, its version after the change, action, field -> (old, new) JSON-ready)"""


def write(
    ctx: Context, connection: Connection, object_name: str, entries: Sequence[Entry], *, others: Sequence[str] = (),
    into: str = "",
) -> None:  # fmt: skip
    """Of a merge and its undoing: `others` went into this record, or this one went `into` another."""
    compiled = _insert_sql(ctx.snapshot)
    columns = ctx.snapshot.physical.names.columns[object_name]
    shared = {
        "_object": ctx.snapshot.physical.names.tables[object_name],
        "_at": ctx.now,
        "_by": ctx.actor.id or None,
    }
    beside: dict[str, Any] = {OTHERS: list(others)} if others else {INTO: into} if into else {}
    rows = [
        compiled.bind({
            **shared, "_id": new_id(ctx.now), "_record": record, "_version": version, "_action": action,
            "_changes": dumped(columns, changes, beside) if changes or beside else None,
        })
        for record, version, action, changes in entries
    ]  # fmt: skip
    if len(rows) == 1:
        connection.run(compiled.sql, rows[0])
    else:
        connection.run_many(compiled.sql, rows)


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


def forget_field(connection: Connection, table: str, column: str) -> None:
    """What became of one column of a table, in all of its records. The other changes stay."""
    kept = system.history.c
    wanted = sa.select(kept.id, kept.changes).where(kept.object == table, kept.changes.is_not(None))
    wanted = wanted.order_by(kept.id).limit(FORGOTTEN)
    last = ""
    while found := connection.sa.execute(wanted.where(kept.id > last) if last else wanted).all():
        for key, text in found:
            changes = orjson.loads(text)
            if changes.pop(column, None) is not None:
                left = orjson.dumps(changes).decode() if changes else None
                connection.sa.execute(sa.update(system.history).where(kept.id == key).values(changes=left))
        last = found[-1][0]


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
    objects = {table: name for name, table in snapshot.physical.names.tables.items()}
    rows = connection.rows(compiled.sql, compiled.bind({"_limit": limit, "_offset": offset}))
    return [(objects[table], record, load_at(at) if load_at else at) for table, record, at in rows if table in objects]
