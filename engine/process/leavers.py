"""What somebody who leaves was asked goes to others, in the transaction in which they are deactivated."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from engine.audit.log import note
from engine.context import SYSTEM, Context, context_of
from engine.people.chain import manager_chain
from engine.process import agents
from engine.process.approval import kept, ports
from engine.process.approval.asking import evaluate
from engine.process.approval.door import Given, finish, open_work
from engine.process.approval.people import administrators
from engine.process.approval.signers import hand_on
from engine.process.approval.state import ENDED, OPEN_TASKS, Task
from engine.process.approval.work import MACHINE, Said, Work
from engine.store.database import Connection
from engine.store.system_approvals import approval, approval_task

__all__ = ["Reassigned", "hand_over_tasks", "open_tasks", "reassign_leaver"]


@dataclass(frozen=True, slots=True)
class Reassigned:
    """An open task, and who has it since; "" where there was nobody: it waits, and administrators are told."""

    instance: str
    task: str
    to: str
    why: str  # "agent", "manager", "administrator", "handover" or ""


def open_tasks(connection: Connection, user: str, tables: Collection[str] | None = None) -> list[tuple[str, str]]:
    """(instance, task) of all that somebody is asked in what runs, about records of these tables if given."""
    wanted = (
        sa.select(approval_task.c.instance, approval_task.c.id)
        .join(approval, approval.c.id == approval_task.c.instance)
        .where(
            approval_task.c.user == user, approval_task.c.state.in_(sorted(OPEN_TASKS)),
            approval.c.state.not_in(sorted(ENDED)),
        )
        .order_by(approval_task.c.instance, approval_task.c.id)
    )  # fmt: skip
    if tables is not None:
        wanted = wanted.where(approval.c.object.in_(sorted(tables)))
    return [(row[0], row[1]) for row in connection.sa.execute(wanted)]


def reassign_leaver(ctx: Context, connection: Connection, user: str) -> list[Reassigned]:
    """Each open task goes to who stands in for the person, else to the nearest active manager, else to an administrator
    of processes; the audit log and a notification tell. Agents that were named end."""
    tasks = open_tasks(connection, user)
    standing = {
        instance: agents.agents_of(connection, [user], ctx.now, row.approval, row.object).get(user, ())
        for instance in dict.fromkeys(one for one, _ in tasks)
        if (row := kept.instance_of(connection, instance)) is not None
    }
    agents.end_of(ctx, connection, user)
    managers = manager_chain(connection, ctx.snapshot, user) if tasks else ()
    admins = [one for one in administrators(ctx, connection) if one != user] if tasks else []
    done = [
        _move(ctx, connection, instance, task, (
            *((one, "agent") for one in standing.get(instance, ())), *((one, "manager") for one in managers),
            *((one, "administrator") for one in admins),
        ), "left")
        for instance, task in tasks
    ]  # fmt: skip
    if done:
        told = [{"instance": one.instance, "task": one.task, "to": one.to, "why": one.why} for one in done]
        note(
            connection, "approval.leaver", actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name="user",
            record=user, details={"tasks": told},
        )  # fmt: skip
    return done


def hand_over_tasks(
    ctx: Context, connection: Connection, giver: str, taker: str, objects: Collection[str] | None = None
) -> list[Reassigned]:  # fmt: skip
    """All open tasks of one person to another; only those about records of `objects`, if given."""
    tables = None if objects is None else {ctx.snapshot.physical.names.tables[name] for name in objects}
    return [
        _move(ctx, connection, instance, task, ((taker, "handover"),), "handover")
        for instance, task in open_tasks(connection, giver, tables)
    ]


def _move(
    ctx: Context, connection: Connection, instance: str, task_id: str, candidates: Sequence[tuple[str, str]], how: str
) -> Reassigned:  # fmt: skip
    """To the first who is active and not asked at this step already; where there is none, it stays and waits."""
    state = kept.lock(connection, instance)
    assert state is not None
    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot, ctx.origin)
    w = open_work(system, connection, state, Said(how, via="admin"), actor=ctx.actor.id or MACHINE)
    task = state.tasks[task_id]
    there = {
        one.user for one in state.tasks_of(task.run)
        if one.id != task.id and (one.is_open or one.state in ("APPROVED", "REJECTED"))
    }  # fmt: skip
    active = _active(w, [one for one, _ in candidates])
    to, why = next(
        (
            (one, why)
            for one, why in candidates
            if one in active and one not in there and not w.is_barred(one, task.node)
        ),
        ("", ""),
    )
    if to:
        _give(w, task, to, how)
        finish(w, Given())
        ports.notify(
            system, connection, [to], "approval.reassigned", object_name=w.object, record=w.instance.record,
            link=f"/approvals/{instance}", values={"instance": instance, "task": task_id, "why": why},
            key=f"approval:{instance}:{task_id}:{how}",
        )  # fmt: skip
    else:
        ports.notify(
            system, connection, administrators(ctx, connection), "approval.stuck", object_name=w.object,
            record=w.instance.record, link=f"/approvals/{instance}",
            values={"instance": instance, "task": task_id, "reason": "who is asked has left"},
            key=f"approval:{instance}:{task_id}:{how}",
        )  # fmt: skip
    return Reassigned(instance, task_id, to, why)


def _give(w: Work, task: Task, user: str, how: str) -> None:
    run = w.run_of(task)
    hand_on(w, task, user, "reassign", how)
    evaluate(w, w.state.runs[run.id])


def _active(w: Work, users: Sequence[str]) -> set[str]:
    table = w.ctx.snapshot.physical.table("user")
    wanted = sa.select(table.c.id).where(table.c.id.in_(list(users)), table.c.deleted_at.is_(None), table.c.is_active)
    return set(w.connection.sa.scalars(wanted)) if users else set()
