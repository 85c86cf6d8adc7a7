"""Records that are kept as they are while an approval runs: on every path, with their lines and from deletion.

Where it is asked: engine/store/rows_locks.py, around all statements that write records.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.process.lock_words import label_of, refusal
from engine.service_rows import not_found
from engine.store import rows_locks, system_approvals
from engine.store.database import Connection
from engine.store.lasting import kept_names
from engine.store.rows_locks import Exemption, above_of, check, concerns, hold, locks_on
from engine.store.system_locks import lock as table
from engine.store.system_locks import locked_object
from metadata.processes import ADMIN_PERMISSION, APPROVAL_STATUS

__all__ = ["LockInfo", "check", "check_running", "exempted", "is_holding", "is_locked", "lock", "locked_by", "unlock"]


@dataclass(frozen=True, slots=True)
class LockInfo:
    """What keeps a record as it is. `record`: itself, or what it belongs to."""

    instance: str
    approval: str
    label: str  # of the approval, in the person's language
    since: datetime
    by: str  # the user who submitted it
    record: str
    exempt: frozenset[str]  # fields that may be written all the same


def lock(
    ctx: Context, connection: Connection, object_name: str, record_id: str, instance: str, exempt: Sequence[str] = (),
    approval: str = "",
) -> None:  # fmt: skip
    """For an instance of an approval; `exempt`: fields that may be written all the same. Takes the record's row, which
    nobody changes then before the transaction ends: what is kept of it is read after this. Raises NotFound."""
    if not hold(ctx.snapshot, connection, object_name, record_id):
        raise not_found(object_name, record_id)
    name = ctx.snapshot.physical.names.tables[object_name]
    if not concerns(ctx.snapshot, connection, object_name) or not _is_known(connection, name):
        _remember(ctx, connection, name)
    connection.sa.execute(sa.delete(table).where(table.c.record == record_id, table.c.instance == instance))
    kept = kept_names(ctx.snapshot, object_name)
    free = orjson.dumps(sorted(kept.get(one, one) for one in exempt)).decode()
    row = {
        "record": record_id, "instance": instance, "object": name, "approval": approval,
        "exempt": free, "at": ctx.now, "by": ctx.actor.id or None,
    }  # fmt: skip
    connection.sa.execute(sa.insert(table).values(row))


def _is_known(connection: Connection, name: str) -> bool:
    return connection.sa.scalar(sa.select(locked_object.c.object).where(locked_object.c.object == name)) is not None


def _remember(ctx: Context, connection: Connection, name: str) -> None:
    """Its writes look for locks from now on, whatever later definitions say."""
    sql = "INSERT INTO fs_locked_object (object) VALUES ({}) ON CONFLICT DO NOTHING"
    connection.run(sql.format("?" if connection.dialect == "sqlite" else "%s"), (name,))
    ctx.snapshot.cache.pop(rows_locks.CONCERNED, None)


def unlock(ctx: Context, connection: Connection, instance: str) -> None:
    """What the instance locked. Nothing where there is no lock."""
    connection.sa.execute(sa.delete(table).where(table.c.instance == instance))


def is_holding(connection: Connection, instance: str) -> bool:
    """Whether the instance has locked anything."""
    return connection.sa.scalar(sa.select(table.c.instance).where(table.c.instance == instance).limit(1)) is not None


def check_running(ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]) -> None:
    """Raises Locked where an approval that locks nothing runs on one of these, which are about to go."""
    if APPROVAL_STATUS not in ctx.snapshot.definitions.objects[object_name].fields:
        return
    c = system_approvals.approval.c
    own = [one.instance for one in connection.exempt if one.instance and one.fields is None]
    is_locked_itself = sa.exists().where(table.c.instance == c.id)  # of which locks speak themselves
    for start in range(0, len(ids), rows_locks.CHUNK):
        among = c.record.in_(ids[start : start + rows_locks.CHUNK])
        wanted = sa.select(c.record, c.id, c.approval, c.started_at, c.submitter).order_by(c.id)
        wanted = wanted.where(among, c.state.in_(("RUNNING", "SUSPENDED")), c.id.not_in(own), ~is_locked_itself)
        for row in connection.sa.execute(wanted):
            by = row.submitter or ""
            held = rows_locks.Lock(row.record, object_name, row.id, row.approval, frozenset(), row.started_at, by)
            if not (ctx.override and ctx.scope.has(ADMIN_PERMISSION)):
                raise refusal(ctx, connection, held, object_name)
            rows_locks.note_override(ctx, connection, held, (object_name, row.record), {"deleted_at": ctx.now})


@contextmanager
def exempted(connection: Connection, instance: str, fields: Sequence[str] | None = None) -> Iterator[None]:
    """What is written inside, on this connection, may change what `instance` locked: only `fields` if given, where a
    field of lines stands for all of these."""
    before = connection.exempt
    connection.exempt = (*before, Exemption(instance, None if fields is None else frozenset(fields)))
    try:
        yield
    finally:
        connection.exempt = before


def is_locked(ctx: Context, connection: Connection, object_name: str, record_id: str) -> bool:
    """Whether an approval keeps the record, or what it belongs to, as it is."""
    return bool(_found(ctx, connection, object_name, [record_id]))


def locked_by(ctx: Context, object_name: str, ids: Sequence[str]) -> dict[str, LockInfo]:
    """Record -> the first lock on it, or on what it belongs to; those without are left out. One statement where the
    object belongs to nothing."""
    with ctx.tenant.database.read() as connection:
        found = _found(ctx, connection, object_name, ids)
    return {
        one: LockInfo(held.instance, held.approval, label_of(ctx, held.approval), held.at, held.by, held.record,
                      held.exempt if held.record == one else frozenset())
        for one, held in found.items()
    }  # fmt: skip


def _found(
    ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]
) -> dict[str, rows_locks.Lock]:  # fmt: skip
    if not ids or not concerns(ctx.snapshot, connection, object_name):
        return {}
    above = above_of(ctx.snapshot, connection, object_name, ids)
    locks = locks_on(ctx.snapshot, connection, {*ids, *(each.id for found in above.values() for each in found)})
    found: dict[str, rows_locks.Lock] = {}
    for one in ids:
        for record in (one, *(each.id for each in above[one])):
            if record in locks:
                found.setdefault(one, locks[record][0])
    return found
