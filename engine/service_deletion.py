"""Delete a record with all that hangs on it. Nothing is removed from the tables: engine/service_restoring.py.

References to a deleted record say what becomes of theirs: `cascade` deletes them too, `restrict` refuses, `set_null`
makes the reference blank. These follow from the definitions, not from what the person may do to the other records.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.audit.log import note_changes
from engine.context import Context
from engine.errors import Conflict, InputProblem
from engine.process import locks, requests, unasked
from engine.process.automation import saves
from engine.process.automation.book import book_of
from engine.process.subject import records_of
from engine.process.unasked import by_system
from engine.rules import duplicates, rollups
from engine.rules.uniqueness import as_conflicts
from engine.rules.written import Written, owners_of
from engine.service_rows import TRIES, always_changing, follow, may_not, need, not_found, refuse, stale
from engine.snapshot import Snapshot
from engine.store import rows, rows_deletion, rows_history
from engine.store.database import Connection
from engine.store.query_paths import field_of
from engine.store.references import pointed, referring, replaced, written
from engine.store.rows import columns_of
from engine.store.rows_deletion import Taken
from metadata.model import Field

__all__ = ["NO_CHANGES", "change_references", "delete", "delete_in", "delete_lines"]

MOST = 10_000  # records that one deletion may take along

NO_CHANGES: dict[str, tuple[Any, Any]] = {}

Json = dict[str, Any]


@dataclass(slots=True)
class Closure:
    """All that goes with a record."""

    deleted: dict[str, dict[str, None]] = field(default_factory=dict)  # object -> ids, in the order found
    emptied: dict[tuple[str, str, str], tuple[Any, Any]] = field(default_factory=dict)
    """(object, reference, id) -> its value, and what is left of that"""
    held: list[tuple[str, Field, str]] = field(default_factory=list)  # what `restrict` protects: refused unless deleted

    def holding(self) -> set[tuple[str, str]]:
        """(object, reference) of these."""
        return {(name, reference.name) for name, reference, _ in self.held}

    @property
    def size(self) -> int:
        return sum(map(len, self.deleted.values())) + len(self.emptied)

    def has(self, object_name: str, record_id: str) -> bool:
        return record_id in self.deleted.get(object_name, ())


def delete(ctx: Context, object_name: str, record_id: str, if_version: int | None) -> None:
    need(ctx.scope, "delete", object_name)
    with ctx.writing() as connection:
        delete_in(ctx, connection, object_name, record_id, if_version)


def delete_in(
    ctx: Context, connection: Connection, object_name: str, record_id: str, if_version: int | None,
    within: Written | None = None,
) -> None:  # fmt: skip
    """`within`: of a write whose automations follow when all of it is there. Where an approval comes first, the record
    stays, and a request is in the Context."""

    def go() -> None:
        delete_asked(ctx, connection, object_name, record_id, if_version, within)

    if requests.intercept(ctx, connection, object_name, record_id, {}, "delete", go) is None:
        with by_system(ctx, connection, object_name, record_id, "delete"):
            go()


def delete_asked(
    ctx: Context, connection: Connection, object_name: str, record_id: str, if_version: int | None,
    within: Written | None = None,
) -> None:  # fmt: skip
    """The same without asking for an approval: there is none, or it has said yes."""
    need(ctx.scope, "delete", object_name)
    is_told = False
    for _ in range(TRIES):
        current = rows.current(ctx, connection, object_name, record_id, "delete")
        if current is None:
            raise not_found(object_name, record_id)
        if not current.is_allowed:
            raise may_not("delete", object_name)
        if if_version is not None and current.version != if_version:
            raise stale(current.version, if_version)
        if not is_told:
            _tell_taken(ctx, connection, object_name, record_id)
            is_told = True
        # Marked first: whoever makes a record refer to this one waits, and then finds it gone.
        marked = {"deleted_at": ctx.now}
        deleted = rows.change(ctx, connection, object_name, record_id, current.version, marked, "delete")
        if deleted is not None:  # else somebody was faster: look again
            break
    else:
        raise always_changing()
    closure = _closure(ctx.snapshot, connection, object_name, record_id)
    _check_held(ctx, connection, closure, object_name)
    for name, ids in closure.deleted.items():
        locks.check_running(ctx, connection, name, list(ids))
    held = _held(ctx, connection, closure, current.stored(columns_of(ctx.snapshot, object_name)))
    for name, values in held.items():
        saves.before_deletion(ctx, connection, name, values)
    versions = {record_id: deleted.record["version"]}
    closure.deleted[object_name].pop(record_id)
    _carry_out(ctx, connection, closure, versions)
    taken = [Taken(object_name, record_id)]
    taken += [Taken(name, one) for name, ids in closure.deleted.items() for one in ids]
    emptied = [Taken(name, one, reference, old) for (name, reference, one), (old, _) in closure.emptied.items()]
    rows_deletion.write(ctx, connection, record_id, taken + emptied)
    seen = Written()
    for name, values in held.items():
        seen.remove(ctx.snapshot, name, values)
    for name in dict.fromkeys(one.object for one in taken):
        gone = [one.record for one in taken if one.object == name]
        seen.touch(rollups.after_change(connection, ctx.snapshot, name, gone))
        seen.touch(owners_of(connection, ctx.snapshot, name, gone))
        entries = [(one.record, versions[one.record], "delete", NO_CHANGES) for one in taken if one.object == name]
        rows_history.write(ctx, connection, name, entries)
    refuse(seen.problems(ctx, connection))
    if within is None:
        follow(ctx, connection, seen)
    else:
        within.saved.update({name: {**within.saved.get(name, {}), **own} for name, own in seen.saved.items()})


def _tell_taken(ctx: Context, connection: Connection, object_name: str, record_id: str) -> None:
    """Approvals that come before the deletion of what goes with the record. They are asked while it is there still:
    conditions read it. Raises Conflict."""
    if any(
        one != object_name and requests.approvals_of(ctx, one, "delete") for one in ctx.snapshot.definitions.objects
    ):
        for name, ids in _closure(ctx.snapshot, connection, object_name, record_id).deleted.items():
            unasked.tell_gone(ctx, connection, name, [one for one in ids if one != record_id])


def _held(
    ctx: Context, connection: Connection, closure: Closure, root: Mapping[str, Any]
) -> dict[str, dict[str, Mapping[str, Any]]]:  # fmt: skip
    """What records with automations hold that go; the first of them is marked by now."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, ids in closure.deleted.items():
        if book_of(ctx.snapshot, name) is not None:
            found[name] = {**records_of(ctx, connection, name, list(ids))}
            if root["id"] in ids:
                found[name][str(root["id"])] = root
    return found


def _closure(snapshot: Snapshot, connection: Connection, object_name: str, record_id: str) -> Closure:
    closure = Closure({object_name: {record_id: None}})
    fresh: dict[str, list[str]] = {object_name: [record_id]}
    while fresh:
        found: dict[str, list[str]] = {}
        for target, ids in fresh.items():
            for name, reference in referring(snapshot, target):
                for one, old in rows_deletion.referrers(connection, snapshot, name, reference, target, ids, MOST + 1):
                    if closure.has(name, one):
                        continue
                    if reference.on_delete == "cascade":
                        closure.deleted.setdefault(name, {})[one] = None
                        found.setdefault(name, []).append(one)
                    elif reference.on_delete == "restrict" or (reference.is_required and not reference.refers_to_many):
                        closure.held.append((name, reference, one))
                    else:
                        closure.emptied[name, reference.name, one] = (old, None)
                    if closure.size > MOST:
                        raise Conflict(
                            f"more than {MOST:,} records would be deleted or changed with this one",
                            code="delete.limit", fix="delete the records that refer to it first",
                        )  # fmt: skip
        fresh = found
    closure.emptied = {place: pair for place, pair in closure.emptied.items() if not closure.has(place[0], place[2])}
    for (name, reference_name, one), (old, _) in closure.emptied.items():
        reference = field_of(snapshot, name, reference_name)
        gone = {written(reference, *place): None for place in pointed(reference, old) if closure.has(*place)}
        left = replaced(reference, old, gone)
        closure.emptied[name, reference_name, one] = (old, left)
        if left is None and reference.is_required:
            closure.held.append((name, reference, one))
    closure.held = [entry for entry in closure.held if not closure.has(entry[0], entry[2])]
    return closure


def _check_held(ctx: Context, connection: Connection, closure: Closure, object_name: str) -> None:
    if not all(_sees(ctx, connection, name, reference, closure) for name, reference in closure.holding()):
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


def _sees(ctx: Context, connection: Connection, name: str, reference: str, closure: "Closure") -> bool:
    """Whether the person sees all of the records that hold something by this reference, and that they do."""
    if not ctx.scope.can("read", name) or reference not in ctx.scope.readable(name):
        return False
    ids = [one for object_name, field, one in closure.held if (object_name, field.name) == (name, reference)]
    return not rows.failing(ctx, connection, name, ids, "read")


def _carry_out(ctx: Context, connection: Connection, closure: Closure, versions: dict[str, int]) -> None:
    """Marks as deleted, makes references blank; `versions` takes up the new versions of what was deleted."""
    for name, ids in closure.deleted.items():
        versions.update(rows.change_many(ctx, connection, name, list(ids), {"deleted_at": ctx.now}))
    by_field: dict[tuple[str, str], dict[str, tuple[Any, Any]]] = {}
    for (name, reference_name, one), pair in closure.emptied.items():
        by_field.setdefault((name, reference_name), {})[one] = pair
    for (name, reference_name), changes in by_field.items():
        change_references(ctx, connection, name, field_of(ctx.snapshot, name, reference_name), changes)


def change_references(
    ctx: Context, connection: Connection, object_name: str, reference: Field, changes: Mapping[str, tuple[Any, Any]],
    action: str = "update",
) -> Mapping[str, Iterable[str]]:  # fmt: skip
    """Set a reference in many records, id -> (old, new), with the history and the roll-ups, whoever may see them.
    Returns records whose roll-ups changed."""
    name = reference.name
    each = {one: {name: new} for one, (_, new) in changes.items()}
    values = {tuple(new) if isinstance(new, list) else new for _, new in changes.values()}
    with as_conflicts(ctx.snapshot, object_name):
        if len(values) == 1:
            versions = rows.change_many(ctx, connection, object_name, list(changes), next(iter(each.values())))
        else:
            versions = rows.change_each(ctx, connection, object_name, each)
    former = {name: [old for old, _ in changes.values() if isinstance(old, str)]}
    touched = rollups.after_change(connection, ctx.snapshot, object_name, list(changes), [name], former)
    duplicates.renew_stored(ctx, connection, object_name, list(changes), [name])
    if reference.is_tracked:
        entries = [(one, version, action, {name: changes[one]}) for one, version in versions.items()]
        rows_history.write(ctx, connection, object_name, entries)
    else:
        note_changes(ctx, connection, object_name, action, (), list(versions))
    return touched


def delete_lines(
    ctx: Context, connection: Connection, object_name: str, ids: list[str], within: Written
) -> Mapping[str, Iterable[str]]:  # fmt: skip
    """Lines that their record no longer has: each can be restored by itself. Returns records whose roll-ups changed."""
    if rows.failing(ctx, connection, object_name, ids, "delete"):
        raise may_not("delete", object_name)
    if book_of(ctx.snapshot, object_name) is not None or any(
        rows_deletion.referrers(connection, ctx.snapshot, name, reference, object_name, ids, 1)
        for name, reference in referring(ctx.snapshot, object_name)
    ):
        for one in ids:
            delete_in(ctx, connection, object_name, one, None, within)
        return {}
    versions = rows.change_many(ctx, connection, object_name, ids, {"deleted_at": ctx.now})
    rows_deletion.write_each(ctx, connection, {one: [Taken(object_name, one)] for one in ids})
    touched = rollups.after_change(connection, ctx.snapshot, object_name, ids)
    entries = [(one, version, "delete", NO_CHANGES) for one, version in versions.items()]
    rows_history.write(ctx, connection, object_name, entries)
    return touched
