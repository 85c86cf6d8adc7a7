"""Workers that are killed, each at another point of a job, and two that share out many."""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from engine.api.site import Site
from engine.jobs import store
from engine.jobs.handlers import Job, inside, outside
from engine.jobs.port import enqueue
from engine.jobs.worker import Worker
from engine.service import Query, Records
from engine.store.database import Connection
from engine.tenants import open_tenant
from engine.testing import Running
from tests.jobs.conftest import NOW

LATER = NOW + timedelta(seconds=61)


def in_a_process(site: Running, work: Callable[[Worker], object]) -> int:
    """Fork a worker with connections of its own. How it ended: 0, or the number of the signal."""
    child = os.fork()
    if child == 0:
        try:
            config = site.config
            tenant = open_tenant(config.database_url, config.data, config.tenant, site.tenant.plugins, config.files)
            work(Worker(Site(config, tenant)))
        finally:
            os._exit(0)  # nothing of the parent's is closed
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def die(*args: object, **more: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def before(module: Any, name: str) -> Callable[[], None]:
    return lambda: setattr(module, name, die)


def after(module: Any, name: str, *, left: int = 1) -> Callable[[], None]:
    """Die after the function has ended for the `left`-th time."""

    def arm() -> None:
        real, seen = getattr(module, name), [0]

        def dying(*args: object, **more: object) -> object:
            result = real(*args, **more)
            seen[0] += 1
            return die() if seen[0] == left else result

        setattr(module, name, dying)

    return arm


def notes(site: Running) -> list[str]:
    return [row["name"] for row in site.records().list(Query("note", fields=("name",), limit=500)).records]


POINTS = {
    "leased, not begun": before(Worker, "carry_out"),
    "begun, nothing done": before(Worker, "job"),
    "marked, within the transaction": after(store, "finish"),
    "done, before the commit": before(Worker, "next"),
    "after the commit": after(Worker, "carry_out"),
}


@pytest.mark.parametrize("point", POINTS)
def test_an_effect_in_the_database_happens_once_whenever_its_worker_is_killed(site: Running, point: str) -> None:
    @inside("note")
    def write(job: Job, connection: Connection) -> None:
        Records(job.ctx).create("note", {"name": job.id})

    with site.tenant.database.write() as connection:
        made = enqueue(connection, "note", {}, now=NOW)

    def killed(worker: Worker) -> None:
        POINTS[point]()
        worker.run_until_idle(NOW)

    assert in_a_process(site, killed) == signal.SIGKILL
    assert site.work(NOW + timedelta(seconds=59)) == 0
    assert site.work(LATER) == (0 if point == "after the commit" else 1)
    assert notes(site) == [made]


def test_an_effect_in_the_database_that_was_written_and_not_committed_is_undone(site: Running) -> None:
    @inside("note")
    def write(job: Job, connection: Connection) -> None:
        Records(job.ctx).create("note", {"name": f"{job.id} {job.tries}"})
        if job.tries == 1:
            die()

    with site.tenant.database.write() as connection:
        made = enqueue(connection, "note", {}, now=NOW)
    assert in_a_process(site, lambda worker: worker.run_until_idle(NOW)) == signal.SIGKILL
    assert notes(site) == []
    site.work(LATER)
    assert notes(site) == [f"{made} 2"]


@pytest.mark.parametrize(
    ("point", "times"),
    [("leased, not begun", 1), ("begun, nothing done", 1), ("marked, within the transaction", 2),
     ("done, before the commit", 2), ("after the commit", 1)],
)  # fmt: skip
def test_an_effect_elsewhere_happens_at_least_once_and_is_known_by_its_id(
    site: Running, point: str, times: int, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")

    @outside("call")
    def call(job: Job) -> Callable[[Connection], None]:
        with elsewhere.open("a") as file:
            file.write(f"{job.id}\n")
        return lambda connection: Records(job.ctx).create("note", {"name": job.id}) and None

    with site.tenant.database.write() as connection:
        made = enqueue(connection, "call", {}, now=NOW)

    def killed(worker: Worker) -> None:
        POINTS[point]()
        worker.run_until_idle(NOW)

    assert in_a_process(site, killed) == signal.SIGKILL
    site.work(LATER)
    assert elsewhere.read_text().split() == [made] * times
    assert notes(site) == [made]  # what came of it is written down once


def test_two_workers_share_out_sixty_jobs_and_each_is_done_once(site: Running) -> None:
    both = multiprocessing.get_context("fork").Barrier(2, timeout=60)
    begun: list[int] = []

    @outside("note")
    def write(job: Job) -> Callable[[Connection], None]:
        if not begun:  # the first of each: it is held until the other worker has one, too
            both.wait()
        begun.append(job.payload["number"])
        name = f"{job.payload['number']} {os.getpid()}"
        return lambda connection: Records(job.ctx).create("note", {"name": name}) and None

    with site.tenant.database.write() as connection:
        for number in range(60):
            enqueue(connection, "note", {"number": number}, now=NOW)
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                in_this_process(site)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    found = [name.split() for name in notes(site)]
    assert sorted(int(number) for number, _ in found) == list(range(60))
    assert set(Counter(who for _, who in found)) == {str(child) for child in children}
    assert site.work(LATER) == 0


def in_this_process(site: Running) -> None:
    config = site.config
    tenant = open_tenant(config.database_url, config.data, config.tenant, site.tenant.plugins, config.files)
    Worker(Site(config, tenant)).run_until_idle(NOW)


def test_after_three_days_of_downtime_what_was_due_is_done_in_its_order(site: Running) -> None:
    seen: list[int] = []

    @inside("note")
    def write(job: Job, connection: Connection) -> None:
        seen.append(job.payload["day"])

    with site.tenant.database.write() as connection:
        for day in (3, 1, 2, 4):
            enqueue(connection, "note", {"day": day}, now=NOW, due_at=NOW + timedelta(days=day))
    site.work(NOW + timedelta(days=3))
    assert seen == [1, 2, 3]
