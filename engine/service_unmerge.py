"""Take a merge back, within 30 days: the others come back, and what the merge changed, unless it was changed since."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from engine.context import Context
from engine.errors import BadValue, Conflict, NotFound
from engine.rules import rollups
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import rules_of
from engine.service_answers import Merged, Place
from engine.service_deletion import NO_CHANGES, mend_references
from engine.service_merge import changed_meanwhile, move, told
from engine.service_reads import titles
from engine.service_writes import answer, may_not, need, not_found, write_change
from engine.store import rows, rows_deletion, rows_history, rows_merge
from engine.store.database import Connection
from engine.store.rows import Current
from engine.store.rows_merge import Kept, Moved
from metadata.model import SYSTEM_FIELDS

__all__ = ["KEPT_FOR", "unmerge"]

KEPT_FOR = timedelta(days=30)


def unmerge(ctx: Context, object_name: str, master: str) -> Merged:
    need(ctx.scope, "update", object_name)
    need(ctx.scope, "delete", object_name)
    with ctx.writing() as connection:
        found = current_master(ctx, connection, object_name, master)
        merge = last_merge(ctx, connection, object_name, master)
        in_trash = losers_in_trash(ctx, connection, object_name, merge.losers)
        back, kept = values_back(ctx, object_name, found, merge)
        written = write_change(ctx, connection, object_name, found, back, "unmerge", merge.losers)
        if written is None:
            raise changed_meanwhile()
        for one, loser in in_trash.items():
            bring_back(ctx, connection, object_name, one, loser, master)
        moved, left = references_back(ctx, connection, merge.moved, master)
        rows_merge.mark_undone(ctx, connection, merge.id)
        after = rows.current(ctx, connection, object_name, master, "update")
        record = answer(ctx, connection, object_name, after.record() if after else written.record, after is not None)
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


def values_back(ctx: Context, object_name: str, master: Current, merge: Kept) -> tuple[dict[str, Any], list[str]]:
    """(stored values as they were before, where the master still holds what the merge gave it; fields that stay)"""
    rules = rules_of(ctx.snapshot, object_name)
    back: dict[str, Any] = {}
    kept: list[str] = []
    for name, (before, after) in merge.values.items():
        rule = rules.fields[name]
        try:
            old, merged = (None if value is None else rule.parse(value) for value in (before, after))
        except BadValue:  # the definition of the field is another one now
            kept.append(name)
            continue
        if master.stored([name])[name] == merged:
            back[name] = old
        else:
            kept.append(name)
    return back, kept


def bring_back(
    ctx: Context, connection: Connection, object_name: str, record_id: str, loser: Current, master: str
) -> None:
    with as_conflicts(ctx.snapshot, object_name):
        marked = {"deleted_at": None}
        written = rows.change(ctx, connection, object_name, record_id, loser.version, marked, "delete")
    if written is None:
        raise changed_meanwhile()
    version = int(written.record["version"])
    rows_history.write(ctx, connection, object_name, [(record_id, version, "unmerge", NO_CHANGES)], into=master)
    mend_references(ctx, connection, object_name, [record_id])
    rollups.after_change(connection, ctx.snapshot, object_name, [record_id])
    rows_deletion.forget(connection, ctx.snapshot, record_id)


def references_back(
    ctx: Context, connection: Connection, moved: Sequence[Moved], master: str
) -> tuple[list[Moved], list[Moved]]:
    """(those that went back to the record that they referred to, those that somebody has changed since)"""
    groups: dict[tuple[str, str, str], list[Moved]] = {}
    for one in moved:
        groups.setdefault((one.object, one.field, one.loser), []).append(one)
    went: list[Moved] = []
    for (name, field, loser), own in groups.items():
        definition = ctx.snapshot.definitions.objects[name]
        reference = definition.fields.get(field) or SYSTEM_FIELDS[field]
        ids = [one.record for one in own]
        now = rows_deletion.stored(connection, ctx.snapshot, name, [field], ids)
        # The master's own reference to a loser was emptied: it would have referred to itself.
        emptied = {one for one in ids if one == master and now.get(one) == (None,)}
        back = {one: row[0] for one, row in now.items() if row[0] == master or one in emptied}
        move(ctx, connection, name, reference, back, loser, "unmerge")
        went += [one for one in own if one.record in back]
    return went, [one for one in moved if one not in went]


def visible(ctx: Context, moved: Sequence[Moved]) -> list[Place]:
    by_object: dict[str, list[str]] = {}
    for one in moved:
        by_object.setdefault(one.object, []).append(one.record)
    seen: Mapping[str, Any] = {key: 1 for name, ids in by_object.items() for key in titles(ctx, name, ids)}
    return [
        Place(one.object, one.record, one.field)
        for one in moved
        if one.record in seen and one.field in ctx.scope.readable(one.object)
    ]
