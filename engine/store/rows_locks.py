"""Records that stay as they are while an approval runs: asked around every statement that writes records (rows.py).

A lock is on one record, and covers what belongs to it, at every depth, and the deletion of all of that. Objects that no
approval can lock are not looked at. On PostgreSQL whoever locks takes the record's row first, and so does whoever
writes it, or what belongs to it, before they look for the last time: one waits for the other and sees what it did.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import system_approvals, types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.lasting import names_of_kept
from engine.store.query_conditions import in_list, padded
from engine.store.references import pointed
from engine.store.rows_asked import hold_asked
from engine.store.system_locks import lock, locked_object
from metadata.model import EVERY, Field
from metadata.processes import ADMIN_PERMISSION, APPROVAL_STATUS

__all__ = [
    "CONCERNED",
    "Above",
    "Exemption",
    "Lock",
    "above_of",
    "check",
    "concerns",
    "guarded",
    "hold",
    "locks_on",
    "note_override",
]

CONCERNED = "locked objects"  # in a snapshot's cache
CHUNK = 500
DEPTH = 20  # masters of masters
ALWAYS = frozenset(("owner", APPROVAL_STATUS))
"""Who owns a record is no part of what is approved; the status is the engine's."""

Changes = Mapping[str, Mapping[str, Any]]
Place = tuple[str, str]  # (object, id)


@dataclass(frozen=True, slots=True)
class Lock:
    """On one record. `exempt`: fields that may be written all the same; a field of lines stands for all of these."""

    record: str
    object: str
    instance: str
    approval: str
    exempt: frozenset[str]
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Exemption:
    """What an instance itself writes: only `fields`, if they are given."""

    instance: str
    fields: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Above:
    """A record that another one belongs to, by which field of lines; "" where there is none."""

    object: str
    id: str
    via: str = ""


def concerns(snapshot: Snapshot, connection: Connection, object_name: str) -> bool:
    """Whether records of the object can be locked, or belong to one that can."""
    return object_name in _concerned(snapshot, connection)


def _concerned(snapshot: Snapshot, connection: Connection) -> frozenset[str]:
    if CONCERNED not in snapshot.cache:
        tables = snapshot.physical.names.objects
        ever = {tables.get(table, "") for table in connection.sa.scalars(sa.select(locked_object.c.object))}
        now = {one.object for one in snapshot.definitions.processes.approvals.values() if one.lock == "record"}
        snapshot.cache[CONCERNED] = _with_lines(snapshot, (ever | now) & snapshot.definitions.objects.keys())
    found: frozenset[str] = snapshot.cache[CONCERNED]
    return found


def _with_lines(snapshot: Snapshot, roots: Iterable[str]) -> frozenset[str]:
    found = set(roots)
    if not found:
        return frozenset()
    masters = {name: definition.masters for name, definition in snapshot.definitions.objects.items()}
    while new := {
        name for name, fields in masters.items()
        if name not in found and any(field.refers_to(one) for field in fields for one in found)
    }:  # fmt: skip
        found |= new
    return frozenset(found)


def guarded(
    ctx: Context, connection: Connection, object_name: str, changes: Changes, is_new: bool,
    inner: AbstractContextManager[None],
) -> AbstractContextManager[None]:  # fmt: skip
    """Around one statement that writes these records, outside of `inner`. Raises Locked, as a rule before it."""
    if not is_new:
        hold_asked(ctx.snapshot, connection, object_name, changes)
    if not concerns(ctx.snapshot, connection, object_name):
        return inner
    return _guarded(ctx, connection, object_name, changes, is_new, inner)


@contextmanager
def _guarded(
    ctx: Context, connection: Connection, object_name: str, changes: Changes, is_new: bool,
    inner: AbstractContextManager[None],
) -> Iterator[None]:  # fmt: skip
    snapshot, masters = ctx.snapshot, _masters(ctx.snapshot, connection, object_name)
    is_moved = any(field.name in values for values in changes.values() for field in masters)
    parents: dict[Place, list[Above]] = {}
    if masters:
        if not is_new:
            _read(snapshot, connection, object_name, list(changes), parents, takes_rows=is_moved)
        _note(snapshot, object_name, masters, changes, parents)
        _climb(snapshot, connection, parents)
        _keep(snapshot, connection, parents)
    told: set[tuple[str, str]] = set()  # overrides that are noted
    _check(ctx, connection, object_name, changes, is_new, parents, told)
    with inner:
        yield
    if connection.dialect == "sqlite":  # has one writer
        return
    if masters and not is_new and not is_moved:
        after: dict[Place, list[Above]] = {}  # somebody may have moved them while this waited for their rows
        _read(snapshot, connection, object_name, list(changes), after)
        if any(parents.get(place) != above for place, above in after.items()):
            _climb(snapshot, connection, after)
            _keep(snapshot, connection, after)
            for place, found in after.items():
                parents.setdefault(place, []).extend(found)
    _check(ctx, connection, object_name, changes, is_new, parents, told)


def check(ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]) -> None:
    """Raises Locked where one of these records, or what it belongs to, must stay wholly as it is."""
    if ids and concerns(ctx.snapshot, connection, object_name):
        with _guarded(ctx, connection, object_name, {one: {"": None} for one in ids}, False, _nothing()):
            pass


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _check(
    ctx: Context, connection: Connection, object_name: str, changes: Changes, is_new: bool,
    parents: Mapping[Place, Sequence[Above]], told: set[tuple[str, str]],
) -> None:  # fmt: skip
    above = {one: _all_above((object_name, one), parents) for one in changes}
    wanted = {each.id for found in above.values() for each in found}
    if not is_new:
        wanted |= changes.keys()
    locks = locks_on(ctx.snapshot, connection, wanted)
    if not locks:
        return
    for record_id, values in changes.items():
        for here in (Above(object_name, record_id), *above[record_id]):
            for one in locks.get(here.id, ()):
                names = values.keys() if here.id == record_id else {here.via}
                if not values or values.keys() <= ALWAYS or _is_exempt(connection, one, names):
                    continue
                if not (ctx.override and ctx.scope.has(ADMIN_PERMISSION)):
                    # Its words stand above this module, which all that writes rows imports.
                    from engine.process.lock_words import refusal

                    raise refusal(ctx, connection, one, here.object)
                if (record_id, one.instance) not in told:
                    told.add((record_id, one.instance))
                    note_override(ctx, connection, one, (object_name, record_id), values)


def _is_exempt(connection: Connection, one: Lock, names: Iterable[str]) -> bool:
    free = set(one.exempt | ALWAYS)
    for exemption in connection.exempt:
        if exemption.instance == one.instance:
            if exemption.fields is None:
                return True
            free |= exemption.fields
    return set(names) <= free


def note_override(
    ctx: Context, connection: Connection, one: Lock, written: Place, values: Mapping[str, Any]
) -> None:  # fmt: skip
    """An administrator of processes who says why may write what is locked: the audit log tells."""
    details = {
        "instance": one.instance, "approval": one.approval, "locked": one.record, "reason": ctx.override,
        "fields": sorted(name for name in values if name),
    }  # fmt: skip
    note(
        connection, "record.override", actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name=written[0],
        record=written[1], details=details,
    )  # fmt: skip


def locks_on(snapshot: Snapshot, connection: Connection, ids: Iterable[str]) -> dict[str, list[Lock]]:
    """Record -> its locks."""
    found: dict[str, list[Lock]] = {}
    wanted = sorted(ids)
    tables = snapshot.physical.names.objects
    for start in range(0, len(wanted), CHUNK):
        piece = padded(wanted[start : start + CHUNK])
        key = ("locks", len(piece))
        if key not in snapshot.cache:
            among = in_list(lock.c.record, [f"_i{index}" for index in range(len(piece))])
            c, of = lock.c, system_approvals.approval.c
            name = sa.func.coalesce(of.approval, c.approval, type_=types.Text())
            chosen = sa.select(c.record, c.object, c.instance, name, c.exempt, c.at, c.by).where(among)
            chosen = chosen.select_from(lock.outerjoin(system_approvals.approval, of.id == c.instance))
            snapshot.cache[key] = compile_sql(chosen.order_by(c.record, c.instance), snapshot.dialect)
        compiled: Compiled = snapshot.cache[key]
        load = types.DateTime().loader(snapshot.dialect)
        params = {f"_i{index}": one for index, one in enumerate(piece)}
        for record, table, instance, approval, exempt, at, by in connection.rows(compiled.sql, compiled.bind(params)):
            of_object = tables.get(table, "")
            called = names_of_kept(snapshot, of_object) if of_object in snapshot.definitions.objects else {}
            free = frozenset(called.get(one, one) for one in orjson.loads(exempt))
            found.setdefault(record, []).append(
                Lock(
                    record, of_object, instance, approval, free,
                    load(at) if load is not None else at, by or "",
                )
            )  # fmt: skip
    return found


def hold(snapshot: Snapshot, connection: Connection, object_name: str, record_id: str) -> bool:
    """Keep others from writing a living record, and what belongs to it, until the transaction ends; whether it is."""
    hold_asked(snapshot, connection, object_name, [record_id])
    table = snapshot.physical.table(object_name)
    wanted = sa.select(table.c.id).where(table.c.id == record_id, table.c.deleted_at.is_(None))
    if connection.dialect == "postgresql":
        wanted = wanted.with_for_update()  # not FOR NO KEY UPDATE: who adds lines takes FOR KEY SHARE
    return connection.sa.execute(wanted).first() is not None


def above_of(
    snapshot: Snapshot, connection: Connection, object_name: str, ids: Sequence[str]
) -> dict[str, list[Above]]:  # fmt: skip
    """Record -> all that it belongs to, and what those belong to."""
    parents: dict[Place, list[Above]] = {}
    if _masters(snapshot, connection, object_name):
        _read(snapshot, connection, object_name, ids, parents)
        _climb(snapshot, connection, parents)
    return {one: _all_above((object_name, one), parents) for one in ids}


def _masters(snapshot: Snapshot, connection: Connection, object_name: str) -> tuple[Field, ...]:
    """The references to masters that can be locked, or belong to what can."""
    concerned = _concerned(snapshot, connection)
    return tuple(
        field for field in snapshot.definitions.objects[object_name].masters
        if EVERY in field.targets or any(one in concerned for one in (field.target, *field.targets))
    )  # fmt: skip


def _lines_field(snapshot: Snapshot, master: str, child: str, by: str) -> str:
    for field in snapshot.definitions.objects[master].fields.values():
        if field.source == "lines" and (field.of, field.by) == (child, by):
            return field.name
    return ""


def _note(
    snapshot: Snapshot, object_name: str, masters: Sequence[Field], rows: Changes, parents: dict[Place, list[Above]]
) -> None:
    """What these records belong to, by the values in `rows`."""
    for record_id, values in rows.items():
        found = parents.setdefault((object_name, record_id), [])
        for field in masters:
            for target, one in pointed(field, values.get(field.name)):
                if target in snapshot.definitions.objects:
                    above = Above(target, one, _lines_field(snapshot, target, object_name, field.name))
                    if above not in found:
                        found.append(above)


def _read(
    snapshot: Snapshot, connection: Connection, object_name: str, ids: Sequence[str],
    parents: dict[Place, list[Above]], takes_rows: bool = False,
) -> None:  # fmt: skip
    """What they belong to as they are stored, in the trash or not."""
    masters = _masters(snapshot, connection, object_name)
    table = snapshot.physical.table(object_name)
    for start in range(0, len(ids), CHUNK):
        piece = sorted(ids[start : start + CHUNK])
        wanted = sa.select(table.c.id, *(table.c[field.name] for field in masters)).where(table.c.id.in_(piece))
        if takes_rows and connection.dialect == "postgresql":
            wanted = wanted.order_by(table.c.id).with_for_update(key_share=True)
        stored = {
            row[0]: {field.name: value for field, value in zip(masters, row[1:], strict=True)}
            for row in connection.sa.execute(wanted)
        }
        _note(snapshot, object_name, masters, stored, parents)


def _climb(snapshot: Snapshot, connection: Connection, parents: dict[Place, list[Above]]) -> None:
    """Read upwards until nothing belongs to anything."""
    for _ in range(DEPTH):
        missing: dict[str, set[str]] = {}
        for found in parents.values():
            for one in found:
                if (one.object, one.id) not in parents and _masters(snapshot, connection, one.object):
                    missing.setdefault(one.object, set()).add(one.id)
        if not missing:
            return
        for name, ids in missing.items():
            _read(snapshot, connection, name, sorted(ids), parents)
            for one_id in ids:
                parents.setdefault((name, one_id), [])


def _all_above(place: Place, parents: Mapping[Place, Sequence[Above]]) -> list[Above]:
    found: dict[Above, None] = {}
    waiting = list(parents.get(place, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = None
            waiting += parents.get((one.object, one.id), ())
    return list(found)


def _keep(snapshot: Snapshot, connection: Connection, parents: Mapping[Place, Sequence[Above]]) -> None:
    """Whoever wants to lock one of the masters waits until this transaction ends; who writes or refers to them does
    not."""
    if connection.dialect != "postgresql":
        return
    by_object: dict[str, set[str]] = {}
    for found in parents.values():
        for one in found:
            by_object.setdefault(one.object, set()).add(one.id)
    for name in sorted(by_object):
        table, ids = snapshot.physical.table(name), sorted(by_object[name])
        for start in range(0, len(ids), CHUNK):
            wanted = sa.select(table.c.id).where(table.c.id.in_(ids[start : start + CHUNK])).order_by(table.c.id)
            connection.sa.execute(wanted.with_for_update(read=True, key_share=True)).all()
