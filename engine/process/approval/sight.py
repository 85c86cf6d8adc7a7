"""Who sees an instance and its tasks: those who take part, who may read the record, and administrators."""

from collections.abc import Sequence

import sqlalchemy as sa

from engine.context import Context
from engine.process.approval.people import is_admin
from engine.process.approval.state import State, Task
from engine.process.approval.work import object_at
from engine.store import rows
from engine.store import system_approvals as tables
from engine.store.database import Connection

__all__ = ["may_see", "own_among", "part_in", "takes_part"]


def takes_part(ctx: Context, state: State) -> bool:
    """Submitted it, is or was asked, or was told."""
    user = ctx.actor.id
    return bool(user) and (
        state.instance.submitter == user
        or any(user in (task.user, task.decided_by) for task in state.tasks.values())
        or any(one.user == user for one in state.participants.values())
    )


def own_among(ctx: Context, connection: Connection, instances: Sequence[str]) -> set[str]:
    """Those of the instances in which the person takes part."""
    me, task, other, i = ctx.actor.id, tables.approval_task.c, tables.approval_participant.c, tables.approval.c
    if not me or not instances:
        return set()
    parts = (
        sa.select(i.id).where(i.id.in_(instances), i.submitter == me),
        sa.select(task.instance).where(task.instance.in_(instances), sa.or_(task.user == me, task.decided_by == me)),
        sa.select(other.instance).where(other.instance.in_(instances), other.user == me),
    )
    return set(connection.sa.scalars(sa.union(*parts)))


def may_see(ctx: Context, connection: Connection, state: State) -> bool:
    if ctx.actor.is_system or takes_part(ctx, state) or is_admin(ctx):
        return True
    object_name = object_at(ctx.snapshot, state.instance.object)
    approval = ctx.snapshot.definitions.processes.approvals.get(state.instance.approval)
    if approval is not None and ctx.actor.roles & set(approval.history):
        return True
    return (
        ctx.scope.can("read", object_name)
        and rows.current(ctx, connection, object_name, state.instance.record, "read") is not None
    )


def part_in(ctx: Context, state: State, task: Task) -> bool:
    """Whether the person knows of the task at all: others get the answer of one that does not exist."""
    return ctx.actor.is_system or takes_part(ctx, state) or is_admin(ctx)
