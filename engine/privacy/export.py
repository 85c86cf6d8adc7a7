"""All that is kept of one person, as one zip file: data.json and the files."""

import os
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Context
from engine.privacy.around import held_around
from engine.privacy.outgoing import held_outgoing
from engine.privacy.subject import Person, gather, need_privacy, personal, subjects
from engine.process.approval import attachments
from engine.store import rows_deletion, rows_files, rows_history, system
from engine.store.database import Connection
from engine.store.rows_files import StoredFile

__all__ = ["export", "report"]

UNSAFE = re.compile(r"[^\w.\- ]+")


def export(ctx: Context, object_name: str, record_id: str, out: Path) -> dict[str, int]:
    """Writes `out`, whole or not at all; how many {records, files} are in it. A file whose content is lost is named all
    the same. Raises Forbidden, NotFound, BadInput."""
    need_privacy(ctx)
    with ctx.tenant.database.write() as connection:
        person = gather(ctx, connection, object_name, record_id)
        data = data_of(ctx, connection, person)
        files = files_of(ctx, connection, person)
        details = {"records": person.size, "files": len(files)}
        note(
            connection, "privacy.export", actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name=object_name,
            record=record_id, details=details,
        )  # fmt: skip
    descriptor, name = tempfile.mkstemp(dir=out.absolute().parent, prefix=f".{out.name}.")
    try:
        with open(descriptor, "wb") as written:
            write(ctx, data, files, written)
        os.replace(name, out)
    except BaseException:
        os.unlink(name)
        raise
    return details


def write(ctx: Context, data: dict[str, Any], files: Sequence[StoredFile], out: BinaryIO) -> None:
    told = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            try:
                content = ctx.tenant.files.open(file.hash)
            except FileNotFoundError:  # `fieldstone files verify` tells of it
                told.append(file.view() | {"at": None})
                continue
            with content, archive.open(name_in_zip(file), "w") as entry:
                while chunk := content.read(1024 * 1024):
                    entry.write(chunk)
            told.append(file.view() | {"at": name_in_zip(file)})
        whole = data | {"files": told}
        text = orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=str)
        archive.writestr("data.json", text)


def data_of(ctx: Context, connection: Connection, person: Person) -> dict[str, Any]:
    return {
        "object": person.object,
        "id": person.id,
        "exported_at": ctx.now,
        "records": [
            record_of(ctx, connection, name, one, row)
            for name, ids in person.records.items()
            for one, row in rows_of(ctx, connection, name, list(ids)).items()
        ],
        "mentions": [
            {"object": name, "field": reference, "ids": ids} for (name, reference), ids in person.mentions.items()
        ],
        "merges": [
            {"at": row.at, "by": row.by, "losers": orjson.loads(row.losers), "values": orjson.loads(row.values_)}
            for row in connection.sa.execute(
                sa.select(
                    system.merge.c.at, system.merge.c.by, system.merge.c.losers,
                    system.merge.c["values"].label("values_"),
                ).where(system.merge.c.master.in_(list(person.records[person.object])))
            )
        ],
        "unsent": held_outgoing(ctx, connection, person),
        **held_around(ctx, connection, person),
    }  # fmt: skip


def rows_of(ctx: Context, connection: Connection, object_name: str, ids: list[str]) -> Mapping[str, dict[str, Any]]:
    """Every column, but for secrets, which nobody gets out."""
    definition, plugins = ctx.snapshot.definitions.objects[object_name], ctx.snapshot.plugins.fields
    names = [name for name, one in definition.fields.items() if one.is_stored and not plugins[one.type].is_secret]
    more = ("created_at", "modified_at", "deleted_at")
    stored = rows_deletion.stored(connection, ctx.snapshot, object_name, [*names, *more], ids)
    found: dict[str, dict[str, Any]] = {}
    for one, row in stored.items():
        values = dict(zip((*names, *more), row, strict=True))
        for name in names:
            if values[name] is not None:
                values[name] = plugins[definition.fields[name].type].to_json(values[name])
        found[one] = values
    return found


def record_of(
    ctx: Context, connection: Connection, object_name: str, record_id: str, values: dict[str, Any]
) -> dict[str, Any]:
    history = list(rows_history.read(connection, ctx.snapshot, object_name, record_id))
    return {
        "object": object_name, "id": record_id, "values": values,
        "personal": {name: one.category for name, one in personal(ctx.snapshot, object_name).items()},
        "history": history,
    }  # fmt: skip


def files_of(ctx: Context, connection: Connection, person: Person) -> list[StoredFile]:
    use = system.file_use.c
    ids = [one for those in person.records.values() for one in those]
    held: list[str] = []
    for start in range(0, len(ids), 500):
        held += connection.sa.scalars(sa.select(use.file).where(use.record.in_(ids[start : start + 500]))).all()
    held += attachments.held_for(connection, ids)
    return list(rows_files.find(connection, ctx.snapshot, held).values())


def name_in_zip(file: StoredFile) -> str:
    return f"files/{file.id}/{UNSAFE.sub('_', file.name)[:120] or 'file'}"


def report(ctx: Context) -> list[dict[str, Any]]:
    """Which personal data the definitions keep: {object, field, category, purpose, retention_days, is_data_subject}."""
    need_privacy(ctx)
    known = set(subjects(ctx.snapshot))
    return [
        {
            "object": name, "field": field, "category": one.category, "purpose": one.purpose,
            "retention_days": one.retention_days or None, "is_data_subject": name in known,
        }
        for name in ctx.snapshot.definitions.objects
        for field, one in personal(ctx.snapshot, name).items()
    ]  # fmt: skip
