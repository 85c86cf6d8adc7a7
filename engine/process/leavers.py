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
from engine.process.approval.ending import LEFT, UNMADE, tell, tell_admins
from engine.process.approval.passing import heirs, may_take, pass_on
from engine.process.approval.people import administrators
from engine.process.approval.signers import hand_on
from engine.process.approval.state import ENDED, OPEN_TASKS, Instance, Task
from engine.process.approval.work import MACHINE, Said, Work
from engine.store.database import Connection
from engine.store.system_approvals import approval, approval_task

__all__ = [
    "Reassigned", "hand_over_submissions", "hand_over_tasks", "open_tasks", "reassign_leaver", "waiting_submissions",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reassigned:
    """An open task, "" of what was returned to them, and who has it since; "" where there was nobody: it waits, and
    administrators are told."""

    instance: str
    task: str
    to: str
    why: str  # "agent", "manager", "administrator", "submitter", "handover" or ""


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
    of processes; what was returned to them to who may change its record: its owner, or the nearest such manager. The
    audit log and a notification tell. Agents that were named end."""
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
    done += [_pass_on(ctx, connection, one, user) for one in waiting_submissions(connection, user)]
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


def waiting_submissions(connection: Connection, user: str) -> list[Instance]:
    """What was returned to them: it waits until they submit it again."""
    wanted = sa.select(approval).where(approval.c.submitter == user, approval.c.ended_at.is_(None))
    found = [kept.from_row(Instance, row) for row in connection.sa.execute(wanted.order_by(approval.c.id)).mappings()]
    return [one for one in found if one.state == "RETURNED" or (one.state == "SUSPENDED" and UNMADE in one.data)]


def hand_over_submissions(
    ctx: Context, connection: Connection, instances: Sequence[Instance], taker: str, *, is_dry_run: bool = False
) -> list[str]:  # fmt: skip
    """Those of the instances of which another person is the submitter since, as they may change the record."""
    found = []
    for one in instances:
        w = _opened(ctx, connection, one.id, "handover", is_locked=not is_dry_run)
        if is_dry_run:
            found += [one.id] if not taker or may_take(w, taker) else []
        elif _take(w, [taker]):
            found.append(one.id)
    return found


def _pass_on(ctx: Context, connection: Connection, instance: Instance, leaver: str) -> Reassigned:
    w = _opened(ctx, connection, instance.id, "left")
    to = _take(w, heirs(w))
    if not to:
        tell_admins(w, LEFT)
    return Reassigned(instance.id, "", to, "submitter" if to else "")


def _take(w: Work, people: Sequence[str]) -> str:
    to = pass_on(w, people)
    if to:
        tell(w, [to], "returned", {"reason": w.instance.reason})
        w.save()
    return to


def _opened(ctx: Context, connection: Connection, instance: str, how: str, *, is_locked: bool = True) -> Work:
    state = (kept.lock if is_locked else kept.load)(connection, instance)
    assert state is not None
    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot, ctx.origin)
    return open_work(system, connection, state, Said(how, via="admin"), actor=ctx.actor.id or MACHINE)


def _move(
    ctx: Context, connection: Connection, instance: str, task_id: str, candidates: Sequence[tuple[str, str]], how: str
) -> Reassigned:  # fmt: skip
    """To the first who is active and not asked at this step already; where there is none, it stays and waits."""
    w = _opened(ctx, connection, instance, how)
    task = w.state.tasks[task_id]
    there = {
        one.user for one in w.state.tasks_of(task.run)
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
            w.ctx, connection, [to], "approval.reassigned", object_name=w.object, record=w.instance.record,
            link=f"/approvals/{instance}", values={"instance": instance, "task": task_id, "why": why},
            key=f"approval:{instance}:{task_id}:{how}",
        )  # fmt: skip
    else:
        ports.notify(
            w.ctx, connection, administrators(ctx, connection), "approval.stuck", object_name=w.object,
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
