"""Storages of tenants as a whole: found, moved into place, deleted."""

import os
import secrets
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from glob import escape
from pathlib import Path
from typing import Literal

import psycopg
import sqlalchemy as sa

from engine.errors import Busy
from engine.files.store import DiskStore, FileStore
from engine.store import system
from engine.store.database import Connection, Database
from engine.store.failures import BUSY_TIMEOUT_S
from engine.tenancy.catalogue import taken
from engine.tenants import CATALOGUE, NAME, place_of, storage_of

__all__ = [
    "aside_of",
    "drop",
    "drop_files",
    "exists",
    "kind_of",
    "put_in_place",
    "stored_names",
    "tidy",
    "wait_until_left",
]

Kind = Literal["absent", "tenant", "empty", "unreadable", "foreign"]
"""Foreign: another application's, with tables, and none of ours. Unreadable: a file that was damaged, or is none of a
database."""
ASIDE = "fs_aside_"  # then when it was begun, in seconds, and a random part
KEPT_ASIDE_S = 24 * 3600
LEFT_S = 8.0  # the catalogue is believed for 5: engine/api/fleet.py
SIDE_FILES = ("-wal", "-shm", "-journal", "")  # the file itself last: no other one is ever read with its log
CLONES = "fieldstone-clone-"  # folders with what is copied


def exists(url: str, data: Path, name: str) -> bool:
    """Whether something is stored under a tenant's name, whole or not."""
    database = storage_of(url, data, name)
    if database.dialect == "sqlite":
        return not database.is_absent
    with closing(place_of(url, data, CATALOGUE)) as all_of_them, all_of_them.read() as connection:
        return name in schemas(connection, "%")


def kind_of(url: str, data: Path, name: str) -> Kind:
    """What is stored under a tenant's name."""
    if not exists(url, data, name):
        return "absent"
    with closing(storage_of(url, data, name)) as database:
        try:
            with database.read() as connection:
                if system.exists(connection):
                    return "tenant"
                # We leave a file without tables where something was broken off; a schema never.
                is_ours = database.dialect == "sqlite" and not system.names_of(connection)
                return "empty" if is_ours else "foreign"
        except Busy:
            if database.dialect == "postgresql":
                raise
            return "unreadable"


def stored_names(url: str, data: Path) -> list[str]:
    """Names of all tenants that are stored, in the catalogue or not."""
    main = storage_of(url, data, "main")
    if main.dialect == "sqlite":
        file = Path(str(main.url.database))
        if not url:
            found = [path.stem for path in file.parent.glob("*.db") if path.is_file()]
        else:
            begin = f"{file.stem}-"
            those = file.parent.glob(f"{escape(begin)}*{escape(file.suffix)}")
            found = [p.stem.removeprefix(begin) for p in those if p.is_file()]
            found += ["main"] if file.exists() else []
        return sorted(name for name in found if NAME.match(name) and not name.startswith(("fs_", "pg_")))
    with closing(place_of(url, data, CATALOGUE)) as all_of_them, all_of_them.read() as connection:
        rows = connection.rows(
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relname = 'fs_state' AND c.relkind = 'r' ORDER BY n.nspname"
        )
    return [name for (name,) in rows if NAME.match(name) and not name.startswith("fs_")]


def aside_of(url: str, data: Path, name: str) -> Database:
    """A new, empty storage beside the others, for what is not finished: beside the tenant's."""
    mark = f"{ASIDE}{int(time.time())}_{secrets.token_hex(4)}"
    database = storage_of(url, data, name)
    if database.dialect == "postgresql":
        return Database(database.url, mark)
    file = Path(str(database.url.database))
    file.parent.mkdir(parents=True, exist_ok=True)
    return Database(database.url.set(database=str(file.with_name(mark))), name)


def put_in_place(aside: Database, target: Database, *, over: bool) -> None:
    """The one switch: `target` holds what `aside` holds, wholly or not at all, for its live connections too.

    Without `over` it must not be there: raises Conflict. Raises Busy where others hold it.
    """
    aside.close()
    if target.dialect == "postgresql":
        switch_schemas(aside, target, over)
    elif over:
        copy_into(Path(str(aside.url.database)), Path(str(target.url.database)))
        drop(aside)
    else:
        become(Path(str(aside.url.database)), Path(str(target.url.database)))


def switch_schemas(aside: Database, target: Database, over: bool) -> None:
    old = f"{ASIDE}{int(time.time())}_{secrets.token_hex(4)}"
    try:
        with target.write() as connection:
            if over:
                rename_schema(connection, target.schema, old)
            rename_schema(connection, aside.schema, target.schema)
    except (psycopg.errors.DuplicateSchema, sa.exc.ProgrammingError) as error:
        if isinstance(getattr(error, "orig", error), psycopg.errors.DuplicateSchema):
            raise taken(target.schema) from error
        raise
    if over:
        # Done is done: where somebody still reads the old tables, `tidy` removes them another day.
        with closing(Database(target.url, old)) as before, suppress(Busy, psycopg.Error, sa.exc.SQLAlchemyError):
            drop(before)


def rename_schema(connection: Connection, old: str, new: str) -> None:
    quote = connection.sa.dialect.identifier_preparer.quote
    names = {"old": quote(old), "new": quote(new)}
    connection.sa.execute(sa.DDL("ALTER SCHEMA %(old)s RENAME TO %(new)s", context=names))  # type: ignore[no-untyped-call]


def copy_into(source: Path, target: Path) -> None:
    """SQLite's own backup, in one transaction. The name of a file with live connections must stay with that file: a new
    one in its place would be read together with the old one's log."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S

    def give_up(status: int, remaining: int, total: int) -> None:
        if remaining and time.monotonic() > deadline:
            raise Busy(f"others kept the database busy for {BUSY_TIMEOUT_S} seconds", fix="try again")

    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target, timeout=1)) as write:
        read.backup(write, pages=-1, progress=give_up, sleep=0.05)


def become(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")  # one file, with all in it
    descriptor = os.open(source, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(source, target)  # unlike a rename it never replaces
    except FileExistsError as error:
        raise taken(target.stem) from error
    finally:
        source.unlink()


def wait_until_left(database: Database) -> None:
    """Until no process has a file open, which SQLite's log beside it shows, or has had time to notice that it is not
    served: who closes it later removes the log of whatever has its name then."""
    end = time.monotonic() + LEFT_S
    log = Path(f"{database.url.database}-wal")
    while database.dialect == "sqlite" and log.exists() and time.monotonic() < end:
        time.sleep(0.1)


def drop(database: Database) -> None:
    """All that it stores, for good. Nothing happens where there is nothing."""
    database.close()
    if database.dialect == "sqlite":
        for end in SIDE_FILES:
            Path(f"{database.url.database}{end}").unlink(missing_ok=True)
        return
    with database.write() as connection:
        connection.be_patient()
        connection.sa.execute(sa.schema.DropSchema(database.schema, cascade=True, if_exists=True))
    database.close()


def drop_files(store: FileStore) -> None:
    if isinstance(store, DiskStore):
        shutil.rmtree(store.folder, ignore_errors=True)
        return
    for one in list(store.hashes()):
        store.delete(one)


def tidy(url: str, data: Path) -> None:
    """Remove what a broken-off restore or clone left more than a day ago."""
    main = storage_of(url, data, "main")
    for folder in data.glob(f"{CLONES}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > KEPT_ASIDE_S:
                shutil.rmtree(folder)

    def is_old(name: str) -> bool:
        began = name.removeprefix(ASIDE).partition("_")[0]
        return began.isdigit() and time.time() - int(began) > KEPT_ASIDE_S

    if main.dialect == "sqlite":
        for path in Path(str(main.url.database)).parent.glob(f"{ASIDE}*"):
            if is_old(path.name):
                with suppress(OSError):
                    path.unlink()
        return
    with closing(place_of(url, data, CATALOGUE)) as all_of_them:
        with all_of_them.read() as connection:
            left = [name for name in schemas(connection, f"{ASIDE}%") if is_old(name)]
        for name in left:
            drop(Database(main.url, name))


def schemas(connection: Connection, like: str) -> set[str]:
    return {name for (name,) in connection.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s", (like,))}
