"""Looking after jobs: which there are, doing one again, giving one up. For the system permission manage_processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Context
from engine.errors import Conflict, Forbidden, NotFound, bad_at
from engine.store import system_jobs
from engine.store.database import Connection
from engine.store.types import is_id
from metadata.processes import ADMIN_PERMISSION

__all__ = ["STATES", "JobSeen", "check", "counts", "discard", "list_jobs", "may_manage_jobs", "replay"]

STATES = ("waiting", "leased", "done", "parked", "discarded")
job = system_jobs.job
c = job.c


@dataclass(frozen=True, slots=True)
class JobSeen:
    """What is shown of a job: never its payload, which may hold what its reader may not see."""

    id: str
    kind: str
    key: str
    state: str
    due_at: datetime
    tries: int
    error: str
    created_at: datetime
    by: str
    done_at: datetime | None


def may_manage_jobs(ctx: Context) -> bool:
    return ctx.actor.is_system or ctx.scope.has(ADMIN_PERMISSION)


def list_jobs(
    ctx: Context, *, state: str = "", kind: str = "", limit: int = 50, cursor: str = ""
) -> tuple[list[JobSeen], str]:  # fmt: skip
    """Newest first, and the cursor of the next ones, or "". Raises Forbidden, BadInput."""
    check(ctx)
    if state and state not in STATES:
        raise bad_at("state", "query.value", f"no state '{state[:40]}'", f"one of {', '.join(STATES)}")
    if cursor and not is_id(cursor):
        raise bad_at("cursor", "cursor.invalid", "this cursor is none of ours", "start without one")
    shown = (c.id, c.kind, c.key, c.state, c.due_at, c.tries, c.error, c.created_at, c.by, c.done_at)
    query = sa.select(*shown).order_by(c.id.desc()).limit(limit + 1)
    for column, value in ((c.state, state), (c.kind, kind)):
        query = query.where(column == value) if value else query
    query = query.where(c.id < cursor) if cursor else query
    with ctx.tenant.database.read() as connection:
        rows = connection.sa.execute(query).all()
    found = [
        JobSeen(str(key), kind, own or "", state, due, tries, error or "", made, str(by or ""), done)
        for key, kind, own, state, due, tries, error, made, by, done in rows[:limit]
    ]
    return found, found[-1].id if len(rows) > limit else ""


def replay(ctx: Context, job_id: str) -> None:
    """Do a job that is parked or was given up again, with as many tries as a new one; one that waits, at once.

    Raises Forbidden, NotFound, and Conflict for one that is done or being done.
    """
    again = {"state": "waiting", "due_at": ctx.now, "tries": 0, "done_at": None}
    with ctx.tenant.database.write() as connection:
        change(ctx, connection, job_id, ("waiting", "parked", "discarded"), again, "job.replayed")
        connection.wakes = True


def discard(ctx: Context, job_id: str) -> None:
    """Give a job up that waits or is parked. Raises Forbidden, NotFound, Conflict."""
    over = {"state": "discarded", "done_at": ctx.now}
    with ctx.tenant.database.write() as connection:
        change(ctx, connection, job_id, ("waiting", "parked"), over, "job.discarded")


def change(
    ctx: Context, connection: Connection, job_id: str, states: tuple[str, ...], values: Mapping[str, object], kind: str
) -> None:  # fmt: skip
    check(ctx)
    one = sa.select(c.kind, c.state, c.error).where(c.id == job_id).with_for_update()
    row = connection.sa.execute(one).first() if is_id(job_id) else None
    if row is None:
        raise NotFound("no such job", code="job.unknown")
    if row.state not in states:
        fix = "wait until its worker is done with it" if row.state == "leased" else ""
        raise Conflict(f"this job is {row.state}", code="job.state", fix=fix)
    connection.sa.execute(sa.update(job).where(c.id == job_id).values(**values))
    details = {"job": job_id, "kind": row.kind, "was": row.state, "error": row.error or ""}
    note(connection, kind, actor=ctx.actor, origin=ctx.origin, now=ctx.now, details=details)


def counts(connection: Connection) -> dict[str, int]:
    """State -> how many jobs, of those that are not over."""
    query = sa.select(c.state, sa.func.count()).where(c.state.in_(("waiting", "leased", "parked"))).group_by(c.state)
    found = {str(state): int(number) for state, number in connection.sa.execute(query)}
    return {state: found.get(state, 0) for state in ("waiting", "leased", "parked")}


def check(ctx: Context) -> None:
    """Raises Forbidden."""
    if not may_manage_jobs(ctx):
        raise Forbidden(
            "looking after jobs needs the system permission manage_processes", code="processes.manage"
        )  # fmt: skip
