"""Which tenant, where it is stored, and which version of its definitions runs now."""

import os
import re
import threading
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib.metadata import entry_points
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from engine.audit.chain import Writer
from engine.errors import BadInput
from engine.files.store import FileStore, open_store
from engine.formula.sqlite import sqlite_functions
from engine.keyring import Keyring, read_keys
from engine.registry import Plugins
from engine.snapshot import Snapshot, unpack
from engine.store import system
from engine.store.database import Compiled, Connection, Database, compile_sql
from engine.store.names import Names
from engine.store.tables import Physical
from metadata.model import Definitions

__all__ = ["BASE_PLUGINS", "CATALOGUE", "MAIN", "Tenant", "load_plugins", "open_tenant", "place_of", "storage_of"]

BASE_PLUGINS = ("plugins.base",)
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
MAIN = "main"  # what one is called where there is no other
CATALOGUE = "fs_tenants"  # lives where a tenant of that name would
RESERVED = frozenset(("public", "information_schema"))
KEPT_VERSIONS = 3  # the newest: requests that began before a publish finish on theirs
KEPT_EARLIER = 12  # of those before them, on which approvals and automations run still: those used last
NOTHING = Definitions(packages={}, objects={}, layouts={}, views={}, menus=(), roles={})


class Tenant:
    """One tenant. Used from several threads, and by several processes at a time."""

    def __init__(
        self, name: str, database: Database, plugins: Plugins, data: Path, files: str = "", keys: Sequence[bytes] = (),
        channel: str = "",
    ) -> None:  # fmt: skip
        """`data` is the folder for all that is not in the database; `files` says where files lie, `keys` are those of
        secrets, if not there. `channel` is what the audit log names where no request does."""
        self.name, self.database, self.plugins = name, database, plugins
        self.data, self._files, self._keys = data, files, keys
        self.channel = channel
        database.functions |= sqlite_functions(plugins.functions)
        database.keep_notes = Writer(lambda: self.secrets, database.dialect).keep
        self._versions: dict[int, Snapshot] = {}
        self._used: dict[int, int] = {}  # version -> when it was last asked for, counted
        self._asked = count(1)
        self._lock = threading.Lock()
        self._load_sql: Compiled | None = None

    @cached_property
    def files(self) -> FileStore:
        """Where contents of files lie. Raises BadInput for a place that cannot be."""
        return open_store(self._files, self.data, self.name)

    @cached_property
    def secrets(self) -> Keyring:
        """What secret fields are encrypted with."""
        return Keyring(self._keys) if self._keys else Keyring.in_folder(self.data)

    @cached_property
    def sandbox_of(self) -> str:
        """The tenant that this one was copied from to try things out; "" for a real one.

        Whatever would leave a sandbox (mail, requests to other systems) is not sent.
        """
        if self.database.is_absent:
            return ""
        with self.database.read() as connection:
            if system.tenant.name not in system.names_of(connection):  # an older release made the tables
                return ""
            return str(connection.sa.scalar(sa.select(system.tenant.c.sandbox_of)) or "")

    def version(self) -> int:
        """Of the definitions that run; 0 where nothing was ever published."""
        if self.database.is_absent:
            return 0
        with self.database.read() as connection:
            return current_version(connection)

    def snapshot(self) -> Snapshot:
        """What runs now. Costs one statement; who knows the version already asks `at`."""
        return self.at(self.version())

    def at(self, version: int) -> Snapshot:
        """A published version, kept in memory while it runs. Version 0 has nothing in it."""
        found = self._versions.get(version)
        self._used[version] = next(self._asked)
        if found is None:
            with self._lock:
                found = self._versions.get(version)
                if found is None:
                    found = self._load(version)
                    self.__dict__.pop("sandbox_of", None)  # a restored backup comes as a new version
                    self._versions = self._kept({**self._versions, version: found})
        return found

    def _kept(self, versions: Mapping[int, Snapshot]) -> dict[int, Snapshot]:
        newest = sorted(versions)[-KEPT_VERSIONS:]
        earlier = sorted(versions.keys() - set(newest), key=lambda one: self._used.get(one, 0))[-KEPT_EARLIER:]
        self._used = {one: self._used.get(one, 0) for one in (*newest, *earlier)}
        return {one: versions[one] for one in (*newest, *earlier)}

    def close(self) -> None:
        self.database.close()

    def _load(self, version: int) -> Snapshot:
        definitions, names = NOTHING, Names()
        if version:
            if self._load_sql is None:
                wanted = sa.select(system.version.c.definitions).where(
                    system.version.c.number == sa.bindparam("number", type_=system.version.c.number.type)
                )
                self._load_sql = compile_sql(wanted, self.database.dialect)
            with self.database.read() as connection:
                rows = connection.rows(self._load_sql.sql, self._load_sql.bind({"number": version}))
            if not rows:
                raise KeyError(f"version {version} was never published")
            definitions, names = unpack(rows[0][0])
        physical = Physical(definitions, names, self.plugins)
        return Snapshot(version, definitions, physical, self.plugins, self.database.dialect)


def current_version(connection: Connection) -> int:
    try:
        return int(connection.rows("SELECT version FROM fs_state")[0][0])
    except Exception:
        if system.exists(connection):
            raise
        return 0


@cache
def offered() -> tuple[str, ...]:
    """What installed distributions offer; looked up once."""
    return tuple(point.value for point in entry_points(group="fieldstone.plugins"))


def load_plugins(packages: tuple[str, ...] = BASE_PLUGINS) -> Plugins:
    """The built-in plugins, and those that installed distributions offer as entry points `fieldstone.plugins`."""
    plugins = Plugins()
    for package in dict.fromkeys((*packages, *offered())):
        plugins.scan(package)
    return plugins


def open_tenant(
    url: str, data: Path, name: str = "main", plugins: Plugins | None = None, files: str | None = None,
    database: Database | None = None, channel: str = "command",
) -> Tenant:  # fmt: skip
    """Connects only when it is used. `url` "" is an SQLite file in the folder `data`; `database` is used instead of
    the one that the name leads to.

    `files` says where files lie: FIELDSTONE_FILES unless given, or the folder `data`. Keys of secrets are those of
    FIELDSTONE_SECRET_KEY, or in the folder. Raises BadInput for what cannot be.
    """
    place = os.environ.get("FIELDSTONE_FILES", "") if files is None else files
    given = os.environ.get("FIELDSTONE_SECRET_KEY", "").strip()
    keys = read_keys(given) if given else []
    plugins = load_plugins() if plugins is None else plugins
    return Tenant(name, database or storage_of(url, data, name), plugins, data, place, keys, channel)


def storage_of(url: str, data: Path, name: str) -> Database:
    """Where a tenant lives. Raises BadInput for a name or URL that cannot be.

    PostgreSQL: the schema of its name. SQLite without a URL: NAME.db in the data folder. SQLite with the URL of a file:
    `main` is that file, any other tenant FILE-NAME beside it (crm.db, crm-north.db).
    """
    if not NAME.match(name) or name.startswith(("pg_", "fs_")) or name in RESERVED:
        raise BadInput(
            f"'{name}' cannot name a tenant: it is 1 to 63 of a-z, 0-9 and _, and begins with a letter",
            code="tenant.name",
        )
    return place_of(url, data, name)


def place_of(url: str, data: Path, name: str) -> Database:
    """The same for any name."""
    if not url:
        return Database.open(f"sqlite:///{data / name}.db")
    database = Database.open(url, schema=name)
    if database.dialect == "sqlite" and name != "main" and database.url.database:
        file = Path(database.url.database)
        return Database(database.url.set(database=str(file.with_name(f"{file.stem}-{name}{file.suffix}"))), name)
    return database
