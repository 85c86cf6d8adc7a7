"""Agents and the tasks that are open: who stands in for somebody is offered these too, as long as they do."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.context import SYSTEM, Context, context_of
from engine.jobs.handlers import Job, inside
from engine.jobs.port import enqueue
from engine.process import agents
from engine.process.agents import Agent
from engine.process.approval import ending, kept, ports
from engine.process.approval.door import Given, finish, open_work
from engine.process.approval.work import MACHINE, Said, Work
from engine.process.leavers import open_tasks
from engine.store.database import Connection

__all__ = ["appoint", "take_back"]

KIND = "agents"


def appoint(ctx: Context, values: Mapping[str, Any]) -> Agent:
    """As agents.appoint says, with what is open already."""
    with ctx.tenant.database.together() as connection:
        made = agents.appoint(ctx, values)
        for at, begins in ((made.starts, True), (made.ends, False)):
            if at <= ctx.now:
                offer(ctx, connection, made)
            else:
                key = f"agent:{made.id}:{'from' if begins else 'to'}"
                enqueue(connection, KIND, {"agent": made.id}, now=ctx.now, due_at=at, key=key)
    return made


def take_back(ctx: Context, agent: str) -> None:
    with ctx.tenant.database.together() as connection:
        found = agents.find(connection, agent)
        agents.take_back(ctx, agent)
        if found is not None:
            end_offers(ctx, connection, found)


@inside(KIND)
def at_its_time(job: Job, connection: Connection) -> None:
    """When somebody begins or ends to stand in. Nothing where that was taken back."""
    found = agents.find(connection, str(job.payload["agent"]))
    if found is None:
        return
    if found.starts <= job.now < found.ends:
        offer(job.ctx, connection, found)
    elif job.now >= found.ends:
        end_offers(job.ctx, connection, found)


def offer(ctx: Context, connection: Connection, agent: Agent) -> None:
    for w, task_id in _works(ctx, connection, agent):
        task = w.state.tasks[task_id]
        there = {one.user for one in w.state.participants.values() if one.task == task_id and one.state == "OPEN"}
        is_theirs = task.state == "PENDING" and agent.agent in ports.stand_ins(w, task)
        if is_theirs and agent.agent not in there:
            w.add_participant("offer", agent.agent, "agent", task=task_id, run=task.run)
            ending.tell(w, [agent.agent], "asked", {"node": dict(w.chart.node(task.node).label)}, task_id)
            finish(w, Given())


def end_offers(ctx: Context, connection: Connection, agent: Agent) -> None:
    """But for what another appointment of the two still gives."""
    for w, task_id in _works(ctx, connection, agent):
        now = agents.agents_of(connection, [agent.user], ctx.now, w.instance.approval, w.instance.object)
        if agent.agent in now.get(agent.user, ()):
            continue
        for one in list(w.state.participants.values()):
            if (one.task, one.user, one.kind, one.state) == (task_id, agent.agent, "agent", "OPEN"):
                w.set_participant(one.id, "end_offer", "ENDED")
                finish(w, Given())


def _works(ctx: Context, connection: Connection, agent: Agent) -> Iterator[tuple[Work, str]]:
    """For each open task of whom the agent stands in for, where the appointment speaks of it."""
    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot, ctx.origin)
    for instance, task in open_tasks(connection, agent.user):
        row = kept.instance_of(connection, instance)
        if row is None or not agents.speaks_of(agent, row.approval, row.object):
            continue
        state = kept.lock(connection, instance)
        if state is not None:
            yield open_work(system, connection, state, Said("offer"), actor=ctx.actor.id or MACHINE), task
