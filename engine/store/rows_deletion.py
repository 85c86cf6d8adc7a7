"""What a deletion took along, so that it can be taken back whole. Kept by physical names, which no rename touches.

A batch has the id of the record that was deleted: a record is in the trash once at most.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import system, types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query_conditions import in_list, padded
from engine.store.rows import chunks

__all__ = ["Taken", "forget", "living", "read", "referrers", "root_of", "stored", "write"]

KEPT = system.deletion.c


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that a deletion did: to a record (`field` ""), or to a reference that it set to blank."""

    object: str
    record: str
    field: str = ""
    old_value: str | None = None


def write(ctx: Context, connection: Connection, batch: str, taken: Sequence[Taken]) -> None:
    compiled = _compiled(ctx.snapshot, "deletion insert", _insert)
    names = ctx.snapshot.physical.names
    rows = []
    for one in taken:
        columns = names.columns[one.object]
        rows.append(compiled.bind({
            "_batch": batch, "_object": names.tables[one.object], "_record": one.record,
            "_field": columns.get(one.field, one.field), "_old_value": one.old_value, "_at": ctx.now,
            "_by": ctx.actor.id or None,
        }))  # fmt: skip
    connection.run_many(compiled.sql, rows)


def _insert() -> sa.Insert:
    values = {column: sa.bindparam(f"_{column.name}", type_=column.type) for column in KEPT}
    return sa.insert(system.deletion).values(values)


def root_of(connection: Connection, snapshot: Snapshot, record_id: str) -> str | None:
    """The record whose deletion put this one into the trash; None where that is not known."""
    compiled = _compiled(
        snapshot, "deletion root",
        lambda: sa.select(KEPT.batch).where(KEPT.record == sa.bindparam("_record", type_=types.Id()), KEPT.field == ""),
    )  # fmt: skip
    rows = connection.rows(compiled.sql, compiled.bind({"_record": record_id}))
    return str(rows[0][0]) if rows else None


def read(connection: Connection, snapshot: Snapshot, batch: str) -> list[Taken]:
    """All of a batch that the definitions still have."""
    compiled = _compiled(snapshot, "deletion read", _read)
    names = snapshot.physical.names
    objects = {table: name for name, table in names.tables.items()}
    fields = {name: {column: field for field, column in columns.items()} for name, columns in names.columns.items()}
    taken: list[Taken] = []
    for table, record, column, old_value in connection.rows(compiled.sql, compiled.bind({"_batch": batch})):
        object_name = objects.get(table)
        field = "" if not column else "owner" if column == "owner" else fields.get(object_name or "", {}).get(column)
        if object_name is not None and field is not None:
            taken.append(Taken(object_name, record, field, old_value))
    return taken


def _read() -> sa.Select[Any]:
    of_batch = KEPT.batch == sa.bindparam("_batch", type_=types.Id())
    return sa.select(KEPT.object, KEPT.record, KEPT.field, KEPT.old_value).where(of_batch)


def forget(connection: Connection, snapshot: Snapshot, batch: str) -> None:
    compiled = _compiled(
        snapshot, "deletion forget",
        lambda: sa.delete(system.deletion).where(KEPT.batch == sa.bindparam("_batch", type_=types.Id())),
    )  # fmt: skip
    connection.run(compiled.sql, compiled.bind({"_batch": batch}))


def referrers(
    connection: Connection, snapshot: Snapshot, object_name: str, field: str, targets: Sequence[str], limit: int
) -> list[tuple[str, str]]:
    """(id, target) of living records whose `field` refers to one of `targets`; at most `limit` for each 500 targets."""
    found: list[tuple[str, str]] = []
    for chunk in chunks(targets):
        wanted = padded(chunk)

        def statement(size: int = len(wanted)) -> sa.Select[Any]:
            table = snapshot.physical.table(object_name)
            among = in_list(table.c[field], [f"_i{index}" for index in range(size)])
            chosen = sa.select(table.c.id, table.c[field]).where(among, table.c.deleted_at.is_(None))
            return chosen.order_by(table.c.id).limit(sa.bindparam("_limit", type_=types.Integer()))

        compiled = _compiled(snapshot, ("referrers", object_name, field, len(wanted)), statement)
        params: dict[str, Any] = {f"_i{index}": one for index, one in enumerate(wanted)}
        found += connection.rows(compiled.sql, compiled.bind(params | {"_limit": limit}))
    return found


def living(connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str]) -> set[str]:
    """Those of these ids whose records are not deleted."""
    found: set[str] = set()
    for chunk in chunks(ids):
        wanted = padded(chunk)

        def statement(size: int = len(wanted)) -> sa.Select[Any]:
            table = snapshot.physical.table(object_name)
            among = in_list(table.c.id, [f"_i{index}" for index in range(size)])
            return sa.select(table.c.id).where(among, table.c.deleted_at.is_(None))

        compiled = _compiled(snapshot, ("living", object_name, len(wanted)), statement)
        params = {f"_i{index}": one for index, one in enumerate(wanted)}
        found.update(row[0] for row in connection.rows(compiled.sql, compiled.bind(params)))
    return found


def stored(
    connection: Connection, snapshot: Snapshot, object_name: str, names: Sequence[str], ids: Sequence[str]
) -> Mapping[str, tuple[Any, ...]]:
    """id -> driver values of some reference fields, deleted records included."""
    found: dict[str, tuple[Any, ...]] = {}
    for chunk in chunks(ids):
        wanted = padded(chunk)

        def statement(size: int = len(wanted)) -> sa.Select[Any]:
            table = snapshot.physical.table(object_name)
            among = in_list(table.c.id, [f"_i{index}" for index in range(size)])
            return sa.select(table.c.id, *(table.c[name] for name in names)).where(among)

        compiled = _compiled(snapshot, ("stored", object_name, tuple(names), len(wanted)), statement)
        params = {f"_i{index}": one for index, one in enumerate(wanted)}
        found.update({row[0]: row[1:] for row in connection.rows(compiled.sql, compiled.bind(params))})
    return found


def _compiled(snapshot: Snapshot, key: object, statement: Callable[[], sa.Executable]) -> Compiled:
    if key not in snapshot.cache:
        snapshot.cache[key] = compile_sql(statement(), snapshot.dialect)
    compiled: Compiled = snapshot.cache[key]
    return compiled
