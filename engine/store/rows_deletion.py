"""What a deletion took along, so that it can be taken back whole. Kept by physical names, which no rename touches.

A batch has the id of the record that was deleted: a record is in the trash once at most.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import system, types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query_conditions import in_list, padded
from engine.store.query_paths import field_of
from engine.store.references import SEPARATOR, among, pointed, written
from engine.store.rows import chunks
from metadata.model import Field

__all__ = ["Taken", "forget", "living", "read", "referrers", "root_of", "stored", "write", "write_each"]

MANY = 64  # ids that are looked for in lists at once: no index helps there

KEPT = system.deletion.c


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that a deletion did: to a record (`field` ""), or to a reference that it set to blank."""

    object: str
    record: str
    field: str = ""
    old_value: Any = None  # as stored


def write(ctx: Context, connection: Connection, batch: str, taken: Sequence[Taken]) -> None:
    write_each(ctx, connection, {batch: taken})


def write_each(ctx: Context, connection: Connection, batches: Mapping[str, Sequence[Taken]]) -> None:
    compiled = _compiled(ctx.snapshot, "deletion insert", _insert)
    names = ctx.snapshot.physical.names
    shared = {"_at": ctx.now, "_by": ctx.actor.id or None}
    rows = [
        compiled.bind({
            **shared, "_batch": batch, "_object": names.tables[one.object], "_record": one.record,
            "_field": names.columns[one.object].get(one.field, one.field),
            "_old_value": dumped(ctx.snapshot, one),
        })
        for batch, taken in batches.items() for one in taken
    ]  # fmt: skip
    connection.run_many(compiled.sql, rows)


def dumped(snapshot: Snapshot, taken: Taken) -> str | None:
    """A value of a reference as text, with the physical name of the object that it names."""
    field, value = field_of(snapshot, taken.object, taken.field) if taken.field else None, taken.old_value
    if value is None or field is None:
        return None
    if field.refers_to_many:
        return orjson.dumps(value).decode()
    if field.refers_to_any:
        [(name, record_id)] = pointed(field, value)
        return f"{snapshot.physical.names.tables.get(name, name)}{SEPARATOR}{record_id}"
    return str(value)


def loaded(snapshot: Snapshot, field: Field, text: str, objects: Mapping[str, str]) -> Any:
    """`objects`: name by table. None where the object is gone."""
    if field.refers_to_many:
        return orjson.loads(text)
    if field.refers_to_any:
        table, _, record_id = text.partition(SEPARATOR)
        return f"{objects[table]}{SEPARATOR}{record_id}" if table in objects else None
    return text


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
    objects = names.objects
    fields = {name: {column: field for field, column in columns.items()} for name, columns in names.columns.items()}
    taken: list[Taken] = []
    for table, record, column, old_value in connection.rows(compiled.sql, compiled.bind({"_batch": batch})):
        object_name = objects.get(table)
        field = "" if not column else "owner" if column == "owner" else fields.get(object_name or "", {}).get(column)
        if object_name is not None and field is not None:
            old = loaded(snapshot, field_of(snapshot, object_name, field), old_value, objects) if old_value else None
            taken.append(Taken(object_name, record, field, old))
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
    connection: Connection, snapshot: Snapshot, object_name: str, field: Field, target: str, ids: Sequence[str],
    limit: int,
) -> list[tuple[str, Any]]:  # fmt: skip
    """(id, stored value of the field) of living records whose `field` refers to one of `ids`, records of `target`; at
    most `limit` for each piece of ids."""
    found: list[tuple[str, Any]] = []
    for chunk in chunks(ids) if not field.refers_to_many else pieces(ids, MANY):
        wanted = padded(chunk)

        def statement(size: int = len(wanted)) -> sa.Select[Any]:
            table = snapshot.physical.table(object_name)
            column = table.c[field.name]
            holds = among(field, column, [f"_i{index}" for index in range(size)], snapshot.dialect)
            chosen = sa.select(table.c.id, column).where(holds, table.c.deleted_at.is_(None))
            return chosen.order_by(table.c.id).limit(sa.bindparam("_limit", type_=types.Integer()))

        compiled = _compiled(snapshot, ("referrers", object_name, field.name, len(wanted)), statement)
        params: dict[str, Any] = {f"_i{index}": written(field, target, one) for index, one in enumerate(wanted)}
        load = _loader(snapshot, object_name, field.name)
        found += [
            (one, load(value))
            for one, value in connection.rows(compiled.sql, compiled.bind(params | {"_limit": limit}))
        ]
    return found


def pieces(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _loader(snapshot: Snapshot, object_name: str, name: str) -> Callable[[Any], Any]:
    column_type = snapshot.physical.column(object_name, name).type
    assert isinstance(column_type, types.StoredType)
    return types.blank_kept(column_type.loader(snapshot.dialect)) or (lambda value: value)


def living(connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str]) -> set[str]:
    """Those of these ids whose records are not deleted."""
    found: set[str] = set()
    for chunk in chunks(ids):
        wanted = padded(chunk)

        def statement(size: int = len(wanted)) -> sa.Select[Any]:
            table = snapshot.physical.table(object_name)
            these = in_list(table.c.id, [f"_i{index}" for index in range(size)])
            return sa.select(table.c.id).where(these, table.c.deleted_at.is_(None))

        compiled = _compiled(snapshot, ("living", object_name, len(wanted)), statement)
        params = {f"_i{index}": one for index, one in enumerate(wanted)}
        found.update(row[0] for row in connection.rows(compiled.sql, compiled.bind(params)))
    return found


def stored(
    connection: Connection, snapshot: Snapshot, object_name: str, names: Sequence[str], ids: Sequence[str]
) -> Mapping[str, tuple[Any, ...]]:
    """id -> stored values of some fields, deleted records included."""
    found: dict[str, tuple[Any, ...]] = {}
    loads = [_loader(snapshot, object_name, name) for name in names]
    for chunk in chunks(ids):
        wanted = padded(chunk)

        def statement(size: int = len(wanted)) -> sa.Select[Any]:
            table = snapshot.physical.table(object_name)
            these = in_list(table.c.id, [f"_i{index}" for index in range(size)])
            return sa.select(table.c.id, *(table.c[name] for name in names)).where(these)

        compiled = _compiled(snapshot, ("stored", object_name, tuple(names), len(wanted)), statement)
        params = {f"_i{index}": one for index, one in enumerate(wanted)}
        for one, *values in connection.rows(compiled.sql, compiled.bind(params)):
            found[one] = tuple(load(value) for load, value in zip(loads, values, strict=True))
    return found


def _compiled(snapshot: Snapshot, key: object, statement: Callable[[], sa.Executable]) -> Compiled:
    if key not in snapshot.cache:
        snapshot.cache[key] = compile_sql(statement(), snapshot.dialect)
    compiled: Compiled = snapshot.cache[key]
    return compiled
