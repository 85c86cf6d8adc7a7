"""Running instances after a new version: they finish on their own unless an administrator moves them, rehearsed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from engine.context import Context
from engine.errors import Conflict, EngineError, Forbidden
from engine.process.approval import flow, kept, timers
from engine.process.approval.admin import need_admin
from engine.process.approval.asking import clocks, set_timers
from engine.process.approval.chart import Chart
from engine.process.approval.door import open_work
from engine.process.approval.nodes import carry_on
from engine.process.approval.people import is_admin
from engine.process.approval.refusals import bad
from engine.process.approval.state import State
from engine.process.approval.submission import submit_in
from engine.process.approval.work import Said, Work, chart_at
from engine.store import rows
from engine.store import system_approvals as tables
from engine.store.database import Connection
from metadata.model import Text
from metadata.processes import Node

__all__ = ["How", "Moved", "Place", "earlier", "migrate", "places", "running_before"]

How = Literal["finish", "migrate", "resubmit"]
MOST = 1000


@dataclass(frozen=True, slots=True)
class Moved:
    """What becomes, or would become, of one instance. `code` "" is that it may be done."""

    instance: str
    record: str
    version: int
    how: How
    code: str = ""
    reason: str = ""
    submitted: str = ""  # the new instance, where it was submitted anew


@dataclass(frozen=True, slots=True)
class Place:
    """A step at which instances of versions before wait. `candidates`: steps of its kind in the version that runs."""

    node: str
    label: Text
    count: int
    is_there: bool  # among the candidates by its own name
    candidates: Mapping[str, Text]


class Rehearsed(Exception):
    """Takes back what was only tried."""


def running_before(ctx: Context, connection: Connection, approval: str) -> list[str]:
    """Ids of instances that run on versions in which the approval is another, oldest first."""
    i = tables.approval.c
    others = [version for name, version, _ in elsewhere(ctx, connection) if name == approval]
    wanted = sa.select(i.id).where(i.approval == approval, i.ended_at.is_(None), i.version.in_(others))
    return [str(one) for one in connection.sa.scalars(wanted.order_by(i.started_at, i.id).limit(MOST))]


def earlier(ctx: Context, connection: Connection) -> dict[str, int]:
    """How many instances of each approval run on such versions."""
    found: dict[str, int] = {}
    for name, _, count in elsewhere(ctx, connection):
        found[name] = found.get(name, 0) + count
    return found


def elsewhere(ctx: Context, connection: Connection) -> Iterator[tuple[str, int, int]]:
    """(approval, version, how many run on it) where the approval is not as it is now: most publishes change others."""
    i, now = tables.approval.c, ctx.snapshot.definitions.processes.approvals
    wanted = (
        sa.select(i.approval, i.version, sa.func.count())
        .where(i.ended_at.is_(None), i.version != ctx.snapshot.version)
        .group_by(i.approval, i.version)
    )
    for name, version, count in connection.sa.execute(wanted).all():
        if ctx.tenant.at(version).definitions.processes.approvals.get(name) != now.get(name):
            yield str(name), int(version), int(count)


def places(ctx: Context, connection: Connection, approval: str) -> list[Place]:
    """Steps that such instances are at, as they were called last, the most of them first."""
    i, n = tables.approval.c, tables.approval_node.c
    others = [version for name, version, _ in elsewhere(ctx, connection) if name == approval]
    wanted = (
        sa.select(n.node, i.version, sa.func.count())
        .select_from(tables.approval_node.join(tables.approval, i.id == n.instance))
        .where(i.approval == approval, i.ended_at.is_(None), i.version.in_(others), n.state == "ACTIVE")
        .group_by(n.node, i.version)
        .order_by(i.version)
    )
    new = chart_at(ctx.snapshot, approval)
    counts: dict[str, int] = {}
    known: dict[str, Node] = {}
    for node, version, count in connection.sa.execute(wanted):
        counts[node] = counts.get(node, 0) + count
        old = chart_at(ctx.tenant.at(version), approval)
        if node in old.sites:
            known[node] = old.node(node)
    found = []
    for node, at in known.items():
        like = {name: site.node.label for name, site in new.sites.items() if site.node.type == at.type}
        found.append(Place(node, at.label, counts[node], node in like, like))
    return sorted(found, key=lambda one: -one.count)


def migrate(
    ctx: Context, connection: Connection, instances: Sequence[str], how: How, mapping: Mapping[str, str] = {}, *,
    reason: str = "", rehearse: bool = True,
) -> list[Moved]:  # fmt: skip
    """Onto the version that runs, each by itself. `mapping`: old node -> new node; the others keep their names. A
    rehearsal does all of it, and takes it back. Raises Forbidden, and BadInput without a reason."""
    need_admin_of(ctx)
    if len(instances) > MOST:
        raise bad("approval.instances", f"at most {MOST} at once", "instances")
    return [one(ctx, connection, found, how, mapping, reason, rehearse) for found in instances]


def need_admin_of(ctx: Context) -> None:
    if not is_admin(ctx):
        raise Forbidden("this needs the permission manage_processes", code="approval.admin", fix="ask who has it")


def one(
    ctx: Context, connection: Connection, instance: str, how: How, mapping: Mapping[str, str], reason: str,
    rehearse: bool,
) -> Moved:  # fmt: skip
    state = kept.lock(connection, instance)
    if state is None:
        return Moved(instance, "", 0, how, "approval.unknown", "there is no such approval")
    told = Moved(instance, state.instance.record, state.instance.version, how)
    if state.instance.ended_at is not None:
        return replace(told, code="approval.state", reason="it has ended")
    if how == "finish":
        return told
    done = told
    try:
        with rows.savepoint(connection):
            if how == "migrate":
                move(ctx, connection, state, mapping, reason)
            else:
                done = replace(told, submitted=submit_anew(ctx, connection, state, reason))
            if rehearse:
                raise Rehearsed
    except Rehearsed:
        return told
    except EngineError as error:
        return replace(told, code=error.code, reason=str(error))
    return done


def move(ctx: Context, connection: Connection, state: State, mapping: Mapping[str, str], reason: str) -> None:
    """Only where each node that waits has its like; what was approved stays. Clocks that are others begin anew."""
    w = open_work(ctx, connection, state, Said("migrate", reason))
    new = chart_at(ctx.snapshot, state.instance.approval)
    old, now = w.approval, new.approval
    if old.storage == "before_save" and (old.storage, old.trigger) != (now.storage, now.trigger):
        raise Conflict("what waits is not kept aside in the new version", code="approval.storage", fix="let it finish")
    waiting = [run.node for run in state.active()] + [node for node, *_ in state.instance.data.get("resume", ())]
    wrong = [node for node in waiting if not is_like(w.chart, new, node, mapping)]
    if wrong:
        message = f"'{wrong[0]}' has nobody waiting for it in the new version: say which node takes its place"
        raise bad("approval.unmapped", message, f"mapping.{wrong[0]}", "map it to a node of the same kind")
    need_admin(w, version=ctx.snapshot.version, mapping=dict(mapping))
    before = {task.id: task.node for task in state.tasks.values()}
    w.set_instance("migrate", version=ctx.snapshot.version, data=renamed(state.instance.data, mapping))
    for run in list(state.runs.values()):
        target = mapping.get(run.node, run.node)
        if target != run.node and target in new.sites:
            w.set_run(run, "migrate", run.state, node=target)
            for task in state.tasks_of(run.id):
                w.set_task(task, "migrate", task.state, node=target)
    w.save()
    there = open_work(ctx, connection, state, Said("clock"))
    paused = state.instance.data.get("suspended")
    start = datetime.fromisoformat(paused) if paused else there.now
    for task in list(state.tasks.values()):
        if task.state in timers.RUNS and clock_of(w, before[task.id]) != clock_of(there, task.node):
            set_timers(there, there.set_task(task, "clock", task.state, **clocks(there, task, start)))
    there.save()


def clock_of(w: Work, name: str) -> object:
    node = w.chart.node(name)
    return node.due, node.timers, node.calendar or w.approval.calendar


def renamed(data: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """Where it goes on when it is submitted again, and whom somebody chose for which node."""
    found = dict(data)
    if "resume" in data:
        found["resume"] = [[mapping.get(node, node), *where] for node, *where in data["resume"]]
    if "chosen" in data:
        found["chosen"] = {mapping.get(node, node): users for node, users in data["chosen"].items()}
    return found


def is_like(old: Chart, new: Chart, node: str, mapping: Mapping[str, str]) -> bool:
    target = mapping.get(node, node)
    if target not in new.sites or new.node(target).type != old.node(node).type:
        return False
    around = tuple((mapping.get(fork, fork), branch) for fork, branch in old.forks_around(node))
    return around == new.forks_around(target)


def submit_anew(ctx: Context, connection: Connection, state: State, reason: str) -> str:
    """Cancelled, and submitted again in the name of who did. Raises Conflict for what waits: it goes with the one."""
    w: Work = open_work(ctx, connection, state, Said("cancel", reason))
    if w.approval.storage == "before_save":
        raise Conflict(
            "what waits cannot be submitted again", code="approval.waits", fix="take it along, or let it finish"
        )
    if w.instance.parent:
        raise Conflict(
            "another approval waits for this one", code="approval.waits", fix="move that one, or let it finish"
        )
    need_admin(w, version=ctx.snapshot.version)
    w.set_instance("cancel", reason=reason[:500])
    flow.finish(w, "CANCELLED")
    carry_on(w)
    w.save()
    instance = state.instance
    return submit_in(
        w.as_submitter_now, connection, w.object, instance.record, instance.approval,
        chosen=instance.data.get("chosen", {}), comment=reason,
    ).instance  # fmt: skip
