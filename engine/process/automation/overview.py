"""How the runs of each automation went lately, for who looks after them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.context import Context
from engine.process.automation.desk import need_admin
from engine.process.automation.runs import table

__all__ = ["LATELY", "Lately", "runs_lately"]

LATELY = timedelta(days=30)


@dataclass(slots=True)
class Lately:
    """Of the runs that began within LATELY."""

    last_at: datetime
    done: int = 0
    failed: int = 0
    waiting: int = 0  # with those that are being carried out


def runs_lately(ctx: Context, automation: str = "") -> dict[str, Lately]:
    """Automation -> its runs; those without any are missing. Raises Forbidden without manage_processes."""
    need_admin(ctx)
    c = table.c
    query = sa.select(c.automation, c.state, sa.func.count(), sa.func.max(c.created_at))
    query = query.where(c.created_at > ctx.now - LATELY).group_by(c.automation, c.state)
    if automation:
        query = query.where(c.automation == automation)
    found: dict[str, Lately] = {}
    with ctx.tenant.database.read() as connection:
        for name, state, count, last in connection.sa.execute(query):
            one = found.setdefault(str(name), Lately(last))
            one.last_at = max(one.last_at, last)
            if state in ("done", "failed"):
                setattr(one, state, int(count))
            else:
                one.waiting += int(count)
    return found
