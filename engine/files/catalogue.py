"""Who may have which file, and what becomes of an upload."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import BinaryIO

from engine.context import Context
from engine.errors import BadInput, Conflict, Forbidden, InputProblem, NotFound
from engine.files.kinds import HEAD_BYTES, safe_name, size_text, type_of
from engine.store import rows_files
from engine.store.database import Connection, new_id
from engine.store.rows_files import StoredFile

__all__ = ["KEPT_UNUSED", "add", "file_lock", "get", "known_to", "may_upload", "need_upload", "open_content"]

log = logging.getLogger("fieldstone.files")

KEPT_UNUSED = timedelta(days=1)  # how long a file is kept that no record holds
MOST_UNUSED = 500
MOST_UNUSED_BYTES = 2 * 1024**3


def may_upload(ctx: Context) -> bool:
    """Whether there is a field that this person may put a file into."""
    key = ("may upload", ctx.scope.key)
    if key not in ctx.snapshot.cache:
        objects = rows_files.attaching(ctx.snapshot).values()
        ctx.snapshot.cache[key] = any(ctx.scope.can("create", o) or ctx.scope.can("update", o) for o in objects)
    found: bool = ctx.snapshot.cache[key]
    return found


def need_upload(ctx: Context) -> None:
    """Raises Forbidden, and Conflict for who has uploaded too much that no record holds."""
    if not may_upload(ctx) and not _may_attach(ctx):
        message = "there is no field that you may put a file into, and no approval"
        raise Forbidden(message, code="file.upload.forbidden", fix="ask an administrator")
    if ctx.actor.is_system:
        return
    with ctx.tenant.database.read() as connection:
        count, size = rows_files.of_person(connection, ctx.actor.id, ctx.now - KEPT_UNUSED)
    if count >= MOST_UNUSED or size >= MOST_UNUSED_BYTES:
        message = f"you have uploaded {count} files ({size_text(size)}) within a day that no record holds"
        raise Conflict(message, code="file.unused.limit", fix="put them into records first")


def _may_attach(ctx: Context) -> bool:
    from engine.process.approval.attachments import may_attach  # what it reads asks this module for files

    return may_attach(ctx)


def add(ctx: Context, name: str, content: BinaryIO) -> StoredFile:
    """Keep an upload. Its name is made safe; its type follows from its content. Raises BadInput for an empty one."""
    content.seek(0)
    head = content.read(HEAD_BYTES)
    content.seek(0)
    if not head:
        raise BadInput("the file is empty", code="file.empty", fix="send its content as the body",
                       problems=[InputProblem("", "file.empty", "the file is empty")])  # fmt: skip
    kind, name = type_of(head, safe_name(name))
    store = ctx.tenant.files
    found, size = store.put(content)
    file = StoredFile(new_id(ctx.now), found, name, kind, size, ctx.now, ctx.actor.id)
    with ctx.tenant.database.write() as connection:
        file_lock(connection, ctx.tenant.database.schema, is_shared=True)
        if not store.exists(found):  # `collect` came between
            content.seek(0)
            store.put(content)
        rows_files.add(connection, ctx.snapshot, file)
    return file


def file_lock(connection: Connection, schema: str, *, is_shared: bool) -> None:
    """Keeps contents from being removed while they are taken up. On SQLite a transaction that writes does so itself."""
    if connection.dialect == "postgresql":
        function = "pg_advisory_xact_lock_shared" if is_shared else "pg_advisory_xact_lock"
        connection.rows(f"SELECT {function}(hashtextextended(%s, 0))", (f"fieldstone files {schema}",))


def get(ctx: Context, file_id: str) -> StoredFile:
    """Raises NotFound, in the same words for a file that is not this person's to read."""
    with ctx.tenant.database.read() as connection:
        found = known_to(ctx, connection, [file_id]).get(file_id) or _of_approval(ctx, connection, file_id)
    if found is None:
        shown = file_id if file_id.isprintable() else ascii(file_id)
        raise NotFound(f"no file has the id '{shown[:60]}'", code="file.unknown")
    return found


def _of_approval(ctx: Context, connection: Connection, file_id: str) -> StoredFile | None:
    """A file of a record that the person is asked about, or decided on, in a field that they see for it; or one with
    what was said in an approval that they see."""
    # They read records, whose writing asks this module for files.
    from engine.process.approval.acted import may_have_file_decided_on
    from engine.process.approval.attachments import may_have_attachment
    from engine.process.reading import may_have_file

    file = rows_files.find(connection, ctx.snapshot, [file_id]).get(file_id)
    ways = (may_have_file, may_have_attachment, may_have_file_decided_on)
    return file if file is not None and any(may(ctx, connection, file.id) for may in ways) else None


def open_content(ctx: Context, file: StoredFile) -> BinaryIO:
    """Raises NotFound where the store has lost it."""
    try:
        return ctx.tenant.files.open(file.hash)
    except FileNotFoundError as error:
        log.error("the content of file %s is not in the store: run `fieldstone files verify`", file.id)
        raise NotFound(f"the content of '{file.name}' is lost", code="file.lost", fix="ask an administrator") from error


def known_to(ctx: Context, connection: Connection, ids: Iterable[str]) -> dict[str, StoredFile]:
    """Those of these files that this person may have: that a record holds which they read, in a field which they read;
    or that they uploaded within a day and no record holds yet."""
    files = rows_files.find(connection, ctx.snapshot, ids)
    if ctx.actor.is_system or not files:
        return files
    tables = rows_files.places(connection, ctx.snapshot, files)
    fresh = ctx.now - KEPT_UNUSED
    mine = {key for key, file in files.items() if key not in tables and is_of(ctx, file) and file.created_at > fresh}
    seen = readable(ctx, connection, [key for key in files if key in tables], tables)
    return {key: file for key, file in files.items() if key in mine or key in seen}


def is_of(ctx: Context, file: StoredFile) -> bool:
    return bool(ctx.actor.id) and file.created_by == ctx.actor.id


def readable(ctx: Context, connection: Connection, ids: Sequence[str], tables: dict[str, set[str]]) -> set[str]:
    """One statement for each object that holds some of them."""
    found: set[str] = set()
    objects = rows_files.attaching(ctx.snapshot)
    for table in sorted({table for key in ids for table in tables[key]}):
        wanted = [key for key in ids if key not in found and table in tables[key]]
        if wanted and table in objects:
            found |= rows_files.readable(ctx, connection, objects[table], wanted)
    return found
