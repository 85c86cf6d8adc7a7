"""Restore a backup: verified first, built aside, and put in place by one switch at the end."""

import base64
import tempfile
import zlib
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
import psycopg
import sqlalchemy as sa

from engine.audit.log import note
from engine.context import SYSTEM
from engine.errors import BadInput, Conflict
from engine.publish.rebuild import rebuild
from engine.registry import Plugins
from engine.snapshot import Snapshot, unpack
from engine.store import system
from engine.store.database import Connection, Database
from engine.store.tables import Physical
from engine.tenancy import storage
from engine.tenancy.archive import Manifest, Reader, damaged, file_part
from engine.tenancy.backup import COMMAND, SPOOLED_BYTES, Progress
from engine.tenancy.catalogue import Catalogue, taken
from engine.tenancy.rows import insert, tables_of
from engine.tenants import Tenant, load_plugins, open_tenant

__all__ = ["Place", "restore"]

DEFINITIONS_BYTES = 256 * 1024**2
# What a person or a process of the old days held. Nobody is signed in by a restore.
ENDED = frozenset(
    {
        "fs_session",
        "fs_attempt",
        "fs_idempotency",
        "fs_halfway",
        "fs_mail_link",
        "fs_oidc_flow",
    }  # some may not be there
)
# What acts outside or lets somebody in: a sandbox gets none of it.
OUTSIDE = frozenset({"fs_token", "fs_identity", "fs_totp", "fs_recovery_code", "fs_hook"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where tenants are: as open_tenant takes it."""

    url: str
    data: Path
    files: str | None = None

    def tenant(self, name: str, plugins: Plugins | None = None, database: Database | None = None) -> Tenant:
        return open_tenant(self.url, self.data, name, plugins, self.files, database)


def restore(
    place: Place, file: Path, name: str, *, now: datetime, over: bool = False, sandbox_of: str = "",
    hosts: tuple[str, ...] = (), told: Progress = lambda text: None,
) -> Manifest:  # fmt: skip
    """As the tenant `name`, which is new, or replaced where `over`. `sandbox_of` makes it a sandbox of that tenant.

    Raises BadInput for a file that is damaged or no backup, Conflict for a name that is taken. Whatever is raised, and
    whenever the process ends: the tenant that was there is as it was.
    """
    found = storage.kind_of(place.url, place.data, name)
    there = found != "absent"
    if there and (not over or found == "foreign"):
        raise taken(name)
    if found == "unreadable":
        message = f"what is stored as '{name}' cannot be read"
        raise Conflict(message, code="tenant.unreadable", fix=f"fieldstone tenant delete {name}, then restore it")
    storage.tidy(place.url, place.data)
    with Reader.of(file) as reader, closing(Catalogue(place.url, place.data)) as catalogue:
        reader.verify(told)
        entry = catalogue.entry(name)
        if entry is None:
            catalogue.add(name, hosts, now, "active" if there else "unfinished")
        try:
            build(place, reader, name, now, there, sandbox_of, told)
        except BaseException:
            if entry is None:
                if not there:
                    storage.drop_files(place.tenant(name, Plugins()).files)
                catalogue.remove(name)
            raise
        if not there or (entry is not None and entry.state == "unfinished"):
            catalogue.set_state(name, "active")
        if entry is not None and hosts:
            catalogue.set_hosts(name, hosts)
    return reader.manifest


def build(place: Place, reader: Reader, name: str, now: datetime, there: bool, sandbox_of: str, told: Progress) -> None:
    plugins = load_plugins()
    with closing(place.tenant(name, plugins)) as tenant:
        aside = storage.aside_of(place.url, place.data, name)
        try:
            with closing(place.tenant(name, plugins, aside)):
                load(aside, reader, plugins, sandbox_of, told)
                put_files(tenant, reader, told)
                running = tenant.version() if there else 0
                with aside.write() as connection:
                    if running:
                        move_on(connection, reader.manifest.version, running, now)
                    details = {"made_at": reader.manifest.made_at, "from": reader.manifest.tenant}
                    kind = "tenant.clone" if sandbox_of else "tenant.restore"
                    note(connection, kind, actor=SYSTEM, origin=COMMAND, now=now, details=details)
            told("switching")
            storage.put_in_place(aside, tenant.database, over=there)
        except BaseException:
            storage.drop(aside)
            raise


def load(database: Database, reader: Reader, plugins: Plugins, sandbox_of: str, told: Progress) -> None:
    """Tables and rows, in one transaction. Raises BadInput where the rows are not those of the definitions."""
    manifest = reader.manifest
    if manifest.layout > system.LAYOUT:
        message = "the backup was made by a later release of Fieldstone"
        raise BadInput(message, code="backup.format", fix="restore it with that release")
    snapshot = snapshot_of(reader, plugins, database.dialect)
    left_out = ENDED | OUTSIDE if sandbox_of else ENDED
    try:
        with database.write() as connection:
            connection.be_patient()
            system.ensure(connection, database.schema)
            connection.defer_references()
            tables = tables_of(snapshot)
            if unknown := reader.tables() - {table.name for table in tables}:
                raise damaged(f"the backup has a table {min(unknown)}, which its definitions do not know")

            def fill() -> None:
                for number, table in enumerate(tables, start=1):
                    told(f"table {number} of {len(tables)}: {table.name}")
                    if table.name not in left_out:
                        connection.sa.execute(sa.delete(table))  # what a new storage begins with
                        insert(connection, table, reader.columns(table.name), reader.lines(table.name))

            rebuild(connection, snapshot, fill)
            connection.sa.execute(sa.update(system.state).values(version=manifest.version))
            if sandbox_of:
                connection.sa.execute(sa.delete(system.tenant))
                connection.sa.execute(sa.insert(system.tenant).values(id=1, sandbox_of=sandbox_of))
            check_references(connection)
    except (sa.exc.IntegrityError, psycopg.IntegrityError, psycopg.DataError) as error:
        raise damaged("the backup's rows break the rules of its own definitions") from error
    except Exception as error:
        if type(error).__module__ == "sqlite3":
            raise damaged("the backup's rows break the rules of its own definitions") from error
        raise


def snapshot_of(reader: Reader, plugins: Plugins, dialect: str) -> Snapshot:
    """The version that ran. Raises BadInput."""
    name, manifest = system.version.name, reader.manifest
    columns = reader.columns(name)
    try:
        for line in reader.lines(name):
            row = dict(zip(columns, orjson.loads(line), strict=True))
            if row["number"] == manifest.version:
                definitions, names = unpack(bounded(row["definitions"]["b"]))
                snapshot = Snapshot(
                    manifest.version, definitions, Physical(definitions, names, plugins), plugins, dialect
                )
                for known in definitions.objects:
                    snapshot.physical.table(known)
                return snapshot
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, zlib.error) as error:
        message = "the backup's definitions cannot be read here"
        raise BadInput(message, code="backup.definitions", fix="are its plugins installed?") from error
    raise damaged(f"the backup does not hold its version {manifest.version}")


def bounded(text: str) -> bytes:
    """Base64 of compressed definitions that do not unpack without end. Raises ValueError."""
    packed = base64.b64decode(text, validate=True)
    opened = zlib.decompressobj()
    opened.decompress(packed, DEFINITIONS_BYTES)
    if opened.unconsumed_tail:
        raise ValueError("definitions are too large")
    return packed


def check_references(connection: Connection) -> None:
    if connection.dialect == "sqlite" and (broken := connection.rows("PRAGMA foreign_key_check")):
        raise damaged(f"a row of {broken[0][0]} refers to nothing")


def move_on(connection: Connection, restored: int, running: int, now: datetime) -> None:
    """The restored definitions as a new version, so that processes which know the versions until now notice it."""
    number = max(restored, running) + 1
    v, p = system.version, system.package
    row = dict(connection.sa.execute(sa.select(v).where(v.c.number == restored)).mappings().one())
    row |= {"number": number, "at": now, "by": None, "plan": "[]", "note": "restored"}
    connection.sa.execute(sa.insert(v).values(row))
    for package in connection.sa.execute(sa.select(p).where(p.c.version == restored)).mappings().all():
        connection.sa.execute(sa.insert(p).values({**package, "version": number, "files": None}))
    connection.sa.execute(sa.update(system.state).values(version=number))


def put_files(tenant: Tenant, reader: Reader, told: Progress) -> None:
    """Contents lie under their hashes: nothing that is there changes."""
    for number, wanted in enumerate(reader.files()):
        if number % 100 == 0:
            told(f"file {number}")
        if tenant.files.exists(wanted):
            continue
        with reader.open(file_part(wanted)) as source, tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES) as kept:
            while chunk := source.read(SPOOLED_BYTES):
                kept.write(chunk)
            kept.seek(0)
            found, _ = tenant.files.put(kept)  # type: ignore[arg-type]  # it reads as any file does
        if found != wanted:
            raise damaged(f"a file is not the one that was backed up: {wanted}")
