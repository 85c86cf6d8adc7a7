"""One process serves many tenants: each request finds its own, and nothing of another."""

import asyncio
import gc
import os
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from engine.api.fleet import Fleet
from engine.api.site import CSRF_HEADER
from engine.app import create_fleet
from engine.config import Config
from engine.context import SYSTEM, context_of
from engine.errors import WrongTenant
from engine.people import sessions, tokens, users
from engine.people.sessions import COOKIE
from engine.service import AggregateQuery, Query, Records
from engine.service_deletion import delete_in
from engine.service_writes import create_in, update_in
from engine.store import system
from engine.store.aggregate import aggregate
from engine.store.database import Database
from engine.store.query import find
from engine.tenancy import storage
from engine.tenancy.catalogue import Catalogue
from engine.tenancy.catalogue import tenant as table_of_tenants
from engine.tenancy.restore import Place
from engine.tenants import Tenant
from tests.depth import at_depth
from tests.tenants.conftest import NOW, Opener

PACKAGE = """
package: things
label: Things
version: 1.0.0
---
object: thing
label: {label}
fields:
  {field}: {{type: text, label: Field of {label}, required: true}}
"""


class Process:
    """A process that serves the tenants of a place."""

    def __init__(self, place: Place, **settings: object) -> None:
        self.config = Config(database_url=place.url, data=place.data, ui="ui.pages:mount", **settings)  # type: ignore[arg-type]
        self.front = create_fleet(self.config)
        self.client = TestClient(self.front, base_url="http://localhost", follow_redirects=False)
        self.client.__enter__()

    @property
    def fleet(self) -> Fleet:
        return self.front.fleet

    def forget(self) -> None:
        """As if what the process knows of the catalogue were old."""
        self.fleet._read_at = float("-inf")

    def get(self, path: str, host: str = "localhost", **headers: str):  # type: ignore[no-untyped-def]
        return self.client.get(path, headers={"host": host, **headers})


@pytest.fixture
def process(place: Place) -> Iterator[Process]:
    made = Process(place, base_domain="example.com", open_tenants=3, connections=12)
    yield made
    made.client.__exit__(None, None, None)


@pytest.fixture
def two(place: Place, opened: Opener) -> tuple[Tenant, Tenant]:
    """main, and north at north.example.com and at crm.north.test; each with its own definitions of `thing`."""
    main = opened("main", PACKAGE.format(label="Main thing", field="alpha"))
    north = opened("north", PACKAGE.format(label="North thing", field="beta"))
    for tenant in (main, north):
        users.create_user(tenant, "ann", now=NOW, roles=["admin"])
    catalogue = Catalogue(place.url, place.data)
    catalogue.add("north", ["crm.north.test"], NOW)
    catalogue.close()
    return main, north


def token(tenant: Tenant, username: str = "ann") -> dict[str, str]:
    user = users.find_user(tenant, username)
    return {"authorization": f"Bearer {tokens.make_token(tenant, user.id, now=NOW, days=3650)}"}


def test_a_host_name_leads_to_its_tenant(two: tuple[Tenant, Tenant], process: Process) -> None:
    main, north = two
    of_main, of_north = token(main), token(north)
    assert of_north["authorization"].startswith("Bearer fs_north.")
    assert fields(process.get("/api/v1/objects/thing", **of_main)) == {"alpha"}
    for host in ("north.example.com", "NORTH.example.com:8000", "crm.north.test"):
        assert fields(process.get("/api/v1/objects/thing", host, **of_north)) == {"beta"}
    assert process.get("/api/v1/objects", "north.example.com", **of_main).status_code == 401
    assert process.get("/login", "north.example.com").status_code == 200


def test_a_token_leads_to_its_tenant_where_the_host_is_nobodys(two: tuple[Tenant, Tenant], process: Process) -> None:
    _, north = two
    assert fields(process.get("/api/v1/objects/thing", "localhost", **token(north))) == {"beta"}
    for forged in ("Bearer fs_main.x", "Bearer fs_other.x", "Bearer fs_north.x", "Bearer fs_fs_tenants.x"):
        answer = process.get("/api/v1/objects", authorization=forged)
        assert (answer.status_code, answer.json()["code"]) == (401, "auth.required")


def test_unknown_and_suspended_are_answered_alike(two: tuple[Tenant, Tenant], process: Process, place: Place) -> None:
    _, north = two
    sent = token(north)
    assert process.get("/api/v1/objects", "north.example.com", **sent).status_code == 200
    catalogue = Catalogue(place.url, place.data)
    catalogue.set_state("north", "suspended")
    process.forget()
    answers = [
        process.get("/api/v1/objects", host, **sent | {"x-request-id": "one"})
        for host in ("north.example.com", "other.example.com", "a.b.test", "crm.north.test")
    ]
    assert {(a.status_code, a.text) for a in answers} == {(400, answers[0].text)}
    assert answers[0].json()["code"] == "host"
    assert process.get("/api/v1/objects", **sent).status_code == 401
    assert "north" not in process.fleet.open
    catalogue.set_state("north", "active")
    process.fleet._read_at -= 1  # not old, but a host name that is not served is looked for anew
    assert process.get("/api/v1/objects", "north.example.com", **sent).status_code == 200
    catalogue.add("main", [], NOW, "suspended")
    process.forget()
    assert process.get("/login").status_code == 400
    assert process.get("/healthz").status_code == 200
    catalogue.close()


def test_a_session_of_one_tenant_is_nothing_in_another(two: tuple[Tenant, Tenant], process: Process) -> None:
    main, _ = two
    session = sessions.open_session(main, users.find_user(main, "ann").id, now=process_now(process))
    cookie = {"cookie": f"{COOKIE}={session.secret}", CSRF_HEADER: session.csrf}
    assert process.get("/o/thing", **cookie).status_code == 200
    assert process.get("/o/thing", "north.example.com", **cookie).status_code == 303
    assert process.get("/api/v1/objects", "north.example.com", **cookie).status_code == 401


def test_a_new_tenant_is_served_at_once(
    two: tuple[Tenant, Tenant], process: Process, place: Place, opened: Opener
) -> None:
    assert process.get("/login", "south.example.com").status_code == 400
    opened("south")
    catalogue = Catalogue(place.url, place.data)
    catalogue.add("south", [], NOW, "unfinished")
    assert process.get("/login", "south.example.com").status_code == 400
    catalogue.set_state("south", "active")
    process.fleet._read_at -= 1
    assert process.get("/login", "south.example.com").status_code == 200
    catalogue.remove("south")
    catalogue.close()
    process.forget()
    assert process.get("/login", "north.example.com").status_code == 200
    assert "south" not in process.fleet.open  # nothing of it is kept open


def test_a_tenant_that_was_deleted_just_now_is_not_made_by_who_asks_for_it(
    two: tuple[Tenant, Tenant], process: Process, place: Place
) -> None:
    assert process.get("/healthz").status_code == 200  # the catalogue is known
    storage.drop(two[1].database)
    assert process.get("/login", "north.example.com").status_code == 400
    assert not storage.exists(place.url, place.data, "north")


def test_tenants_with_different_packages_never_mix(place: Place, opened: Opener) -> None:
    """16 threads, both tenants at once, API and screens, while only one other may stay open."""
    names = ["main", "north", "south", "west"]
    catalogue = Catalogue(place.url, place.data)
    sent = {}
    for name in names:
        tenant = opened(name, PACKAGE.format(label=f"Thing of {name}", field=f"f_{name}"))
        users.create_user(tenant, "ann", now=NOW, roles=["admin"])
        sent[name] = token(tenant)
        if name != "main":
            catalogue.add(name, [], NOW)
    catalogue.close()
    process = Process(place, base_domain="example.com", open_tenants=2, connections=8)
    failures: list[object] = []
    most_connections = 0

    def visit(number: int) -> None:
        nonlocal most_connections
        for turn in range(at_depth(5, 12)):
            name = names[(number + turn) % len(names)]
            host = "localhost" if name == "main" else f"{name}.example.com"
            if turn % 4 == 0:
                value = f"of {name}"
                made = process.client.post(
                    "/api/v1/records/thing", json={f"f_{name}": value}, headers={"host": host, **sent[name]}
                )
                if made.status_code != 201:
                    failures.append((name, made.text))
            found = process.get("/api/v1/objects/thing", host, **sent[name])
            listed = process.get("/api/v1/records/thing?limit=200", host, **sent[name])
            openapi = process.get("/api/v1/openapi.json", host, **sent[name])
            screen = process.get("/o/thing", host, **sent[name])
            values = {row[f"f_{name}"] for row in listed.json()["records"]}
            if fields(found) != {f"f_{name}"} or values - {f"of {name}"} or screen.status_code != 200:
                failures.append((name, found.text, values, screen.status_code))
            for other in names:
                texts = openapi.text + screen.text
                if (f"f_{other}" in texts) != (other == name):
                    failures.append((name, other))
            most_connections = max(most_connections, process.fleet.budget.count)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(visit, range(16)))
    assert failures == []
    assert most_connections <= 12
    assert process.fleet.budget.count <= 8
    deadline = time.monotonic() + 10
    while len(process.fleet.open) > 2:  # what was given back last is closed a moment later
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.client.__exit__(None, None, None)
    assert process.fleet.budget.count == 0


def fields(answer) -> set[str]:  # type: ignore[no-untyped-def]
    assert answer.status_code == 200, answer.text
    system = {"id", "owner", "created_at", "created_by", "modified_at", "modified_by", "version", "deleted_at"}
    return {field["name"] for field in answer.json()["fields"]} - system


def process_now(process: Process):  # type: ignore[no-untyped-def]
    return datetime.now(UTC)


def test_a_thousand_tenants_cost_only_those_that_are_open(tmp_path: Path) -> None:
    """SQLite: files are copies of one, so that making them is quick."""
    place = Place("", tmp_path / "data")
    opener = Opener(place)
    main = opener("main")
    users.create_user(main, "ann", now=NOW, roles=["admin"])
    with main.database.read() as connection:
        connection.run("PRAGMA wal_checkpoint(TRUNCATE)")
    main.close()
    names = [f"t{number}" for number in range(1000)]
    whole = (place.data / "main.db").read_bytes()
    for name in names:
        (place.data / f"{name}.db").write_bytes(whole)
    catalogue = Catalogue("", place.data)
    with catalogue.writing() as connection:
        rows = [{"name": name, "state": "active", "created_at": NOW} for name in names]
        connection.sa.execute(sa.insert(table_of_tenants), rows)
    catalogue.close()
    before = len(os.listdir("/proc/self/fd"))
    most_files, most_alive = asyncio.run(visited(place, names[:: at_depth(20, 1)], before))  # all take a minute
    assert most_files <= 3 * 30 + 10  # a connection has its file, the log and its index
    assert most_alive == 20  # what was dropped is nowhere held
    assert len(os.listdir("/proc/self/fd")) <= before


async def visited(place: Place, names: list[str], before: int) -> tuple[int, int]:
    """One after the other, each with what a request reads: most open files, and most tenants in memory."""
    config = Config(database_url=place.url, data=place.data, ui="ui.pages:mount", open_tenants=20, connections=30)
    fleet = create_fleet(config).fleet
    most_files = most_alive = 0
    seen: weakref.WeakSet[Tenant] = weakref.WeakSet()
    await fleet.look()
    for number, name in enumerate(names):
        used = await fleet.take(name)
        assert used is not None
        tenant = used.tenant
        assert (await fleet.lanes[0].run(tenant.snapshot)).version == 1
        assert [user.username for user in await fleet.lanes[0].run(lambda of=tenant: users.list_users(of))] == ["ann"]
        await fleet.give_back(used)
        seen.add(tenant)
        del used, tenant
        if number % 20 == 19:
            gc.collect()
            most_files = max(most_files, len(os.listdir("/proc/self/fd")) - before)
            most_alive = max(most_alive, len(seen))
    assert len(fleet.open) == 20
    assert list(fleet.open) == names[-20:]
    await fleet.close()
    return most_files, most_alive


@pytest.mark.postgres
def test_many_schemas_share_a_few_connections(postgres_url: str, tmp_path: Path) -> None:
    place = Place(postgres_url, tmp_path / "data")
    first = Opener(place)("t0")
    users.create_user(first, "ann", now=NOW, roles=["admin"])
    sent = token(first)
    names = [f"t{number}" for number in range(at_depth(16, 50))]
    catalogue = Catalogue(place.url, place.data)
    with first.database.write() as connection:
        tables = [name for (name,) in connection.rows("SELECT tablename FROM pg_tables WHERE schemaname = 't0'")]
        for name in names[1:]:  # quicker than publishing each time
            connection.run(f"CREATE SCHEMA {name}")
            for table in tables:
                connection.run(f'CREATE TABLE {name}."{table}" (LIKE "{table}" INCLUDING INDEXES)')
                connection.run(f'INSERT INTO {name}."{table}" SELECT * FROM "{table}"')
            connection.run(f"UPDATE {name}.\"user\" SET name = '{name}'")
        connection.run("UPDATE \"user\" SET name = 't0'")
    first.close()
    for name in names:
        catalogue.add(name, [], NOW)
    process = Process(place, base_domain="example.com", open_tenants=10, connections=8)

    def visit(name: str) -> bool:
        answer = process.get("/api/v1/records/user", f"{name}.example.com", **sent)
        return [row["name"] for row in answer.json()["records"]] == [name]

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(visit, [*names, *names])) == {True}
    with catalogue.database.read() as connection:
        count = connection.rows("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")[0][0]
    assert count <= 8 + 1
    process.client.__exit__(None, None, None)
    catalogue.close()


@pytest.mark.postgres
def test_a_connection_that_is_not_bound_to_its_schema_is_refused(postgres_url: str) -> None:
    database = Database.open(postgres_url, schema="north")
    with database.read() as connection:
        assert connection.rows("SHOW search_path") == [("north",)]
        connection.raw.execute("CREATE SCHEMA IF NOT EXISTS south", prepare=False)
    for text in (
        "SET search_path TO south", " set local search_path = south", "SET SESSION search_path TO south", "RESET ALL",
        "DISCARD ALL", "SELECT set_config('search_path', 'south', false)",
    ):  # fmt: skip
        with database.write() as connection:
            for run in (connection.run, connection.raw.execute, lambda sql: connection.sa.execute(sa.text(sql))):
                with pytest.raises(WrongTenant):
                    run(text)
    with database.read() as connection:
        assert connection.rows("SHOW search_path") == [("north",)]
    database.close()


def test_versions_on_which_approvals_run_still_are_loaded_once(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    north = opened("north", PACKAGE.format(label="North", field="name"))
    with north.database.write() as connection:
        first = dict(connection.sa.execute(sa.select(system.version)).mappings().one())
        connection.sa.execute(sa.insert(system.version), [{**first, "number": number} for number in range(2, 31)])
    loaded: list[int] = []
    load = north._load
    monkeypatch.setattr(north, "_load", lambda version: loaded.append(version) or load(version))
    for _ in range(3):
        for number in (30, *range(1, 11)):
            assert north.at(number).version == number
    assert loaded == [30, *range(1, 11)]
    for number in range(11, 31):
        north.at(number)
    assert len(north._versions) == 15
    assert {28, 29, 30} <= set(north._versions)


def test_what_is_run_for_one_tenant_is_refused_on_a_connection_of_another(opened: Opener) -> None:
    north, south = (opened(name, PACKAGE.format(label=name, field="name")) for name in ("north", "south"))
    ctx = context_of(north, SYSTEM, NOW)
    theirs = Records(context_of(south, SYSTEM, NOW)).create("thing", {"name": "theirs"})["id"]
    with south.database.write() as connection:
        for work in (
            lambda: find(ctx, connection, Query("thing")),
            lambda: aggregate(ctx, connection, AggregateQuery("thing")),
            lambda: create_in(ctx, connection, "thing", {"name": "ours"}),
            lambda: update_in(ctx, connection, "thing", theirs, {"name": "ours"}, None),
            lambda: delete_in(ctx, connection, "thing", theirs, None),
        ):
            with pytest.raises(WrongTenant):
                work()
    (left,) = Records(context_of(south, SYSTEM, NOW)).list(Query("thing", ("name",))).records
    assert left["name"] == "theirs"
    south.database._idle.extend(north.database._idle)
    with pytest.raises(WrongTenant), south.database.read():
        pass
