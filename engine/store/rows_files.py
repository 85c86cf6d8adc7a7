"""What was uploaded, and which records hold it: fs_file and fs_file_use.

Uses are written with each change of a record, in its transaction. They name tables and columns by their physical names.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import system, types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import Builder
from engine.store.query_conditions import in_list, padded
from engine.store.system_locks import change_request

__all__ = [
    "StoredFile", "add", "attaching", "attachments", "find", "forget", "held", "note", "of_person", "places",
    "readable", "unused",
]  # fmt: skip

CHUNK = 500
FILE, USE = system.file.c, system.file_use.c
IS_HELD = sa.exists().where(USE.file == FILE.id)
REQUEST = change_request.c
WAITS = sa.exists().where(  # in what was entered, or in what approvers changed of it
    REQUEST.state.in_(("waiting", "conflict")),
    sa.or_(*(one.contains(sa.cast(FILE.id, sa.Text())) for one in (REQUEST["values"], REQUEST.draft))),
)
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A row of fs_file."""

    id: str
    hash: str
    name: str
    type: str
    size: int
    created_at: datetime
    created_by: str  # a user's id; "" is the system

    def view(self) -> dict[str, Any]:
        """As values and answers hold it."""
        return {"id": self.id, "name": self.name, "type": self.type, "size": self.size}


def attachments(snapshot: Snapshot, object_name: str) -> Mapping[str, Callable[[Any], Sequence[str]]]:
    """Field -> what gives the ids of the files in its stored value; {} for most objects."""
    key = ("attachments", object_name)
    if key not in snapshot.cache:
        found: dict[str, Callable[[Any], Sequence[str]]] = {}
        for name, field in snapshot.definitions.objects[object_name].fields.items():
            attaches = snapshot.plugins.fields[field.type].attaches
            if attaches is not None:
                found[name] = attaches
        snapshot.cache[key] = found
    known: Mapping[str, Callable[[Any], Sequence[str]]] = snapshot.cache[key]
    return known


def attaching(snapshot: Snapshot) -> Mapping[str, str]:
    """Table -> object, of the objects that have such fields."""
    if "attaching" not in snapshot.cache:
        tables = snapshot.physical.names.tables
        objects = snapshot.definitions.objects
        snapshot.cache["attaching"] = {tables[name]: name for name in objects if attachments(snapshot, name)}
    found: Mapping[str, str] = snapshot.cache["attaching"]
    return found


def add(connection: Connection, snapshot: Snapshot, file: StoredFile) -> None:
    compiled = _compiled(snapshot, "file insert", partial(_insert, system.file))
    connection.run(compiled.sql, compiled.bind({
        "_id": file.id, "_hash": file.hash, "_name": file.name, "_type": file.type, "_size": file.size,
        "_created_at": file.created_at, "_created_by": file.created_by or None,
    }))  # fmt: skip


def find(connection: Connection, snapshot: Snapshot, ids: Iterable[str]) -> dict[str, StoredFile]:
    load: Any = types.DateTime().loader(snapshot.dialect) or (lambda moment: moment)
    found: dict[str, StoredFile] = {}
    for wanted in _pieces(ids):
        compiled = _compiled(snapshot, ("file find", len(wanted)), partial(_find_sql, len(wanted)))
        for key, hash_, name, kind, size, at, by in connection.rows(compiled.sql, compiled.bind(_named(wanted))):
            found[key] = StoredFile(key, hash_, name, kind, size, load(at), by or "")
    return found


def _find_sql(size: int) -> sa.Select[Any]:
    columns = (FILE.id, FILE.hash, FILE.name, FILE.type, FILE.size, FILE.created_at, FILE.created_by)
    return sa.select(*columns).where(_among(FILE.id, size))


def places(connection: Connection, snapshot: Snapshot, ids: Iterable[str]) -> dict[str, set[str]]:
    """File -> the tables of the records that hold it, deleted ones too."""
    found: dict[str, set[str]] = {}
    for wanted in _pieces(ids):
        compiled = _compiled(snapshot, ("file places", len(wanted)), partial(_places_sql, len(wanted)))
        for file, table in connection.rows(compiled.sql, compiled.bind(_named(wanted))):
            found.setdefault(file, set()).add(table)
    return found


def _places_sql(size: int) -> sa.Select[Any]:
    return sa.select(USE.file, USE.object).where(_among(USE.file, size)).distinct()


def readable(ctx: Context, connection: Connection, object_name: str, ids: Iterable[str]) -> set[str]:
    """Those of these files that a living record of the object holds, in a field and a record that the Scope reads."""
    connection.need(ctx.tenant.database)
    seen = ctx.scope.readable(object_name)
    fields = [name for name in attachments(ctx.snapshot, object_name) if name in seen and not seen[name].is_masked]
    if not fields:
        return set()
    found: set[str] = set()
    for wanted in _pieces(ids):
        key = ("file readable", ctx.scope.key, object_name, len(wanted))
        compiled = _compiled(ctx.snapshot, key, partial(_readable_sql, ctx, object_name, fields, len(wanted)))
        params = {**actor_params(ctx), **_named(wanted)}
        found.update(row[0] for row in connection.rows(compiled.sql, compiled.bind(params)))
    return found


def _readable_sql(ctx: Context, object_name: str, fields: Sequence[str], size: int) -> sa.Select[Any]:
    names = ctx.snapshot.physical.names
    builder = Builder(ctx.snapshot, ctx.scope, object_name)
    visible = builder.visible(in_trash=False)
    columns = [names.columns[object_name][name] for name in fields]
    uses = builder.joins.source.join(system.file_use, USE.record == builder.joins.root.c.id)
    where = [USE.object == names.tables[object_name], USE.field.in_(columns), _among(USE.file, size)]
    return sa.select(USE.file).select_from(uses).where(*visible, *where).distinct()


def note(
    ctx: Context, connection: Connection, object_name: str, rows: Sequence[tuple[str, Values]], *, is_new: bool = False
) -> None:
    """Which files these records hold now: (record, values that were written). Only of the fields among the values."""
    fields = attachments(ctx.snapshot, object_name)
    if not fields:
        return
    names = ctx.snapshot.physical.names
    table, columns = names.tables[object_name], names.columns[object_name]
    changed = [(record, columns[name], fields[name], values[name]) for record, values in rows for name in fields
               if name in values]  # fmt: skip
    if changed and not is_new:
        drop = _compiled(ctx.snapshot, "file use delete", _delete_use)
        connection.run_many(drop.sql, [drop.bind({"_record": r, "_field": column}) for r, column, _, _ in changed])
    keep = _compiled(ctx.snapshot, "file use insert", partial(_insert, system.file_use))
    uses = [
        keep.bind({"_file": file, "_record": record, "_field": column, "_object": table})
        for record, column, ids_of, value in changed
        if value is not None
        for file in ids_of(value)
    ]
    if uses:
        connection.run_many(keep.sql, uses)


def of_person(connection: Connection, user: str, since: datetime) -> tuple[int, int]:
    """(how many, bytes) of what this person uploaded since then and no record holds."""
    wanted = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(FILE.size), 0)).where(
        FILE.created_by == user, FILE.created_at > since, ~IS_HELD
    )
    count, size = connection.sa.execute(wanted).one()
    return int(count), int(size)


def unused(connection: Connection, before: datetime, limit: int) -> list[str]:
    """Ids of files that were uploaded before then and that no record holds; none can take them up until the end."""
    wanted = sa.select(FILE.id).where(FILE.created_at < before, ~IS_HELD, ~WAITS).order_by(FILE.id).limit(limit)
    if connection.dialect == "postgresql":
        wanted = wanted.with_for_update()
    return list(connection.sa.scalars(wanted))


def forget(connection: Connection, ids: Sequence[str]) -> int:
    """Removes the rows of these files, but of those that a record has taken up since they were looked for."""
    return connection.sa.execute(sa.delete(system.file).where(FILE.id.in_(ids), ~IS_HELD, ~WAITS)).rowcount


def held(connection: Connection, hashes: Sequence[str]) -> set[str]:
    """Those of these hashes that a file has."""
    return set(connection.sa.scalars(sa.select(FILE.hash).where(FILE.hash.in_(hashes)).distinct()))


def _insert(table: sa.Table) -> sa.Insert:
    return sa.insert(table).values({one: sa.bindparam(f"_{one.name}", type_=one.type) for one in table.c})


def _delete_use() -> sa.Delete:
    return sa.delete(system.file_use).where(
        USE.record == sa.bindparam("_record", type_=types.Id()), USE.field == sa.bindparam("_field", type_=types.Text())
    )


def _pieces(ids: Iterable[str]) -> Iterable[list[str]]:
    wanted = [one for one in dict.fromkeys(ids) if types.is_id(one)]
    return (padded(wanted[start : start + CHUNK]) for start in range(0, len(wanted), CHUNK))


def _among(column: sa.ColumnElement[Any], size: int) -> sa.ColumnElement[bool]:
    return in_list(column, [f"_i{index}" for index in range(size)])


def _named(wanted: Sequence[str]) -> dict[str, str]:
    return {f"_i{index}": one for index, one in enumerate(wanted)}


def _compiled(snapshot: Snapshot, key: object, statement: Callable[[], sa.Executable]) -> Compiled:
    if key not in snapshot.cache:
        snapshot.cache[key] = compile_sql(statement(), snapshot.dialect)
    compiled: Compiled = snapshot.cache[key]
    return compiled
