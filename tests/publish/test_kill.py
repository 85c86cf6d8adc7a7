"""Killed before any statement of a publish, a tenant is wholly on the old version, and the publish can be repeated."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine.publish import Plan, apply
from engine.publish.carry_out import Migration
from engine.publish.compare import ObjectChange
from engine.store.database import Connection, Database
from engine.tenants import Tenant, open_tenant
from tests.depth import at_depth
from tests.publish.stage import NOW, Stage, plugins

OLD = """
object: firm
label: Firm
fields:
  name: {type: text, label: Name, required: true}
  size: {type: text, label: Size}
  parent: {type: reference, label: Parent, to: firm}
  fax: {type: text, label: Fax}
---
object: lead
label: Lead
fields:
  name: {type: text, label: Name}
  firm: {type: reference, label: Firm, to: firm, on_delete: cascade}
  place: {type: reference, label: Place, to: place}
---
object: place
label: Place
fields:
  name: {type: text, label: Name}
  best: {type: reference, label: Best lead, to: lead}
"""
# Made: deal. Renamed: firm, name. Retyped: size. Gone: fax, place and what referred to it. Unique: a company's name.
NEW = """
object: company
label: Company
was: firm
fields:
  name: {type: text, label: Name, required: true, unique: true}
  size: {type: integer, label: Size, index: true}
  parent: {type: reference, label: Parent, to: company}
  status: {type: text, label: Status, required: true, default: new}
---
object: lead
label: Lead
fields:
  title: {type: text, label: Title, was: name}
  firm: {type: reference, label: Firm, to: company, on_delete: cascade}
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name}
  no: {type: autonumber, label: No}
  lead: {type: reference, label: Lead, to: lead}
  before: {type: reference, label: Before, to: deal}
"""
State = dict[str, Any]


def test_a_publish_killed_before_any_statement_changes_nothing(stage: Stage) -> None:
    drawn = prepare(stage)
    statements = sweep(stage, drawn, stride=at_depth(9, 1))
    assert statements > 30, statements
    assert stage.values("company", "name", "size", "status") == [("Acme", 12, "new"), ("Beta", None, "new")]
    assert stage.values("lead", "title") == ["Ada", "Bo"]
    assert len(set(stage.values("lead", "firm"))) == 1
    assert stage.plan(NEW).steps == ()


def test_a_first_publish_killed_at_any_time_leaves_nothing(stage: Stage) -> None:
    assert sweep(stage, stage.plan(NEW), stride=at_depth(25, 2)) > 30
    assert stage.plan(NEW).steps == ()


def test_the_sweep_sees_a_publish_that_commits_early(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = prepare(stage)
    fill = Migration._fill

    def commits_early(self: Migration, change: ObjectChange) -> None:
        fill(self, change)
        self.connection.run("COMMIT")
        self.connection.run("BEGIN")

    monkeypatch.setattr(Migration, "_fill", commits_early)
    with pytest.raises(AssertionError, match="neither the old nor the new state"):
        sweep(stage, drawn, stride=at_depth(4, 1))


def prepare(stage: Stage) -> Plan:
    stage.publish(OLD)
    acme, _ = stage.insert("firm", {"name": "Acme", "size": "12", "fax": "1"}, {"name": "Beta"})
    (here,) = stage.insert("place", {"name": "Here"})
    stage.insert("lead", {"name": "Ada", "firm": acme, "place": here}, {"name": "Bo", "firm": acme})
    return stage.plan(NEW)


def sweep(stage: Stage, drawn: Plan, stride: int = 1) -> int:
    """Kill a publish before statement 1, 2, … until one comes through. Returns about how many statements it took."""
    stage.tenant.close()
    database = open_tenant(stage.url, Path(stage.folder), plugins=plugins()).database
    try:
        old, number = state(database), 1
        while not publish_killed_before(stage, drawn, number):
            assert state(database) == old, f"killed before statement {number}: neither the old nor the new state"
            number += stride
        assert state(database)["rows"]["fs_state"] == [f"(1, {drawn.base_version + 1}, 4)"]
    finally:
        database.close()
    return number - stride


def publish_killed_before(stage: Stage, drawn: Plan, number: int) -> bool:
    """Publish in a process that kills itself before its `number`th statement; whether it got to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            tenant = open_tenant(stage.url, stage.folder, plugins=plugins())
            kill_before(number, tenant)
            apply(tenant, drawn, None, NOW)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def kill_before(number: int, tenant: Tenant) -> None:
    left = number

    def count(*statement: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if tenant.database.dialect == "sqlite":
        connect = Database._connect

        def traced(self: Database) -> Any:
            raw = connect(self)
            raw.set_trace_callback(count)
            return raw

        Database._connect = traced  # type: ignore[method-assign]
    else:
        for name in ("execute", "executemany"):
            setattr(psycopg.Cursor, name, counted(getattr(psycopg.Cursor, name), count))


def counted(method: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    def run(*given: Any, **more: Any) -> Any:
        count()
        return method(*given, **more)

    return run


def state(database: Database) -> State:
    """All that the database holds: schema and rows of every table."""
    with database.read() as connection:
        if database.dialect == "postgresql":
            connection.raw.prepare_threshold = None  # or SELECT * would fail where a column has come
            wait_until_alone(connection)
        schema = connection.rows(SCHEMA[database.dialect])
        quote = connection.sa.dialect.identifier_preparer.quote
        tables = [name for kind, name, _ in schema if kind == "table"]
        rows = {name: sorted(map(repr, connection.rows(f"SELECT * FROM {quote(name)}"))) for name in tables}
    if database.dialect == "sqlite":
        database.close()  # no connection of SQLite's may go through a fork
    return {"schema": schema, "rows": rows}


SCHEMA = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2",
    "postgresql": """
        SELECT 'table', c.relname, string_agg(a.attname || format_type(a.atttypid, 0), ',' ORDER BY a.attnum)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' GROUP BY c.relname
        UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace
        UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
        ORDER BY 1, 2
    """,
}


def wait_until_alone(connection: Connection) -> None:
    """The server needs a moment to see that a client is gone."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 10
    while connection.rows(others) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.002)
