"""How many jobs there are of each kind, for who looks after them."""

from dataclasses import dataclass

import sqlalchemy as sa

from engine.context import Context
from engine.jobs.admin import check
from engine.store import system_jobs

__all__ = ["KindOfJobs", "kinds_of_jobs"]


@dataclass(frozen=True, slots=True)
class KindOfJobs:
    kind: str
    waiting: int = 0  # with those that are being done
    parked: int = 0
    done: int = 0  # of those that are kept


def kinds_of_jobs(ctx: Context) -> list[KindOfJobs]:
    """By name. Raises Forbidden without manage_processes."""
    check(ctx)
    c = system_jobs.job.c
    query = sa.select(c.kind, c.state, sa.func.count()).group_by(c.kind, c.state)
    found: dict[str, dict[str, int]] = {}
    with ctx.tenant.database.read() as connection:
        for kind, state, count in connection.sa.execute(query):
            found.setdefault(str(kind), {})[str(state)] = int(count)
    return [
        KindOfJobs(kind, of.get("waiting", 0) + of.get("leased", 0), of.get("parked", 0), of.get("done", 0))
        for kind, of in sorted(found.items())
    ]
