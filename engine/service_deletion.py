"""Delete a record with all that hangs on it, and bring it all back. Nothing is removed from the tables.

References to a deleted record say what becomes of theirs: `cascade` deletes them too, `restrict` refuses, `set_null`
makes the reference blank. These follow from the definitions, not from what the person may do to the other records.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.access.scope import Scope
from engine.context import Context
from engine.errors import Conflict, InputProblem, NotFound
from engine.rules import rollups
from engine.rules.uniqueness import as_conflicts
from engine.service_writes import TRIES, always_changing, answer, may_not, need, not_found, stale
from engine.snapshot import Snapshot
from engine.store import rows, rows_deletion, rows_history
from engine.store.database import Connection
from engine.store.rows_deletion import Taken
from metadata.model import SYSTEM_FIELDS, Field

__all__ = ["delete", "delete_in", "restore", "restore_in"]

MOST = 10_000  # records that one deletion may take along

NO_CHANGES: dict[str, tuple[Any, Any]] = {}

Json = dict[str, Any]


@dataclass(slots=True)
class Closure:
    """All that goes with a record."""

    deleted: dict[str, dict[str, None]] = field(default_factory=dict)  # object -> ids, in the order found
    blanked: list[tuple[str, Field, str, str]] = field(default_factory=list)  # (object, reference, id, old value)
    held: list[tuple[str, Field, str]] = field(default_factory=list)  # what `restrict` protects: refused unless deleted

    @property
    def size(self) -> int:
        return sum(map(len, self.deleted.values())) + len(self.blanked)

    def has(self, object_name: str, record_id: str) -> bool:
        return record_id in self.deleted.get(object_name, ())


def delete(ctx: Context, object_name: str, record_id: str, if_version: int | None) -> None:
    need(ctx.scope, "delete", object_name)
    with ctx.writing() as connection:
        delete_in(ctx, connection, object_name, record_id, if_version)


def delete_in(ctx: Context, connection: Connection, object_name: str, record_id: str, if_version: int | None) -> None:
    need(ctx.scope, "delete", object_name)
    for _ in range(TRIES):
        current = rows.current(ctx, connection, object_name, record_id, "delete")
        if current is None:
            raise not_found(object_name, record_id)
        if not current.is_allowed:
            raise may_not("delete", object_name)
        if if_version is not None and current.version != if_version:
            raise stale(current.version, if_version)
        # Marked first: whoever makes a record refer to this one waits, and then finds it gone.
        marked = {"deleted_at": ctx.now}
        written = rows.change(ctx, connection, object_name, record_id, current.version, marked, "delete")
        if written is not None:  # else somebody was faster: look again
            break
    else:
        raise always_changing()
    closure = _closure(ctx.snapshot, connection, object_name, record_id)
    _check_held(ctx.scope, closure, object_name)
    versions = {record_id: written.record["version"]}
    closure.deleted[object_name].pop(record_id)
    _carry_out(ctx, connection, closure, versions)
    taken = [Taken(object_name, record_id)]
    taken += [Taken(name, one) for name, ids in closure.deleted.items() for one in ids]
    blanked = [Taken(name, one, reference.name, old) for name, reference, one, old in closure.blanked]
    rows_deletion.write(ctx, connection, record_id, taken + blanked)
    for name in dict.fromkeys(one.object for one in taken):
        rollups.after_change(connection, ctx.snapshot, name, [one.record for one in taken if one.object == name])
        entries = [(one.record, versions[one.record], "delete", NO_CHANGES) for one in taken if one.object == name]
        rows_history.write(ctx, connection, name, entries)


def _closure(snapshot: Snapshot, connection: Connection, object_name: str, record_id: str) -> Closure:
    closure = Closure({object_name: {record_id: None}})
    fresh: dict[str, list[str]] = {object_name: [record_id]}
    while fresh:
        found: dict[str, list[str]] = {}
        for target, ids in fresh.items():
            for name, reference in referring(snapshot, target):
                for one, old in rows_deletion.referrers(connection, snapshot, name, reference.name, ids, MOST + 1):
                    if closure.has(name, one):
                        continue
                    if reference.on_delete == "cascade":
                        closure.deleted.setdefault(name, {})[one] = None
                        found.setdefault(name, []).append(one)
                    elif reference.on_delete == "restrict" or reference.is_required:
                        closure.held.append((name, reference, one))
                    else:
                        closure.blanked.append((name, reference, one, old))
                    if closure.size > MOST:
                        raise Conflict(
                            f"more than {MOST:,} records would be deleted or changed with this one",
                            code="delete.limit", fix="delete the records that refer to it first",
                        )  # fmt: skip
        fresh = found
    closure.blanked = [entry for entry in closure.blanked if not closure.has(entry[0], entry[2])]
    closure.held = [entry for entry in closure.held if not closure.has(entry[0], entry[2])]
    return closure


def referring(snapshot: Snapshot, target: str) -> tuple[tuple[str, Field], ...]:
    """(object, reference) of all fields that refer to an object. Who created or changed a record holds nobody."""
    key = ("referring", target)
    if key not in snapshot.cache:
        snapshot.cache[key] = tuple(_references(snapshot, target))
    found: tuple[tuple[str, Field], ...] = snapshot.cache[key]
    return found


def _references(snapshot: Snapshot, target: str) -> Iterator[tuple[str, Field]]:
    for name, definition in snapshot.definitions.objects.items():
        for one in (*definition.fields.values(), SYSTEM_FIELDS["owner"]):
            if one.target == target:
                yield name, one


def _check_held(scope: Scope, closure: Closure, object_name: str) -> None:
    if any(not scope.can("read", name) for name, _, _ in closure.held):
        message = f"this {object_name} is referred to by records that you may not see"
        raise Conflict(message, code="delete.restricted", fix="ask an administrator")
    if closure.held:
        counts: dict[tuple[str, str], int] = {}
        for name, reference, _ in closure.held:
            counts[name, reference.name] = counts.get((name, reference.name), 0) + 1
        parts = [f"{count:,} {name} by '{reference}'" for (name, reference), count in counts.items()]
        message = f"this {object_name} is referred to by {' and '.join(parts)}"
        problems = [
            InputProblem(
                "", "delete.restricted", message, values=(("object", name), ("field", reference), ("count", count))
            )
            for (name, reference), count in counts.items()
        ]
        raise Conflict(message, code="delete.restricted", fix="change or delete those first", problems=problems)


def _carry_out(ctx: Context, connection: Connection, closure: Closure, versions: dict[str, int]) -> None:
    """Marks as deleted, makes references blank; `versions` takes up the new versions of what was deleted."""
    for name, ids in closure.deleted.items():
        versions.update(rows.change_many(ctx, connection, name, list(ids), {"deleted_at": ctx.now}))
    by_field: dict[tuple[str, str], dict[str, str]] = {}
    for name, reference, one, old in closure.blanked:
        by_field.setdefault((name, reference.name), {})[one] = old
    for (name, reference_name), olds in by_field.items():
        changed = rows.change_many(ctx, connection, name, list(olds), {reference_name: None})
        entries = [(one, version, "update", {reference_name: (olds[one], None)}) for one, version in changed.items()]
        rows_history.write(ctx, connection, name, entries)
    for (name, reference_name), olds in by_field.items():
        former = {reference_name: olds.values()}
        rollups.after_change(connection, ctx.snapshot, name, list(olds), [reference_name], former)


def restore(ctx: Context, object_name: str, record_id: str) -> Json:
    need(ctx.scope, "delete", object_name)
    with ctx.writing() as connection:
        return restore_in(ctx, connection, object_name, record_id)


def restore_in(ctx: Context, connection: Connection, object_name: str, record_id: str) -> Json:
    need(ctx.scope, "delete", object_name)
    current = rows.current(ctx, connection, object_name, record_id, "delete", in_trash=True)
    if current is None:
        raise _not_in_trash(ctx, connection, object_name, record_id)
    if not current.is_allowed:
        raise may_not("restore", object_name)
    root = rows_deletion.root_of(connection, ctx.snapshot, record_id)
    if root is not None and root != record_id:
        raise Conflict(
            f"this {object_name} was deleted together with another record", code="restore.together",
            fix="restore that record: this one comes back with it",
        )  # fmt: skip
    # Taken out of the trash first: of several who restore it at once, the others find it alive.
    with as_conflicts(ctx.snapshot, object_name):
        written = rows.change(ctx, connection, object_name, record_id, current.version, {"deleted_at": None}, "delete")
    if written is None:
        raise _not_in_trash(ctx, connection, object_name, record_id)
    entry = (record_id, int(written.record["version"]), "restore", NO_CHANGES)
    rows_history.write(ctx, connection, object_name, [entry])
    taken = rows_deletion.read(connection, ctx.snapshot, record_id) or [Taken(object_name, record_id)]
    deleted: dict[str, list[str]] = {}
    for one in taken:
        if not one.field:
            deleted.setdefault(one.object, []).append(one.record)
    for name, ids in deleted.items():
        others = [one for one in ids if one != record_id]
        if not others:
            continue
        with _untold(ctx.scope, name), as_conflicts(ctx.snapshot, name):
            versions = rows.change_many(ctx, connection, name, others, {"deleted_at": None})
        rows_history.write(ctx, connection, name, [(one, at, "restore", NO_CHANGES) for one, at in versions.items()])
    for name, ids in deleted.items():
        with _untold(ctx.scope, name):
            _mend_references(ctx, connection, name, ids)
    _refill(ctx, connection, [one for one in taken if one.field])
    for name, ids in deleted.items():
        rollups.after_change(connection, ctx.snapshot, name, ids)
    rows_deletion.forget(connection, ctx.snapshot, record_id)
    found = rows.current(ctx, connection, object_name, record_id, "delete")
    if found is None:  # what its row rule depends on has gone
        return {"id": record_id, "version": current.version + 1}
    return answer(ctx, connection, object_name, found.record(), is_visible=True)


@contextmanager
def _untold(scope: Scope, object_name: str) -> Iterator[None]:
    """A conflict at records that this person may not know of says nothing of them."""
    try:
        yield
    except Conflict as conflict:
        if scope.can("read", object_name):
            raise
        message = "what was deleted together with this record cannot come back"
        raise Conflict(message, code="restore.hidden", fix="ask an administrator") from conflict


def _not_in_trash(ctx: Context, connection: Connection, object_name: str, record_id: str) -> Conflict | NotFound:
    if rows.current(ctx, connection, object_name, record_id, "delete") is None:
        return not_found(object_name, record_id)
    return Conflict(f"this {object_name} is not deleted", code="restore.living", fix="load it again")


def _mend_references(ctx: Context, connection: Connection, object_name: str, ids: list[str]) -> None:
    """What restored records refer to may be deleted by now: then the reference is blank, or the restoring refused."""
    definition = ctx.snapshot.definitions.objects[object_name]
    references = [one for one in definition.fields.values() if one.target]
    values = rows_deletion.stored(connection, ctx.snapshot, object_name, [one.name for one in references], ids)
    for place, reference in enumerate(references):
        targets = sorted({row[place] for row in values.values() if row[place] is not None})
        gone = set(targets) - rows_deletion.living(connection, ctx.snapshot, reference.target, targets)
        holders = {one: row[place] for one, row in values.items() if row[place] in gone}
        if not holders:
            continue
        if reference.is_required or reference.on_delete != "set_null":
            message = f"the {reference.target} that '{reference.name}' refers to is deleted"
            problem = InputProblem(reference.name, "restore.reference", message, "restore that one first")
            raise Conflict(message, code=problem.code, fix=problem.fix, problems=[problem])
        versions = rows.change_many(ctx, connection, object_name, list(holders), {reference.name: None})
        former = {reference.name: holders.values()}
        rollups.after_change(connection, ctx.snapshot, object_name, list(holders), [reference.name], former)
        entries = [(one, at, "update", {reference.name: (holders[one], None)}) for one, at in versions.items()]
        rows_history.write(ctx, connection, object_name, entries)


def _refill(ctx: Context, connection: Connection, taken: list[Taken]) -> None:
    """References that the deletion made blank, where they are still blank and their record lives."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in taken:
        groups.setdefault((one.object, one.field, one.old_value or ""), []).append(one.record)
    for (name, reference, old), ids in groups.items():
        alive = rows_deletion.living(connection, ctx.snapshot, name, ids)
        values = rows_deletion.stored(connection, ctx.snapshot, name, [reference], sorted(alive))
        blank = [one for one, row in values.items() if row[0] is None]
        if not blank:
            continue
        with as_conflicts(ctx.snapshot, name):
            versions = rows.change_many(ctx, connection, name, blank, {reference: old})
        rollups.after_change(connection, ctx.snapshot, name, blank, [reference])
        entries = [(one, at, "update", {reference: (None, old)}) for one, at in versions.items()]
        rows_history.write(ctx, connection, name, entries)
