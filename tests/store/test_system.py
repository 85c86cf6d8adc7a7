"""The engine's own tables: a database of an earlier release gets what this one adds."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.people import users
from engine.publish import apply, ensure, plan
from engine.store import system
from engine.store.database import Connection
from engine.tenants import Tenant, load_plugins, open_tenant

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ADDED = {2: ("fs_file_use", "fs_file")}


@pytest.fixture
def old(database_url: str, tmp_path: Path) -> Iterator[Tenant]:
    """A tenant as a release with layout 1 left it, with a user."""
    tenant = open_tenant(database_url, tmp_path, plugins=load_plugins())
    apply(tenant, plan(tenant, []), None, NOW)
    users.create_user(tenant, "ann", now=NOW)
    with tenant.database.write() as connection:
        for tables in ADDED.values():
            for name in tables:
                connection.run(f"DROP TABLE {name}")
        connection.run("UPDATE fs_state SET layout = 1")
    yield tenant
    tenant.close()


def shape(connection: Connection) -> list[tuple[object, ...]]:
    """Tables, columns and indexes, as the database itself tells them."""
    if connection.dialect == "sqlite":
        return sorted(connection.rows("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    columns = connection.rows(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
    )
    indexes = connection.rows("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()")
    keys = connection.rows("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
                           " WHERE connamespace = current_schema()::regnamespace")  # fmt: skip
    return sorted([*columns, *indexes, *keys])


def test_an_older_layout_is_brought_up_to_date(old: Tenant, database_url: str, tmp_path: Path) -> None:
    ensure(old, NOW)
    with old.database.read() as connection:
        assert system.is_current(connection)
        found = shape(connection)
        assert connection.rows("SELECT layout, version FROM fs_state") == [(system.LAYOUT, 1)]
    assert [user.username for user in users.list_users(old)] == ["ann"]
    ensure(old, NOW)
    with old.database.read() as connection:
        assert shape(connection) == found


def test_it_becomes_what_a_new_database_is(old: Tenant, database_url: str, tmp_path: Path) -> None:
    ensure(old, NOW)
    fresh_url = "" if old.database.dialect == "sqlite" else database_url
    fresh = open_tenant(fresh_url, tmp_path / "fresh", "fresh", plugins=load_plugins())
    apply(fresh, plan(fresh, []), None, NOW)
    try:
        with old.database.read() as one, fresh.database.read() as other:
            assert [str(row).replace("main.", "fresh.") for row in shape(one)] == [str(row) for row in shape(other)]
    finally:
        fresh.close()


def test_several_processes_bring_it_up_to_date_at_once(old: Tenant, database_url: str, tmp_path: Path) -> None:
    tenants = [open_tenant(database_url, tmp_path, plugins=load_plugins()) for _ in range(4)]
    problems: list[BaseException] = []

    def run(tenant: Tenant) -> None:
        try:
            ensure(tenant, NOW)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=run, args=(tenant,)) for tenant in tenants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tenant in tenants:
        tenant.close()
    assert problems == []
    with old.database.read() as connection:
        assert system.is_current(connection)


def test_a_step_that_fails_changes_nothing(old: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(connection: Connection) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(system, "CHANGES", {2: fails})
    with pytest.raises(RuntimeError):
        ensure(old, NOW)
    with old.database.read() as connection:
        assert connection.rows("SELECT layout FROM fs_state") == [(1,)]
        assert not {name for tables in ADDED.values() for name in tables} & system.names_of(connection)
