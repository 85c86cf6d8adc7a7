"""The hands of a process with several tenants, in real time."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.api.fleet import Fleet
from engine.app import create_app, create_fleet
from engine.config import Config
from engine.jobs import crew as crews
from engine.jobs.crew import Crew
from engine.jobs.handlers import Job, inside, outside
from engine.jobs.port import enqueue
from engine.publish import apply, ensure, plan
from engine.store import system_jobs
from engine.tenancy.catalogue import Catalogue
from engine.tenancy.restore import Place
from engine.tenants import Tenant, storage_of
from tests.jobs.conftest import NOTES

SEEN: list[tuple[str, str]] = []
HELD_BACK = 30.0  # how long a test waits at most


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    SEEN.clear()
    inside("note")(lambda job, connection: SEEN.append((job.ctx.tenant.name, str(job.payload.get("name")))))
    return Place("" if database_url.startswith("sqlite") else database_url, tmp_path / "data")


def made(place: Place, name: str) -> Tenant:
    tenant = place.tenant(name)
    ensure(tenant, datetime.now(UTC))
    folder = place.data.parent / f"package-{name}"
    folder.mkdir(exist_ok=True)
    (folder / "package.yaml").write_text(NOTES, encoding="utf-8")
    apply(tenant, plan(tenant, [folder]), None, datetime.now(UTC))
    return tenant


def put(tenant: Tenant, name: str = "", kind: str = "note") -> None:
    with tenant.database.write() as connection:
        enqueue(connection, kind, {"name": name}, now=datetime.now(UTC))


def damage(place: Place, name: str) -> None:
    with closing(storage_of(place.url, place.data, name)) as database, database.write() as connection:
        if connection.dialect == "postgresql":
            connection.run(f"CREATE SCHEMA {name}")
        connection.run("CREATE TABLE fs_state (other integer)")


async def until(is_so: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < HELD_BACK
        await asyncio.sleep(0.01)
    return time.monotonic() - began


def test_the_jobs_of_every_tenant_are_done_also_of_those_that_are_closed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crews, "CLOSED_LOOK_S", 0.1)
    tenants = {name: made(place, name) for name in ("main", "north", "south")}
    catalogue = Catalogue(place.url, place.data)
    for name in ("north", "south"):
        catalogue.add(name, (), datetime.now(UTC))
        put(tenants[name], "before")
    catalogue.add("broken", (), datetime.now(UTC))  # comes first, and keeps nobody waiting
    damage(place, "broken")

    async def serve() -> None:
        fleet = Fleet(Config(database_url=place.url, data=place.data, ui="", open_tenants=1), create_app)
        crew = Crew(fleet)
        crew.start()
        await until(lambda: len(SEEN) == 2)
        await until(lambda: len(fleet.open) <= 2)  # the default one is kept
        put(tenants["north"], "later")
        await until(lambda: ("north", "later") in SEEN)
        await crew.close()
        await fleet.close()

    asyncio.run(serve())
    assert sorted(SEEN) == [("north", "before"), ("north", "later"), ("south", "before")]
    for tenant in tenants.values():
        tenant.close()
    catalogue.close()


def test_a_job_left_in_the_same_process_is_begun_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "FIRST_PAUSE_S", 20.0)
    monkeypatch.setattr(crews, "LONGEST_PAUSE_S", 20.0)
    made(place, "main").close()

    async def serve() -> float:
        fleet = Fleet(Config(database_url=place.url, data=place.data, ui=""), create_app)
        crew = Crew(fleet)
        used = await fleet.take("main")
        assert used is not None
        crew.start()
        await asyncio.sleep(0.5)  # they have looked, and wait
        put(used.tenant)
        took = await until(lambda: len(SEEN) == 1)
        await fleet.give_back(used)
        await crew.close()
        await fleet.close()
        return took

    assert asyncio.run(serve()) < 5


def test_a_slow_job_does_not_keep_others_waiting(place: Place) -> None:
    tenant = made(place, "main")
    may_end: list[bool] = []

    @outside("slow")
    def slow(job: Job) -> None:
        began = time.monotonic()
        while not may_end and time.monotonic() - began < HELD_BACK:
            time.sleep(0.01)

    put(tenant, kind="slow")
    put(tenant, "quick")

    async def serve() -> None:
        fleet = Fleet(Config(database_url=place.url, data=place.data, ui=""), create_app)
        crew = Crew(fleet)
        crew.start()
        await until(lambda: SEEN == [("main", "quick")])
        may_end.append(True)
        await until(lambda: done(tenant) == 2)
        await crew.close()
        await fleet.close()

    asyncio.run(serve())
    tenant.close()


def done(tenant: Tenant) -> int:
    with tenant.database.read() as connection:
        job = system_jobs.job.c
        return int(connection.sa.scalar(sa.select(sa.func.count()).where(job.state == "done")) or 0)


def test_whoever_serves_works_too_where_the_settings_say_so(place: Place) -> None:
    tenant = made(place, "main")
    put(tenant, "Ada")

    async def serve(worker: bool) -> str:
        config = Config(database_url=place.url, data=place.data, ui="", worker=worker)
        front, sent = create_fleet(config), []
        messages = iter(("lifespan.startup", "lifespan.shutdown"))

        async def receive() -> dict[str, str]:
            kind = next(messages)
            if kind == "lifespan.shutdown":
                await (until(lambda: bool(SEEN)) if worker else asyncio.sleep(0.5))
            return {"type": kind}

        async def send(message: dict[str, str]) -> None:
            sent.append(message["type"])

        await front({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
        return front.fleet.metrics.text()

    assert "fieldstone_jobs_total" not in asyncio.run(serve(False))
    assert SEEN == []
    assert 'fieldstone_jobs_total{kind="note",outcome="done"} 1' in asyncio.run(serve(True))
    assert SEEN == [("main", "Ada")]
    tenant.close()
