"""Erase the personal data of one person, wherever it is kept; the audit log tells that it was done, not what it was."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from engine.audit.log import note, note_rewritten
from engine.context import Context
from engine.errors import Conflict
from engine.files.catalogue import file_lock
from engine.privacy.around import NEUTRAL, forget_around
from engine.privacy.outgoing import forget_outgoing
from engine.privacy.subject import USER, Person, gather, need_privacy, personal
from engine.process import snapshots
from engine.process.approval import attachments
from engine.rules import duplicates, rollups
from engine.rules.uniqueness import as_conflicts
from engine.snapshot import Snapshot
from engine.store import rows, rows_deletion, rows_files, rows_history, rows_merge, rows_shares, system
from engine.store.database import Connection
from metadata.model import Field

__all__ = ["Erased", "can_go", "erase", "expire"]

PIECE = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """`fields`: object -> the fields that hold nothing of the person any more; `kept`: "object.field" of those that
    must have a value and have no text to put in its place."""

    records: int
    fields: Mapping[str, Sequence[str]]
    kept: Sequence[str]
    comments: int = 0  # in approvals: kept, as records of the business


def erase(ctx: Context, object_name: str, record_id: str) -> Erased:
    """In one transaction, but for the contents of files, which go after it. Raises Forbidden, NotFound, BadInput."""
    need_privacy(ctx)
    with ctx.tenant.database.write() as connection:
        person = gather(ctx, connection, object_name, record_id)
        need_inactive(ctx, connection, person)
        unsent = forget_outgoing(ctx, connection, person)
        files: list[str] = []
        fields: dict[str, list[str]] = {}
        kept: list[str] = []
        for name, ids in person.records.items():
            wanted = personal(ctx.snapshot, name)
            done, left = wipe(ctx, connection, name, list(ids), list(wanted), files)
            if done:
                fields[name] = done
            kept += left
            files += attachments.let_go(connection, list(ids))
            rows_shares.forget(connection, list(ids))
        forget_answers(connection, person)
        comments = forget_around(ctx, connection, person)
        details = {"fields": fields, "records": person.size} | ({"kept": kept} if kept else {})
        details |= {"comments": comments} if comments else {}
        details |= {"unsent": unsent} if unsent else {}
        note(
            connection, "privacy.erase", actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name=object_name,
            record=record_id, details=details,
        )  # fmt: skip
        hashes = forget_files(ctx, connection, files)
    remove_contents(ctx, hashes)
    return Erased(person.size, fields, kept, comments)


def need_inactive(ctx: Context, connection: Connection, person: Person) -> None:
    """Nobody who signs in is erased."""
    if person.object != USER:
        return
    [(is_active,)] = rows_deletion.stored(connection, ctx.snapshot, USER, ["is_active"], [person.id]).values()
    if is_active:
        raise Conflict("this user is active", code="privacy.active", fix="deactivate the user first")


def wipe(
    ctx: Context, connection: Connection, object_name: str, ids: list[str], names: list[str], files: list[str],
    is_silent: bool = False,
) -> tuple[list[str], list[str]]:  # fmt: skip
    """Blank some fields of some records, with their history, merges, duplicate keys and roll-ups; (done, kept).
    `files` takes up the files that they held. `is_silent`: the time of the last change stays, from which the retention
    of other fields counts."""
    snapshot = ctx.snapshot
    fields = snapshot.definitions.objects[object_name].fields
    done = [name for name in names if can_go(fields[name])]
    kept = [f"{object_name}.{name}" for name in names if name not in done]
    if not done or not ids:
        return [], kept
    attached = rows_files.attachments(snapshot, object_name)
    before = rows_deletion.stored(connection, snapshot, object_name, done, ids)
    changed_at = rows_deletion.stored(connection, snapshot, object_name, ["modified_at"], ids) if is_silent else {}
    for place, name in enumerate(done):
        if (files_of := attached.get(name)) is not None:
            files += [one for row in before.values() if row[place] is not None for one in files_of(row[place])]
    each = {one: {name: instead(fields[name], one) for name in done} for one in before}
    with as_conflicts(snapshot, object_name):
        versions = rows.change_each(ctx, connection, object_name, each)
    table = snapshot.physical.table(object_name)
    for one, (at,) in changed_at.items():
        connection.sa.execute(sa.update(table).where(table.c.id == one).values(modified_at=at))
    moved = [name for name in rollups.references_of(snapshot, object_name) if name in done]
    former = {name: [row[done.index(name)] for row in before.values()] for name in moved}
    rollups.after_change(connection, snapshot, object_name, list(each), done, former)
    duplicates.renew_stored(ctx, connection, object_name, list(each), done)
    rewritten = rows_history.forget_of_records(connection, snapshot, object_name, list(each), done)
    note_rewritten(
        connection,
        rewritten,
        actor=ctx.actor,
        origin=ctx.origin,
        now=ctx.now,
        reason="privacy",
        object_name=object_name,
    )
    columns = snapshot.physical.names.columns[object_name]
    snapshots.forget(connection, snapshot, object_name, list(each), done)
    rows_merge.forget_values(connection, list(each), [columns[name] for name in done])
    entries: list[rows_history.Entry] = [(one, versions[one], "erase", {}) for one in each]
    rows_history.write(ctx, connection, object_name, entries)
    return done, kept


def can_go(field: Field) -> bool:
    return not field.is_required or field.value == "text"


def instead(field: Field, record_id: str) -> Any:
    """Nothing; a text where there must be one, of its own where it is unique."""
    if not field.is_required:
        return None
    return f"erased-{record_id}" if field.is_unique else NEUTRAL


def forget_answers(connection: Connection, person: Person) -> None:
    """Answers that are kept for requests that are sent again."""
    kept = system.idempotency.c
    for ids in person.records.values():
        for one in ids:
            connection.sa.execute(sa.delete(system.idempotency).where(kept.body.contains(one)))


def forget_files(ctx: Context, connection: Connection, files: Iterable[str]) -> list[str]:
    """Files that no record holds any more; the hashes of their contents."""
    ids = list(dict.fromkeys(files))
    if not ids:
        return []
    file_lock(connection, ctx.tenant.database.schema, is_shared=False)
    hashes = [file.hash for file in rows_files.find(connection, ctx.snapshot, ids).values()]
    rows_files.forget(connection, ids)
    return hashes


def remove_contents(ctx: Context, hashes: Sequence[str]) -> None:
    if not hashes:
        return
    with ctx.tenant.database.write() as connection:
        file_lock(connection, ctx.tenant.database.schema, is_shared=False)
        for one in set(hashes) - rows_files.held(connection, list(hashes)):
            ctx.tenant.files.delete(one)


def expire(ctx: Context, *, is_dry: bool = False) -> dict[str, int]:
    """Erase fields whose retention is over, counted from the last change of their record; "object.field" -> how many
    values. With `is_dry` nothing is changed."""
    need_privacy(ctx)
    found: dict[str, int] = {}
    for name in ctx.snapshot.definitions.objects:
        ripe = {field: one for field, one in personal(ctx.snapshot, name).items() if one.retention_days and can_go(one)}
        for field, one in ripe.items():
            count = 0
            while ids := over(ctx, ctx.snapshot, name, one, PIECE):
                if is_dry:
                    count = len(over(ctx, ctx.snapshot, name, one, None))
                    break
                files: list[str] = []
                with ctx.tenant.database.write() as connection:
                    wipe(ctx, connection, name, ids, [field], files, is_silent=True)
                    details = {"fields": {name: [field]}, "records": len(ids)}
                    note(
                        connection, "privacy.expire", actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name=name,
                        details=details,
                    )  # fmt: skip
                    hashes = forget_files(ctx, connection, files)
                remove_contents(ctx, hashes)
                count += len(ids)
            if count:
                found[f"{name}.{field}"] = count
    return found


def over(ctx: Context, snapshot: Snapshot, object_name: str, field: Field, most: int | None) -> list[str]:
    """Records that hold a value whose time is over, in the trash or not."""
    table = snapshot.physical.table(object_name)
    column = table.c[field.name]
    wanted = sa.select(table.c.id).where(
        column.is_not(None), table.c.modified_at < ctx.now - timedelta(days=field.retention_days)
    )
    if field.is_required:
        wanted = wanted.where(column != NEUTRAL, ~column.startswith("erased-"))
    with ctx.tenant.database.read() as connection:
        return list(connection.sa.scalars(wanted.order_by(table.c.id).limit(most)))
