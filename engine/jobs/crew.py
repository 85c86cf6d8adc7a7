"""The workers of a process that has many tenants: a few hands that go round and do what is due.

A tenant is opened for its jobs and due times, and may be closed again when it has none: a closed one is only looked
into now and then.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.api.lane import Lane
from engine.jobs import store
from engine.jobs.schedule import Ticks
from engine.jobs.worker import Worker
from engine.store.database import Database
from engine.store.types import DateTime, Integer, Text
from engine.tenants import Tenant, current_version, storage_of

if TYPE_CHECKING:
    from engine.api.fleet import Fleet

__all__ = ["Crew"]

log = logging.getLogger("fieldstone.jobs")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
LOOKED_AFTER_S = 5.0  # between two times that leases which ended are looked for
CLOSED_LOOK_S = 30.0  # between two looks into a tenant that is closed
AFTER_FAILURE_S = 10.0  # before a tenant that could not be looked into is looked into again
BURST_S = 1.0  # of one tenant's jobs, before the next tenant has its turn
STOP_S = 20.0


@dataclass(slots=True, eq=False)
class Watch:
    """What is known of one tenant, open or closed."""

    name: str
    ticks: Ticks = field(default_factory=Ticks)
    looked_at: float = float("-inf")  # while it was closed
    looked_after: float = float("-inf")
    not_before: float = float("-inf")  # after a failure
    pruned_at: datetime | None = None


class Crew:
    """Belongs to the event loop of its fleet. `only`: the one tenant to work for; "" is all of them."""

    def __init__(self, fleet: "Fleet", *, only: str = "", threads: int = 0) -> None:
        self.fleet, self.only = fleet, only
        self.size = threads or (2 if fleet.catalogue.database.dialect == "sqlite" else 4)
        self.lane = Lane("jobs", self.size)
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.watches: dict[str, Watch] = {}
        self.closing = False
        self.news = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.loop = asyncio.get_running_loop()
        fleet.wake = self.wake

    def wake(self) -> None:
        """Called in whatever thread has left a job."""
        if not self.closing:
            self.loop.call_soon_threadsafe(self.news.set)

    def start(self) -> None:
        self.tasks = [asyncio.create_task(self.work(number)) for number in range(self.size)]

    async def close(self) -> None:
        """After what each hand is about."""
        self.closing = True
        self.news.set()
        if self.tasks:
            _, late = await asyncio.wait(self.tasks, timeout=STOP_S)
            for task in late:
                task.cancel()
            if late:
                return  # their jobs are taken up by others once their leases have ended
        self.lane.close()

    async def work(self, number: int) -> None:
        """One hand: the first also looks after leases and due times."""
        pause_s = FIRST_PAUSE_S
        while not self.closing:
            self.news.clear()
            try:
                did_any = await self.round(number)
            except Exception:
                log.exception("looking for jobs failed")
                did_any = False
            pause_s = FIRST_PAUSE_S if did_any else min(pause_s * 2, LONGEST_PAUSE_S)
            if not (did_any or self.closing):
                try:
                    await asyncio.wait_for(self.news.wait(), pause_s)
                    pause_s = FIRST_PAUSE_S
                except TimeoutError:
                    pass

    async def round(self, number: int) -> bool:
        did_any = False
        for name in await self.names():
            if self.closing:
                break
            watch = self.watches.setdefault(name, Watch(name))
            if time.monotonic() < watch.not_before:
                continue
            try:
                if await self.is_due(watch, number == 0):
                    did_any = await self.serve(watch, number == 0) > 0 or did_any
            except Exception:  # one that is damaged, or was deleted just now, keeps no other waiting
                log.exception("the jobs of the tenant '%s' cannot be looked for", name)
                watch.not_before = time.monotonic() + AFTER_FAILURE_S
        return did_any

    async def names(self) -> list[str]:
        await self.fleet.look()
        if self.only:
            return [self.only]
        entries = self.fleet.by_name
        active = [name for name, entry in entries.items() if entry.state == "active"]
        return active if self.fleet.default in entries else [self.fleet.default, *active]

    async def is_due(self, watch: Watch, is_first: bool) -> bool:
        found = self.fleet.open.get(watch.name)
        if found is not None:
            tenant = found.tenant
            if is_first and time.monotonic() - watch.looked_after >= LOOKED_AFTER_S:
                return True
            return await self.lane.run(lambda: self.has_due(tenant, watch, is_first))
        if not is_first or time.monotonic() - watch.looked_at < CLOSED_LOOK_S:
            return False
        watch.looked_at = time.monotonic()
        return await self.lane.run(lambda: self.closed_has_due(watch))

    def has_due(self, tenant: Tenant, watch: Watch, is_first: bool) -> bool:
        now = self.clock()
        with tenant.database.read() as connection:
            due = store.next_due(connection, now)
            version = current_version(connection) if is_first else 0
        return (due is not None and due <= now) or (is_first and watch.ticks.is_due(now, version))

    def closed_has_due(self, watch: Watch) -> bool:
        """Without opening the tenant, which takes far longer."""
        fleet, now = self.fleet, self.clock()
        config = fleet.config_of(watch.name, fleet.by_name.get(watch.name))
        shared = fleet.catalogue.database
        database = (
            shared if shared.dialect == "postgresql" else storage_of(config.database_url, config.data, watch.name)
        )
        if database.is_absent:
            return False
        try:
            version, due = looked_into(database, watch.name if database is shared else None)
        except Exception:  # tables of an older release: they are made new when it is opened
            return True
        finally:
            if database is not shared:
                database.close()
        return version > 0 and ((due is not None and due <= now) or watch.ticks.is_due(now, version))

    async def serve(self, watch: Watch, is_first: bool) -> int:
        used = await self.fleet.take(watch.name)
        if used is None:
            return 0
        site = used.app.state.site
        worker = Worker(site, told=self.fleet.metrics.count_job)
        worker.ticks, worker.pruned_at = watch.ticks, watch.pruned_at
        try:
            return await self.lane.run(lambda: self.burst(worker, watch, is_first))
        except Exception:
            log.exception("jobs of the tenant '%s' could not be looked for", watch.name)
            return 0
        finally:
            watch.pruned_at = worker.pruned_at
            await self.fleet.give_back(used)

    def burst(self, worker: Worker, watch: Watch, is_first: bool) -> int:
        if is_first and time.monotonic() - watch.looked_after >= LOOKED_AFTER_S:
            watch.looked_after = time.monotonic()
            worker.look_after(self.clock())
        end = time.monotonic() + BURST_S
        return worker.work(self.clock, lambda: self.closing or time.monotonic() > end)


def looked_into(database: Database, schema: str | None) -> tuple[int, datetime | None]:
    """The version that runs, and when the next job is due."""
    state = sa.table("fs_state", sa.column("version", Integer()), schema=schema)
    job = sa.table("fs_job", sa.column("state", Text()), sa.column("due_at", DateTime()),
                   sa.column("leased_until", DateTime()), schema=schema)  # fmt: skip
    waiting = sa.select(sa.func.min(job.c.due_at)).where(job.c.state == "waiting").scalar_subquery()
    leased = sa.select(sa.func.min(job.c.leased_until)).where(job.c.state == "leased").scalar_subquery()
    with database.read() as connection:
        version, *times = connection.sa.execute(sa.select(state.c.version, waiting, leased)).one()
    return int(version), min((at for at in times if at is not None), default=None)
