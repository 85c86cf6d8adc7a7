"""Carries out the jobs of one tenant, one after the other. Several, in several processes, share them out."""

import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from engine.context import SYSTEM, Context, Origin, context_of
from engine.errors import EngineError
from engine.jobs import schedule, store
from engine.jobs.handlers import INSIDE, OUTSIDE, Job
from engine.jobs.renewal import Renewals
from engine.jobs.store import Leased, LeaseLost
from engine.process import inbox
from engine.store.database import Connection, new_id
from engine.store.failures import is_schema_changed
from engine.tenants import current_version

if TYPE_CHECKING:
    from engine.api.site import Site

__all__ = ["CHANNEL", "MOST_AT_ONCE", "Worker"]

log = logging.getLogger("fieldstone.jobs")
CHANNEL = "job"  # what the audit log names for what a job does; with its id
MOST_AT_ONCE = 8  # jobs of one tenant, in all processes together
PRUNED_EVERY = timedelta(hours=1)
RENEWALS = Renewals()

Told = Callable[[str, str], None]
"""(kind of a job, how it went: "done", "failed" or "parked")"""


class Worker:
    """Used by one thread. `told` hears of each job that was tried."""

    def __init__(
        self, site: "Site", *, most_at_once: int = MOST_AT_ONCE, told: Told = lambda kind, outcome: None,
    ) -> None:  # fmt: skip
        self.site, self.most_at_once, self.told = site, most_at_once, told
        self.name = f"{os.getpid()}-{new_id()[-12:]}"
        self.database = site.tenant.database
        self.ticks = schedule.Ticks()
        self.pruned_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """One job that is due, after what is done from time to time; False where none is."""
        self.look_after(now)
        held = self.taken(now)
        if held is None:
            return False
        self.carry_out(held, now, more=False)
        return True

    def run_until_idle(self, now: datetime) -> int:
        """All jobs that are due at `now`, and those that they leave behind. Returns how many times one was tried."""
        self.look_after(now)
        return self.work(lambda: now)

    def work(self, clock: Callable[[], datetime], is_enough: Callable[[], bool] = lambda: False) -> int:
        """Jobs that are due, until none is or `is_enough()`. Returns how many times one was tried."""
        count, held = 0, self.taken(clock())
        while held is not None:
            count += 1
            held = self.carry_out(held, clock(), more=not is_enough())
        return count

    def look_after(self, now: datetime) -> None:
        """Free what was leased to workers that ended; put due times of schedules into the outbox; clear away."""
        with self.database.write() as connection:
            store.recover(connection, now)
            if self.pruned_at is None or now - self.pruned_at >= PRUNED_EVERY:
                store.prune(connection, now)
                inbox.prune(connection, now)
                self.pruned_at = now
        if self.ticks.is_due(now, self.site.tenant.version()):
            self.ticks.tick(self.database, now, lambda connection: self.context(connection, now))

    def taken(self, now: datetime) -> Leased | None:
        with self.database.write() as connection:
            return store.lease(connection, self.name, now, self.most_at_once)

    def carry_out(self, held: Leased, now: datetime, *, more: bool) -> Leased | None:
        """Try one job. With `more`, the next one is leased in the same transaction, and returned."""
        try:
            following = self.tried(held, now, more)
        except LeaseLost:
            log.warning("job %s (%s) was taken over by another worker", held.id, held.kind)
            return None
        except Exception as error:
            return self.failed(held, error, now, more)
        self.told(held.kind, "done")
        return following

    def tried(self, held: Leased, now: datetime, more: bool) -> Leased | None:
        handler = INSIDE.get(held.kind)
        try:
            return self.inside(held, now, more) if handler is not None else self.outside(held, now, more)
        except Exception as error:
            if handler is None or not is_schema_changed(error):
                raise
        return self.inside(held, now, more)  # a publish came between

    def inside(self, held: Leased, now: datetime, more: bool) -> Leased | None:
        with self.database.together() as connection:
            store.finish(connection, held, now)  # first: the row is locked until the end, and nobody else begins it
            INSIDE[held.kind](self.job(held, connection, now), connection)
            return self.next(connection, now, more)

    def outside(self, held: Leased, now: datetime, more: bool) -> Leased | None:
        handler = OUTSIDE.get(held.kind)
        if handler is None:
            raise EngineError(f"nothing here carries out jobs of the kind '{held.kind}'", code="job.kind")
        with self.database.read() as connection:
            job = self.job(held, connection, now)
        with RENEWALS.kept(self.database, held, now):
            last = handler(job)
        with self.database.together() as connection:
            store.finish(connection, held, now)
            if last is not None:
                last(connection)
            return self.next(connection, now, more)

    def failed(self, held: Leased, error: Exception, now: datetime, more: bool) -> Leased | None:
        said = str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
        for_good = not getattr(error, "may_succeed_later", True)
        level = logging.WARNING if isinstance(error, EngineError) else logging.ERROR
        told = None if isinstance(error, EngineError) else error
        log.log(level, "job %s (%s) failed, try %d: %s", held.id, held.kind, held.tries, said, exc_info=told)
        try:
            with self.database.write() as connection:
                is_parked = store.fail(connection, held, said, now, for_good=for_good)
                following = self.next(connection, now, more)
        except LeaseLost:
            return None
        self.told(held.kind, "parked" if is_parked else "failed")
        return following

    def next(self, connection: Connection, now: datetime, more: bool) -> Leased | None:
        return store.lease(connection, self.name, now, self.most_at_once, instead=True) if more else None

    def job(self, held: Leased, connection: Connection, now: datetime) -> Job:
        ctx = self.context(connection, now, held.id)
        payload = orjson.loads(held.payload)
        return Job(held.id, held.kind, payload, held.due_at, held.tries, ctx.now, ctx, self.site, held.by)

    def context(self, connection: Connection, now: datetime, job: str = "") -> Context:
        tenant = self.site.tenant
        snapshot = tenant.at(current_version(connection))
        return context_of(tenant, SYSTEM, now, snapshot, Origin(CHANNEL, "", job))
