"""What happens at set times: the worker's tick, and due times of cron expressions, each taken once."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.context import Context
from engine.store import system_jobs
from engine.store.database import Connection, Database
from metadata.cron import read_cron

__all__ = ["NEVER", "SOURCES", "Source", "Ticks", "due_times", "forget", "next_time", "take_due"]

Policy = Literal["catch_up_all", "catch_up_last", "skip"]
log = logging.getLogger("fieldstone.jobs")

Source = Callable[[Context, Connection, datetime], datetime | None]
"""Called with the system's context, in a transaction of its own, at a time; it puts what is due by then into the
outbox. Returns when it wants to be called next, unless definitions change before; None is in a minute."""
SOURCES: list[Source] = []

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
EVERY = timedelta(minutes=1)
LATE = timedelta(minutes=5)  # beyond that, a due time was missed
MOST_CAUGHT_UP = 1000


class Ticks:
    """Of one tenant: when the sources are called next."""

    def __init__(self) -> None:
        self.next_at: datetime | None = None
        self.version = -1

    def is_due(self, now: datetime, version: int) -> bool:
        return version != self.version or self.next_at is None or now >= self.next_at

    def tick(self, database: Database, now: datetime, context: Callable[[Connection], Context]) -> None:
        """Whatever a source raises keeps neither the others nor the jobs waiting."""
        at = NEVER
        for source in SOURCES:
            wanted: datetime | None = None
            try:
                with database.together() as connection:
                    ctx = context(connection)
                    self.version = ctx.snapshot.version
                    wanted = source(ctx, connection, now)
            except Exception:
                log.exception("due times could not be looked for")
            at = min(at, wanted or now + EVERY)
        self.next_at = at


def due_times(expression: str, zone: str, after: datetime, until: datetime, policy: Policy) -> list[datetime]:
    """The due times later than `after` and up to `until`, in UTC and in order, that are to be carried out at `until`.

    "catch_up_all": all of them (the last 1000); "catch_up_last": the last; "skip": the last, unless it is more than
    five minutes late. Raises CronError.
    """
    cron, where = read_cron(expression), ZoneInfo(zone or "UTC")
    if policy == "catch_up_all":
        return list(cron.times(where, after, until))[-MOST_CAUGHT_UP:]
    after = max(after, until - LATE) if policy == "skip" else after
    last = cron.last(where, after, until)
    return [last] if last else []


def next_time(expression: str, zone: str, after: datetime) -> datetime | None:
    """The first due time that is later. Raises CronError."""
    return read_cron(expression).next(ZoneInfo(zone or "UTC"), after)


def take_due(
    connection: Connection, name: str, expression: str, zone: str, now: datetime, policy: Policy = "catch_up_last"
) -> list[datetime]:  # fmt: skip
    """The due times of the schedule of that name since it was last asked, each of them once. A schedule that is new
    begins now."""
    table = system_jobs.schedule
    insert = (sqlite if connection.dialect == "sqlite" else postgresql).insert(table)
    new = insert.values(name=name, last_due_at=now).on_conflict_do_nothing()
    if connection.sa.execute(new).rowcount == 1:
        return []
    wanted = sa.select(table.c.last_due_at).where(table.c.name == name).with_for_update()  # one worker at a time
    after: datetime = connection.sa.execute(wanted).scalar_one()
    last = read_cron(expression).last(ZoneInfo(zone or "UTC"), after, now)
    if last is None:
        return []
    connection.sa.execute(sa.update(table).where(table.c.name == name).values(last_due_at=last))
    return due_times(expression, zone, after, now, policy)


def forget(connection: Connection, prefix: str, names: Sequence[str]) -> None:
    """Schedules of this prefix but these: one that comes back later is new, and makes up for nothing."""
    c = system_jobs.schedule.c
    gone = c.name.startswith(prefix, autoescape=True), c.name.not_in([f"{prefix}{name}" for name in names])
    connection.sa.execute(sa.delete(system_jobs.schedule).where(*gone))
