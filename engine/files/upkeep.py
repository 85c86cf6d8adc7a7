"""Remove files that no record holds, and tell whether all contents are there and whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

import sqlalchemy as sa

from engine.files.catalogue import KEPT_UNUSED, file_lock
from engine.files.store import hash_of
from engine.process.approval.attachments import HOLDER
from engine.snapshot import Snapshot
from engine.store import rows_files, system
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = ["Collected", "Damage", "collect", "verify"]

PIECE = 500


@dataclass(frozen=True, slots=True)
class Collected:
    files: int  # rows
    contents: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A file whose content is not what it was."""

    id: str
    name: str
    hash: str
    kind: Literal["missing", "changed"]


def collect(tenant: Tenant, now: datetime) -> Collected:
    """Remove what no record holds, in the trash or out of it, and was uploaded more than a day ago; then contents that
    belong to no file. Runs in pieces, each a transaction: it may be broken off and run again."""
    tenant.files.tidy()
    snapshot, schema = tenant.snapshot(), tenant.database.schema
    files = contents = 0
    with tenant.database.write() as connection:
        forget_dropped(connection, snapshot)
    while True:
        with tenant.database.write() as connection:
            file_lock(connection, schema, is_shared=False)
            gone = rows_files.unused(connection, now - KEPT_UNUSED, PIECE)
            files += rows_files.forget(connection, gone)
        if len(gone) < PIECE:
            break
    kept = tenant.files.hashes()
    while piece := list(islice(kept, PIECE)):
        with tenant.database.write() as connection:
            file_lock(connection, schema, is_shared=False)
            # Under the lock, and after the rows are gone for good: an upload of the same content waits, and finds that
            # it must bring its own.
            for one in set(piece) - rows_files.held(connection, piece):
                tenant.files.delete(one)
                contents += 1
    return Collected(files, contents)


def forget_dropped(connection: Connection, snapshot: Snapshot) -> None:
    """Uses by fields that the definitions do not have any more."""
    use = system.file_use
    names = snapshot.physical.names
    known = {
        (table, names.columns[name][field])
        for table, name in rows_files.attaching(snapshot).items()
        for field in rows_files.attachments(snapshot, name)
    }
    for table, column in connection.sa.execute(sa.select(use.c.object, use.c.field).distinct()).all():
        if (table, column) not in known and table != HOLDER:
            connection.sa.execute(sa.delete(use).where(use.c.object == table, use.c.field == column))


def verify(tenant: Tenant) -> Iterator[Damage]:
    """Reads every content once."""
    file = system.file
    with tenant.database.read() as connection:
        hashes = list(connection.sa.scalars(sa.select(file.c.hash).distinct().order_by(file.c.hash)))
    for one in hashes:
        kind = damage_of(tenant, one)
        if kind:
            with tenant.database.read() as connection:
                found = connection.sa.execute(sa.select(file.c.id, file.c.name).where(file.c.hash == one)).all()
            yield from (Damage(key, name, one, kind) for key, name in found)


def damage_of(tenant: Tenant, wanted: str) -> Literal["missing", "changed"] | None:
    try:
        content = tenant.files.open(wanted)
    except FileNotFoundError:
        return "missing"
    with content:
        return None if hash_of(content)[0] == wanted else "changed"
