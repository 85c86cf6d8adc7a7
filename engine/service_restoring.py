"""Bring back from the trash a record with all that its deletion took along, and the references that it emptied."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.access.scope import Scope
from engine.context import Context
from engine.errors import Conflict, InputProblem, Locked, NotFound
from engine.process.automation.book import book_of
from engine.process.subject import records_of
from engine.rules import duplicates, rollups, trees
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import rules_of
from engine.rules.written import Written, owners_of
from engine.service_deletion import NO_CHANGES, change_references
from engine.service_rows import answer, follow, may_not, need, not_found, refuse
from engine.store import rows, rows_deletion, rows_history
from engine.store.database import Connection
from engine.store.query_paths import field_of
from engine.store.references import pointed, replaced, written
from engine.store.rows_deletion import Taken

__all__ = ["mend_references", "restore", "restore_in"]

Json = dict[str, Any]


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
    for name, ids in deleted.items():
        if book_of(ctx.snapshot, name) is not None:
            held = records_of(ctx, connection, name, ids)
            seen.saved[name] = {one: ("update", values) for one, values in held.items()}
    follow(ctx, connection, seen)
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
        if scope.can("read", object_name) or isinstance(conflict, Locked):
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
