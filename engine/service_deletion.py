"""Delete a record with all that hangs on it, and bring it all back. Nothing is removed from the tables.

References to a deleted record say what becomes of theirs: `cascade` deletes them too, `restrict` refuses, `set_null`
makes the reference blank. These follow from the definitions, not from what the person may do to the other records.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.access.scope import Scope
from engine.audit.log import note_changes
from engine.context import Context
from engine.errors import Conflict, InputProblem, NotFound
from engine.rules import duplicates, rollups, trees
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import rules_of
from engine.rules.written import Written, owners_of
from engine.service_rows import TRIES, always_changing, answer, may_not, need, not_found, refuse, stale
from engine.snapshot import Snapshot
from engine.store import rows, rows_deletion, rows_history
from engine.store.database import Connection
from engine.store.query_paths import field_of
from engine.store.references import pointed, referring, replaced, written
from engine.store.rows_deletion import Taken
from metadata.model import Field

__all__ = [
    "NO_CHANGES", "change_references", "delete", "delete_in", "delete_lines", "mend_references", "restore",
    "restore_in",
]  # fmt: skip

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

    @property
    def size(self) -> int:
        return sum(map(len, self.deleted.values())) + len(self.emptied)

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
        deleted = rows.change(ctx, connection, object_name, record_id, current.version, marked, "delete")
        if deleted is not None:  # else somebody was faster: look again
            break
    else:
        raise always_changing()
    closure = _closure(ctx.snapshot, connection, object_name, record_id)
    _check_held(ctx.scope, closure, object_name)
    versions = {record_id: deleted.record["version"]}
    closure.deleted[object_name].pop(record_id)
    _carry_out(ctx, connection, closure, versions)
    taken = [Taken(object_name, record_id)]
    taken += [Taken(name, one) for name, ids in closure.deleted.items() for one in ids]
    emptied = [Taken(name, one, reference, old) for (name, reference, one), (old, _) in closure.emptied.items()]
    rows_deletion.write(ctx, connection, record_id, taken + emptied)
    seen = Written()
    for name in dict.fromkeys(one.object for one in taken):
        gone = [one.record for one in taken if one.object == name]
        seen.touch(rollups.after_change(connection, ctx.snapshot, name, gone))
        seen.touch(owners_of(connection, ctx.snapshot, name, gone))
        entries = [(one.record, versions[one.record], "delete", NO_CHANGES) for one in taken if one.object == name]
        rows_history.write(ctx, connection, name, entries)
    refuse(seen.problems(ctx, connection))


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
    ctx: Context, connection: Connection, object_name: str, ids: list[str]
) -> Mapping[str, Iterable[str]]:  # fmt: skip
    """Lines that their record no longer has: each can be restored by itself. Returns records whose roll-ups changed."""
    if rows.failing(ctx, connection, object_name, ids, "delete"):
        raise may_not("delete", object_name)
    if any(
        rows_deletion.referrers(connection, ctx.snapshot, name, reference, object_name, ids, 1)
        for name, reference in referring(ctx.snapshot, object_name)
    ):
        for one in ids:
            delete_in(ctx, connection, object_name, one, None)
        return {}
    versions = rows.change_many(ctx, connection, object_name, ids, {"deleted_at": ctx.now})
    rows_deletion.write_each(ctx, connection, {one: [Taken(object_name, one)] for one in ids})
    touched = rollups.after_change(connection, ctx.snapshot, object_name, ids)
    entries = [(one, version, "delete", NO_CHANGES) for one, version in versions.items()]
    rows_history.write(ctx, connection, object_name, entries)
    return touched


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
        alive = rows.change(ctx, connection, object_name, record_id, current.version, {"deleted_at": None}, "delete")
    if alive is None:
        raise _not_in_trash(ctx, connection, object_name, record_id)
    entry = (record_id, int(alive.record["version"]), "restore", NO_CHANGES)
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
        with untold(ctx.scope, name), as_conflicts(ctx.snapshot, name):
            versions = rows.change_many(ctx, connection, name, others, {"deleted_at": None})
        rows_history.write(ctx, connection, name, [(one, at, "restore", NO_CHANGES) for one, at in versions.items()])
    for name, ids in deleted.items():
        with untold(ctx.scope, name):
            mend_references(ctx, connection, name, ids)
    _refill(ctx, connection, [one for one in taken if one.field], deleted)
    _stay_trees(ctx, connection, deleted)
    seen = Written()
    for name, ids in deleted.items():
        seen.touch(rollups.after_change(connection, ctx.snapshot, name, ids))
        seen.touch(owners_of(connection, ctx.snapshot, name, ids))
    refuse(seen.problems(ctx, connection))
    for name, ids in deleted.items():
        with untold(ctx.scope, name):
            duplicates.check_stored(ctx, connection, name, ids)
    rows_deletion.forget(connection, ctx.snapshot, record_id)
    found = rows.current(ctx, connection, object_name, record_id, "delete")
    if found is None:  # what its row rule depends on has gone
        return {"id": record_id, "version": current.version + 1}
    return answer(ctx, connection, object_name, found.record(), is_visible=True)


@contextmanager
def untold(scope: Scope, object_name: str) -> Iterator[None]:
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


def mend_references(ctx: Context, connection: Connection, object_name: str, ids: list[str]) -> None:
    """What restored records refer to may be deleted by now: then the reference is blank, or the restoring refused."""
    definition = ctx.snapshot.definitions.objects[object_name]
    references = [one for one in definition.fields.values() if one.is_stored and (one.target or one.targets)]
    values = rows_deletion.stored(connection, ctx.snapshot, object_name, [one.name for one in references], ids)
    for place, reference in enumerate(references):
        targets: dict[str, set[str]] = {}
        for row in values.values():
            for target, one in pointed(reference, row[place]):
                targets.setdefault(target, set()).add(one)
        gone: dict[str, str | None] = {}
        for target, those in targets.items():
            dead = those - rows_deletion.living(connection, ctx.snapshot, target, sorted(those))
            gone |= {written(reference, target, one): None for one in dead}
        if not gone:
            continue
        changes = {one: (row[place], replaced(reference, row[place], gone)) for one, row in values.items()}
        changes = {one: (old, new) for one, (old, new) in changes.items() if old != new}
        is_empty = any(new is None for _, new in changes.values())
        if is_empty and (reference.is_required or reference.on_delete != "set_null"):
            target = next(iter(targets)) if len(targets) == 1 else "record"
            message = f"the {target} that '{reference.name}' refers to is deleted"
            problem = InputProblem(reference.name, "restore.reference", message, "restore that one first")
            raise Conflict(message, code=problem.code, fix=problem.fix, problems=[problem])
        change_references(ctx, connection, object_name, reference, changes)


def _refill(ctx: Context, connection: Connection, taken: list[Taken], restored: Mapping[str, Collection[str]]) -> None:
    """References that the deletion emptied get back what they held, where their record lives and they are still blank;
    lists get back what is restored now."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for one in taken:
        groups.setdefault((one.object, one.field), {})[one.record] = one.old_value
    for (name, reference_name), olds in groups.items():
        reference = field_of(ctx.snapshot, name, reference_name)
        alive = rows_deletion.living(connection, ctx.snapshot, name, list(olds))
        values = rows_deletion.stored(connection, ctx.snapshot, name, [reference_name], sorted(alive))
        changes: dict[str, tuple[Any, Any]] = {}
        for record, (now,) in values.items():
            old, new = olds[record], now
            if reference.refers_to_many:
                back = [one for one in old if one in (now or ()) or one in restored.get(reference.targets[0], ())]
                new = [*back, *(one for one in now or () if one not in back)]
            elif now is None:
                new = old
            if new != now:
                changes[record] = (now, new)
        if changes:
            change_references(ctx, connection, name, reference, changes)


def _stay_trees(ctx: Context, connection: Connection, ids: Mapping[str, Collection[str]]) -> None:
    """What was moved meanwhile may be below what comes back, and that below it."""
    for name, those in ids.items():
        rules = rules_of(ctx.snapshot, name)
        if not rules.tree:
            continue
        stored = rows_deletion.stored(connection, ctx.snapshot, name, [rules.tree], sorted(those))
        placed = {one: {rules.tree: values[0]} for one, values in stored.items()}
        for problem in trees.wrong_places(ctx, connection, rules, placed).values():
            raise Conflict(problem.message, code=problem.code, fix="move what is below it first", problems=[problem])
