"""Jobs in the database: leased to one worker at a time, marked as done, tried again later, parked.

Every change of a leased job asks that it still is leased to who changes it: a worker that was away for too long finds
that another has its job, and undoes what it did.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa

from engine.store import system_jobs
from engine.store.database import Compiled, Connection, compile_sql

__all__ = [
    "LEASE", "MOST_TRIES", "PAUSES", "LeaseLost", "Leased", "fail", "finish", "forgotten", "lease",
    "next_due", "prune", "recover", "renew",
]  # fmt: skip

LEASE = timedelta(seconds=60)
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200, 21600))
"""Before a job is tried for the second, the third … time. After the last, it is parked."""
MOST_TRIES = len(PAUSES) + 1
KEPT = timedelta(days=7)  # of jobs that are over
PIECE = 1000  # jobs that are removed at once
LONGEST_ERROR = 1000
OVER = ("done", "discarded")

job = system_jobs.job
c = job.c


class LeaseLost(Exception):
    """The lease had ended, and another worker has the job or had it."""


@dataclass(frozen=True, slots=True)
class Leased:
    id: str
    kind: str
    payload: str  # JSON, read within the try: one that cannot be read keeps no other from being leased
    due_at: datetime
    tries: int  # this one included
    worker: str
    by: str  # the id of the user whose transaction left it, or ""


def lease(connection: Connection, worker: str, now: datetime, most: int, *, instead: bool = False) -> Leased | None:
    """The job that has been due for longest. None where none is due, or `most` are leased in this tenant already.

    `instead`: the caller ended one in the same transaction, so that there are not more than before.
    """
    if not instead:
        if connection.dialect == "postgresql":  # else two at once would both find room for one more
            connection.rows("SELECT 1 FROM pg_advisory_xact_lock(hashtextextended(current_schema() || ' jobs', 0))")
        counted = _count_leased(connection.dialect)
        if int(connection.rows(counted.sql, counted.bind({}))[0][0]) >= most:
            return None
    taken = _lease(connection.dialect)
    rows = connection.rows(taken.sql, taken.bind({"_now": now, "_until": now + LEASE, "_by": worker}))
    if not rows:
        return None
    key, kind, payload, due_at, tries, by = rows[0]
    due_at = due_at if isinstance(due_at, datetime) else datetime.fromisoformat(due_at)
    return Leased(str(key), kind, payload, due_at, tries, worker, str(by or ""))


def finish(connection: Connection, held: Leased, now: datetime) -> None:
    """Raises LeaseLost."""
    done = _finish(connection.dialect)
    values = {"_id": held.id, "_by": held.worker, "_tries": held.tries, "_now": now}
    if connection.run(done.sql, done.bind(values)) != 1:
        raise LeaseLost(held.id)


def fail(connection: Connection, held: Leased, error: str, now: datetime, *, for_good: bool = False) -> bool:
    """Later once more, or not: True where it is parked. Raises LeaseLost."""
    is_last = for_good or held.tries >= MOST_TRIES
    state = {"state": "parked"} if is_last else {"state": "waiting", "due_at": now + PAUSES[held.tries - 1]}
    ended = {"leased_by": None, "leased_until": None, "error": plain(error)}
    if connection.sa.execute(sa.update(job).where(*_is_held(held)).values(**state, **ended)).rowcount != 1:
        raise LeaseLost(held.id)
    return is_last


def renew(connection: Connection, held: Leased, now: datetime) -> bool:
    """False where the lease is lost."""
    longer = sa.update(job).where(*_is_held(held)).values(leased_until=now + LEASE)
    return connection.sa.execute(longer).rowcount == 1


def recover(connection: Connection, now: datetime) -> int:
    """Free the jobs of workers that did not come back. Those that this happened to too often are parked."""
    # Not those that a transaction writes right now: whoever has them is at work.
    those = sa.select(c.id).where(c.state == "leased", c.leased_until <= now).with_for_update(skip_locked=True)
    ended = (c.id.in_(those.scalar_subquery()),)
    free = {"leased_by": None, "leased_until": None}
    error = f"its worker ended while it ran, {MOST_TRIES} times"
    parked = sa.update(job).where(*ended, c.tries >= MOST_TRIES).values(state="parked", error=error, **free)
    waiting = sa.update(job).where(*ended).values(state="waiting", **free)  # those that are left
    return sum(connection.sa.execute(statement).rowcount for statement in (parked, waiting))


def next_due(connection: Connection, now: datetime) -> datetime | None:
    """When there is something to do: a job that waits, or a lease that may have ended by then."""
    found = _next_due(connection.dialect)
    times = [at for row in connection.rows(found.sql, found.bind({})) for at in row if at is not None]
    return min((at if isinstance(at, datetime) else datetime.fromisoformat(at) for at in times), default=None)


def prune(connection: Connection, now: datetime) -> int:
    """Remove jobs that have been over for a week, a piece at a time."""
    before = now - KEPT
    old = sa.select(c.id).where(c.state.in_(OVER), c.due_at <= before, c.done_at <= before).limit(PIECE)
    return connection.sa.execute(sa.delete(job).where(c.id.in_(old.scalar_subquery()))).rowcount


def forgotten(job_id: str) -> Callable[[Connection], None]:
    """What an outside handler returns so that nothing is kept of what left."""

    def finish(connection: Connection) -> None:
        connection.sa.execute(sa.update(job).where(c.id == job_id).values(payload="{}"))

    return finish


def plain(text: str) -> str:
    return text[:LONGEST_ERROR].encode("utf-8", "replace").decode().replace("\0", "")


def _is_held(held: Leased) -> tuple[sa.ColumnElement[bool], ...]:
    return c.id == held.id, c.state == "leased", c.leased_by == held.worker, c.tries == held.tries


@cache
def _count_leased(dialect: str) -> Compiled:
    return compile_sql(sa.select(sa.func.count()).select_from(job).where(c.state == "leased"), dialect)


@cache
def _lease(dialect: str) -> Compiled:
    first = sa.select(c.id).where(c.state == "waiting", c.due_at <= sa.bindparam("_now", type_=c.due_at.type))
    first = first.order_by(c.due_at, c.id).limit(1).with_for_update(skip_locked=True)  # SQLite leaves the last one out
    taken = sa.update(job).where(c.id == first.scalar_subquery())
    values = {
        c.state: "leased", c.tries: c.tries.op("+")(1), c.leased_by: sa.bindparam("_by", type_=c.leased_by.type),
        c.leased_until: sa.bindparam("_until", type_=c.leased_until.type),
    }  # fmt: skip
    return compile_sql(taken.values(values).returning(c.id, c.kind, c.payload, c.due_at, c.tries, c.by), dialect)


@cache
def _finish(dialect: str) -> Compiled:
    held = (
        c.id == sa.bindparam("_id", type_=c.id.type), c.state == "leased",
        c.leased_by == sa.bindparam("_by", type_=c.leased_by.type),
        c.tries == sa.bindparam("_tries", type_=c.tries.type),
    )  # fmt: skip
    over = {
        c.state: "done", c.done_at: sa.bindparam("_now", type_=c.done_at.type), c.leased_by: None,
        c.leased_until: None, c.error: None,
    }  # fmt: skip
    return compile_sql(sa.update(job).where(*held).values(over), dialect)


@cache
def _next_due(dialect: str) -> Compiled:
    waiting = sa.select(sa.func.min(c.due_at)).where(c.state == "waiting").scalar_subquery()
    leased = sa.select(sa.func.min(c.leased_until)).where(c.state == "leased").scalar_subquery()
    return compile_sql(sa.select(waiting, leased), dialect)
