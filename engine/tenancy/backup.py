"""A backup of a tenant: its rows as of one moment, its definitions and its files, while others go on writing."""

import io
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from engine.audit.log import note
from engine.context import SYSTEM, Origin
from engine.errors import BadInput, Conflict
from engine.files.store import CHUNK, hash_of
from engine.store import system
from engine.store.database import Connection
from engine.store.types import utc_text
from engine.tenancy.archive import FORMAT, KEYS, Manifest, Writer, file_part
from engine.tenancy.rows import lines_of, tables_of
from engine.tenants import Tenant, current_version

__all__ = ["COMMAND", "Progress", "backup"]

Progress = Callable[[str], None]
COMMAND = Origin(channel="command")
SPOOLED_BYTES = 16 * 1024**2


def backup(
    tenant: Tenant, file: Path, *, now: datetime, release: str, keys: str = "", told: Progress = lambda text: None
) -> Manifest:
    """Write `file`, whole or not at all. `keys` are the texts of the keys of secrets, which are else not in it.

    Raises Conflict where the file is there already, BadInput where nothing was published.
    """
    if file.exists():
        raise Conflict(f"'{file}' is there already", code="backup.exists", fix="name another file")
    if tenant.version() == 0:
        raise BadInput(f"the tenant '{tenant.name}' is empty", code="backup.empty", fix="fieldstone apply PATH")
    descriptor, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
    try:
        with open(descriptor, "w+b") as out:
            writer = Writer(out)
            try:
                manifest = write(tenant, writer, now, release, keys, told)
            except BaseException:
                writer.break_off()
                raise
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(name, file)  # unlike a rename it never replaces
        except FileExistsError as error:
            raise Conflict(f"'{file}' is there already", code="backup.exists", fix="name another file") from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    with tenant.database.write() as connection:
        details = {"rows": sum(part.rows for part in manifest.parts.values()), "has_keys": bool(keys)}
        note(connection, "tenant.backup", actor=SYSTEM, origin=COMMAND, now=now, details=details)
    return manifest


def write(tenant: Tenant, writer: Writer, now: datetime, release: str, keys: str, told: Progress) -> Manifest:
    key_ids = set[str]()
    with tenant.database.steady() as connection:
        version = current_version(connection)
        layout = system.layout_of(connection)
        if layout != system.LAYOUT:
            message = f"the tables of '{tenant.name}' are those of another release"
            raise Conflict(message, code="backup.layout", fix="serve or apply it once with this release")
        snapshot = tenant.at(version)
        tables = tables_of(snapshot)
        need_all(connection, {table.name for table in tables})
        for number, table in enumerate(tables, start=1):
            told(f"table {number} of {len(tables)}: {table.name}")
            columns = [column.name for column in table.columns]
            writer.table(table.name, columns, lines_of(connection, table, key_ids))
        hashes = list(connection.sa.scalars(sa.select(system.file.c.hash).distinct().order_by(system.file.c.hash)))
    lost: list[str] = []
    for number, wanted in enumerate(hashes, start=1):
        if number % 100 == 1:
            told(f"file {number} of {len(hashes)}")
        if not write_content(tenant, writer, wanted):
            lost.append(wanted)
    if lost:
        lost = still_named(tenant, lost)
    if keys:
        writer.content(KEYS, io.BytesIO(keys.encode("ascii")), is_packed=True)
    manifest = Manifest(
        FORMAT, release, tenant.name, tenant.database.dialect, utc_text(now), layout, version, tenant.sandbox_of,
        tuple(sorted(key_ids)), tuple(lost), writer.parts,
    )  # fmt: skip
    writer.end(manifest)
    return manifest


def need_all(connection: Connection, known: set[str]) -> None:
    """Raises Conflict for a table that no definition knows: a backup leaves nothing out silently."""
    there = {name for name in system.names_of(connection) if not name.startswith("sqlite_")}
    if strange := sorted(there - known - {system.state.name}):
        message = f"the table '{strange[0]}' is not one of Fieldstone's: it would not be in the backup"
        raise Conflict(message, code="backup.table", fix="move it to another schema or file")


def still_named(tenant: Tenant, hashes: list[str]) -> list[str]:
    """Without those that were removed while the backup ran: nothing held them."""
    file = system.file
    with tenant.database.read() as connection:
        named = set(connection.sa.scalars(sa.select(file.c.hash).distinct()))
    return [one for one in hashes if one in named]


def write_content(tenant: Tenant, writer: Writer, wanted: str) -> bool:
    """False where the store has it no more, or not as it was."""
    try:
        source = tenant.files.open(wanted)
    except FileNotFoundError:
        return False
    with source, tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES) as kept:
        while chunk := source.read(CHUNK):
            kept.write(chunk)
        kept.seek(0)
        if hash_of(kept)[0] != wanted:  # type: ignore[arg-type]  # it reads as any file does
            return False
        kept.seek(0)
        writer.content(file_part(wanted), kept)  # type: ignore[arg-type]
    return True
