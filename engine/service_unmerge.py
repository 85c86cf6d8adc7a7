"""Take a merge back, within 30 days: the others come back, and what the merge changed, unless it was changed since."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from engine.context import Context
from engine.errors import BadValue, Conflict, NotFound
from engine.rules import rollups
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import FieldRule, Rules, rules_of
from engine.rules.written import Written, owners_of
from engine.service_answers import Merged, Place
from engine.service_deletion import NO_CHANGES
from engine.service_merge import as_read, change, changed_meanwhile, stay_a_tree, take_turns, told, write_master
from engine.service_reads import titles
from engine.service_restoring import mend_references
from engine.service_rows import follow, may_not, need, not_found, refuse
from engine.store import rows, rows_deletion, rows_files, rows_history, rows_locks, rows_merge, rows_shares
from engine.store.database import Connection
from engine.store.query_paths import field_of
from engine.store.references import written
from engine.store.rows import Current
from engine.store.rows_merge import Kept, Moved
from metadata.model import Field

__all__ = ["KEPT_FOR", "unmerge"]

KEPT_FOR = timedelta(days=30)


def unmerge(ctx: Context, object_name: str, master: str) -> Merged:
    need(ctx.scope, "update", object_name)
    need(ctx.scope, "delete", object_name)
    with ctx.writing() as connection:
        found = current_master(ctx, connection, object_name, master)
        rows_locks.check(ctx, connection, object_name, [master])
        merge = last_merge(ctx, connection, object_name, master)
        in_trash = losers_in_trash(ctx, connection, object_name, merge.losers)
        rules, seen = rules_of(ctx.snapshot, object_name), Written()
        back, kept = values_back(ctx, connection, rules, found, merge)
        take_turns(ctx, connection, rules)
        write_master(ctx, connection, rules, found, back, "unmerge", merge.losers, seen)
        for one, loser in in_trash.items():
            bring_back(ctx, connection, object_name, one, loser, master, seen)
        moved, left = references_back(ctx, connection, object_name, master, merge.moved, seen)
        stay_a_tree(ctx, connection, rules, master, moved)
        refuse(seen.problems(ctx, connection))
        rows_shares.move_back(connection, merge.shares, master)
        rows_merge.mark_undone(ctx, connection, merge.id)
        follow(ctx, connection, seen)
        record = as_read(ctx, connection, object_name, master)
    places = [Place(object_name, master, name) for name in kept if name in ctx.scope.readable(object_name)]
    return Merged(record, tuple(in_trash), told(ctx, moved), (*places, *visible(ctx, left)))


def current_master(ctx: Context, connection: Connection, object_name: str, master: str) -> Current:
    found = rows.current(ctx, connection, object_name, master, "update")
    if found is None:
        if rows.current(ctx, connection, object_name, master, "update", in_trash=True) is None:
            raise not_found(object_name, master)
        raise Conflict(
            f"this {object_name} is in the trash", code="merge.deleted",
            fix="restore it, or take back the merge that it went into",
        )  # fmt: skip
    if not found.is_allowed:
        raise may_not("update", object_name)
    return found


def last_merge(ctx: Context, connection: Connection, object_name: str, master: str) -> Kept:
    merge = rows_merge.latest(connection, ctx.snapshot, object_name, master)
    if merge is None:
        message = f"nothing was merged into this {object_name}, or it was taken back already"
        raise NotFound(message, code="merge.none")
    if ctx.now - merge.at > KEPT_FOR:
        message = f"this merge is older than {KEPT_FOR.days} days and cannot be taken back"
        raise Conflict(message, code="merge.old", fix="restore the other records from the trash, one by one")
    return merge


def losers_in_trash(
    ctx: Context, connection: Connection, object_name: str, losers: Sequence[str]
) -> dict[str, Current]:
    """Those that nobody has restored yet."""
    found: dict[str, Current] = {}
    for one in losers:
        loser = rows.current(ctx, connection, object_name, one, "delete", in_trash=True)
        living = loser or rows.current(ctx, connection, object_name, one, "delete")
        if living is None:
            raise not_found(object_name, one)
        if not living.is_allowed:
            raise may_not("restore", object_name)
        if loser is not None:
            found[one] = loser
    return found


def values_back(
    ctx: Context, connection: Connection, rules: Rules, master: Current, merge: Kept
) -> tuple[dict[str, Any], list[str]]:
    """(stored values as they were before, where the master still holds what the merge gave it; fields that stay)"""
    back: dict[str, Any] = {}
    kept: list[str] = []
    for name, (before, after) in merge.values.items():
        rule = rules.fields.get(name)
        if rule is None:  # the engine works it out now
            continue
        try:
            old, merged = (None if value is None else rule.parse(value) for value in (before, after))
        except BadValue:  # the definition of the field is another one now
            kept.append(name)
            continue
        if master.stored([name])[name] == merged and are_there(ctx, connection, rule, old):
            back[name] = old
        else:
            kept.append(name)
    return back, kept


def are_there(ctx: Context, connection: Connection, rule: FieldRule, value: Any) -> bool:
    """Whether the files of an earlier value are kept still; true of values that hold none."""
    if rule.type.attaches is None or value is None:
        return True
    files = rule.type.attaches(value)
    return len(rows_files.find(connection, ctx.snapshot, files)) == len(files)


def bring_back(
    ctx: Context, connection: Connection, object_name: str, record_id: str, loser: Current, master: str, seen: Written
) -> None:
    with as_conflicts(ctx.snapshot, object_name):
        marked = {"deleted_at": None}
        alive = rows.change(ctx, connection, object_name, record_id, loser.version, marked, "delete")
    if alive is None:
        raise changed_meanwhile()
    version = int(alive.record["version"])
    rows_history.write(ctx, connection, object_name, [(record_id, version, "unmerge", NO_CHANGES)], into=master)
    mend_references(ctx, connection, object_name, [record_id])
    seen.touch(rollups.after_change(connection, ctx.snapshot, object_name, [record_id]))
    seen.touch(owners_of(connection, ctx.snapshot, object_name, [record_id]))
    rows_deletion.forget(connection, ctx.snapshot, record_id)


def references_back(
    ctx: Context, connection: Connection, object_name: str, master: str, moved: Sequence[Moved], seen: Written
) -> tuple[list[Moved], list[Moved]]:
    """(those that lead again where they led before, those that somebody has changed since)"""
    fields: dict[tuple[str, str], list[Moved]] = {}
    for one in moved:
        fields.setdefault((one.object, one.field), []).append(one)
    went: list[Moved] = []
    for (name, field_name), own in fields.items():
        reference = field_of(ctx.snapshot, name, field_name)
        now = rows_deletion.stored(connection, ctx.snapshot, name, [field_name], [one.record for one in own])
        changes: dict[str, tuple[Any, Any]] = {}
        for one in own:
            held = now[one.record][0] if one.record in now else None
            is_own = (name, one.record) == (object_name, master)
            new = former(reference, object_name, master, one, held, is_own)
            if new is not None:
                changes[one.record] = (held, new)
        went += [one for one in own if one.record in changes]
        if changes:
            seen.touch(change(ctx, connection, name, reference, changes, "unmerge"))
    return went, [one for one in moved if one not in went]


def former(reference: Field, object_name: str, master: str, moved: Moved, now: Any, is_own: bool) -> Any:
    """The value with the losers in it again; None where it does not hold the master any more. `is_own`: the master's
    own reference to a loser, which the merge took out."""
    losers = [written(reference, object_name, one) for one in moved.losers]
    here = written(reference, object_name, master)
    if not reference.refers_to_many:
        return losers[0] if now == (None if is_own else here) else None
    held = list(now or ())
    if is_own:
        return [*held, *(one for one in losers if one not in held)]
    if here not in held:
        return None
    place = held.index(here)
    between = [*([here] if moved.had_master else []), *(one for one in losers if one not in held)]
    return [*held[:place], *between, *held[place + 1 :]]


def visible(ctx: Context, moved: Sequence[Moved]) -> list[Place]:
    by_object: dict[str, list[str]] = {}
    for one in moved:
        by_object.setdefault(one.object, []).append(one.record)
    seen = {key for name, ids in by_object.items() for key in titles(ctx, name, ids)}
    return [
        Place(one.object, one.record, one.field)
        for one in moved
        if one.record in seen and one.field in ctx.scope.readable(one.object)
    ]
