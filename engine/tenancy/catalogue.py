"""Which tenants there are, under which host names, and in what state. Kept beside them, outside of each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

import sqlalchemy as sa

from engine.config import bare_host
from engine.errors import BadInput, Conflict, NotFound
from engine.store.database import Connection, Database
from engine.store.types import DateTime, Text
from engine.tenants import CATALOGUE, place_of, storage_of

__all__ = ["Catalogue", "Entry", "State", "checked_host"]

State = Literal["active", "suspended", "unfinished"]

TABLES = sa.MetaData()
tenant = sa.Table(
    "tenant", TABLES,
    sa.Column("name", Text, primary_key=True),
    sa.Column("state", Text, nullable=False),
    sa.Column("created_at", DateTime, nullable=False),
)  # fmt: skip
host = sa.Table(
    "host", TABLES, sa.Column("host", Text, primary_key=True), sa.Column("tenant", Text, nullable=False)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One tenant. "unfinished": it is being made or deleted, or that was broken off."""

    name: str
    state: State
    created_at: datetime
    hosts: tuple[str, ...] = ()


class Catalogue:
    """SQLite: a file `fs_tenants` beside the tenants'. PostgreSQL: the schema of that name. Made when first written."""

    def __init__(self, url: str, data: Path) -> None:
        self.url, self.data = url, data
        self.database: Database = place_of(url, data, CATALOGUE)

    def close(self) -> None:
        self.database.close()

    def entries(self) -> list[Entry]:
        """By name; [] where there is no catalogue."""
        if self.database.is_absent:
            return []
        with self.database.read() as connection:
            if not is_there(connection, self.database.schema):
                return []
            hosts: dict[str, list[str]] = {}
            for name, of in connection.sa.execute(sa.select(host.c.host, host.c.tenant).order_by(host.c.host)):
                hosts.setdefault(of, []).append(name)
            rows = connection.sa.execute(sa.select(*tenant.c).order_by(tenant.c.name)).all()
        return [Entry(name, cast(State, state), at, tuple(hosts.get(name, ()))) for name, state, at in rows]

    def entry(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries() if entry.name == name), None)

    def add(self, name: str, hosts: Sequence[str], now: datetime, state: State = "active") -> None:
        """Raises BadInput for a name or host that cannot be, Conflict for one that is taken."""
        storage_of(self.url, self.data, name)
        with self.writing() as connection:
            if connection.sa.scalar(sa.select(tenant.c.name).where(tenant.c.name == name)):
                raise taken(name)
            connection.sa.execute(sa.insert(tenant).values(name=name, state=state, created_at=now))
            write_hosts(connection, name, hosts)

    def free_hosts(self, name: str, hosts: Sequence[str]) -> None:
        """Whether `name` may have these: raises BadInput for what is no host name, Conflict for another's."""
        owners = {one: entry.name for entry in self.entries() for one in entry.hosts}
        for one in map(checked_host, hosts):
            if owners.get(one, name) != name:
                raise of_another(one, owners[one])

    def set_hosts(self, name: str, hosts: Sequence[str]) -> None:
        """Exactly these. Raises as `add` does, and NotFound."""
        with self.writing() as connection:
            need(connection, name)
            write_hosts(connection, name, hosts)

    def set_state(self, name: str, state: State) -> None:
        with self.writing() as connection:
            need(connection, name)
            connection.sa.execute(sa.update(tenant).where(tenant.c.name == name).values(state=state))

    def remove(self, name: str) -> None:
        with self.writing() as connection:
            connection.sa.execute(sa.delete(host).where(host.c.tenant == name))
            connection.sa.execute(sa.delete(tenant).where(tenant.c.name == name))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self.database.write() as connection:
            if connection.dialect == "postgresql":
                connection.rows("SELECT pg_advisory_xact_lock(hashtextextended('fieldstone tenants', 0))")
            if not is_there(connection, self.database.schema):
                if connection.dialect == "postgresql":
                    connection.sa.execute(sa.schema.CreateSchema(self.database.schema, if_not_exists=True))
                TABLES.create_all(connection.sa, checkfirst=False)
            yield connection


def is_there(connection: Connection, schema: str) -> bool:
    if connection.dialect == "sqlite":
        return bool(connection.rows("SELECT 1 FROM sqlite_master WHERE name = 'host'"))
    return bool(
        connection.rows(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relname = 'host' AND n.nspname = %s",
            (schema,),
        )
    )


def need(connection: Connection, name: str) -> None:
    if connection.sa.scalar(sa.select(tenant.c.name).where(tenant.c.name == name)) is None:
        raise NotFound(f"there is no tenant '{name}'", code="tenant.unknown", fix="fieldstone tenant list")


def write_hosts(connection: Connection, name: str, hosts: Sequence[str]) -> None:
    connection.sa.execute(sa.delete(host).where(host.c.tenant == name))
    for one in dict.fromkeys(map(checked_host, hosts)):
        owner = connection.sa.scalar(sa.select(host.c.tenant).where(host.c.host == one))
        if owner is not None:
            raise of_another(one, owner)
        connection.sa.execute(sa.insert(host).values(host=one, tenant=name))


def checked_host(text: str) -> str:
    """A host name without port, in lower case. Raises BadInput."""
    found = bare_host(text)
    labels = found.split(".")
    is_good = len(found) <= 253 and all(
        0 < len(label) <= 63 and label.strip("-") == label and label.replace("-", "").replace("_", "").isalnum()
        and label.isascii() for label in labels
    )  # fmt: skip
    if not is_good or found != text.strip().lower().rstrip("."):
        fix = "write it without scheme and port: crm.example.com"
        if not text.isascii():
            fix = "write it as browsers send it: xn--mnchen-3ya.example.com for münchen.example.com"
        raise BadInput(f"'{text}' is not a host name", code="tenant.host", fix=fix)
    return found


def taken(name: str) -> Conflict:
    return Conflict(f"there is a tenant '{name}' already", code="tenant.taken", fix="choose another name")


def of_another(host: str, owner: str) -> Conflict:
    return Conflict(f"the host name '{host}' is the tenant {owner}'s", code="tenant.host.taken")
