"""What somebody who decided sees of the record afterwards: what they decided on, through their step; nothing later."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.context import Context
from engine.errors import EngineError
from engine.process.approval import kept
from engine.process.approval.state import State
from engine.process.approval.work import chart_at, object_at
from engine.process.reading import Reading, hidden_from
from engine.process.snapshots import kept_of, reading_of_kept, seen_of
from engine.store.database import Connection
from engine.store.system_approvals import approval_task
from engine.store.system_locks import approval_snapshot

__all__ = ["Acted", "acted_on", "decided_on", "may_have_file_decided_on"]

DECIDED = ("APPROVED", "REJECTED", "RETURNED")


@dataclass(frozen=True, slots=True)
class Acted:
    reading: Reading
    at: datetime


def acted_on(ctx: Context, instance_id: str) -> Acted | None:
    with ctx.tenant.database.read() as connection:
        state = kept.load(connection, instance_id)
        return decided_on(ctx, connection, state) if state is not None else None


def decided_on(ctx: Context, connection: Connection, state: State) -> Acted | None:
    """The snapshot of the person's own last decision; None for whoever decided nothing."""
    mine = {one.id: one.node for one in state.tasks.values()
            if ctx.actor.id and one.decided_by == ctx.actor.id and one.state in DECIDED}  # fmt: skip
    if not mine:
        return None
    found = [one for one in kept_of(connection, ctx, state.instance.id) if one.task in mine]
    if not found or found[-1].object != object_at(ctx.snapshot, state.instance.object):
        return None
    last = found[-1]
    node = chart_at(ctx.tenant.at(state.instance.version), state.instance.approval).node(mine[last.task])
    seen = seen_of(ctx, last, sorted(hidden_from(ctx, state, [node])))
    return Acted(reading_of_kept(ctx, seen), last.at)


def may_have_file_decided_on(ctx: Context, connection: Connection, file_id: str) -> bool:
    """Whether the person decided on a record that held the file, in a field that they saw."""
    if not ctx.actor.id:
        return False
    mine = sa.select(approval_task.c.instance).where(
        approval_task.c.decided_by == ctx.actor.id, approval_task.c.state.in_(DECIDED)
    )
    holding = sa.select(approval_snapshot.c.instance).where(
        approval_snapshot.c.instance.in_(mine), approval_snapshot.c.data.contains(file_id)
    )
    for instance in connection.sa.scalars(holding.distinct()).all():
        state = kept.load(connection, instance)
        try:
            found = decided_on(ctx, connection, state) if state is not None else None
        except EngineError:  # what the approval is about is in the definitions no more
            continue
        if found is not None and file_id in found.reading.files:
            return True
    return False
