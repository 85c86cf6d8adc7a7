"""What one person hands over of approvals: what they are asked, whom they stand in for, and what only a publish can
change."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from engine.people.handover_parts import EXAMPLES, Handover, Left, Moved
from engine.process import agents
from engine.process.approval import kept
from engine.process.approval.state import Instance
from engine.process.leavers import hand_over_submissions, hand_over_tasks, open_tasks, waiting_submissions
from engine.process.reading import titles_of
from engine.store.system_locks import agent as agent_table
from metadata.processes import ADMIN_PERMISSION, Part, nodes_in

__all__ = ["named", "returned", "standing_in", "tasks"]

FORBIDDEN = "only who manages processes moves what others are asked"


def tasks(move: Handover) -> Iterator[Moved | Left]:
    """Open tasks, of each object apart."""
    by_object: dict[str, list[tuple[str, str]]] = {}
    objects = move.ctx.snapshot.physical.names.objects
    for instance, task in open_tasks(move.connection, move.giver):
        row = kept.instance_of(move.connection, instance)
        name = objects.get(row.object, "") if row is not None else ""
        if row is not None and name and (move.objects is None or name in move.objects):
            by_object.setdefault(name, []).append((task, row.record))
    if not by_object:
        return
    if not move.ctx.scope.has(ADMIN_PERMISSION):
        for name, found in by_object.items():
            yield Left("task", name, "approval_task", len(found), "handover.forbidden", FORBIDDEN)
        return
    moved: Mapping[str, str] = {}
    if not move.is_dry_run:
        done = hand_over_tasks(move.ctx, move.connection, move.giver, move.taker, move.objects)
        moved = {one.task: one.to for one in done}
    for name, found in by_object.items():
        move.take(len(found))
        went = [one for one in found if move.is_dry_run or moved.get(one[0])]
        stayed = len(found) - len(went)
        if went:
            records = list(dict.fromkeys(record for _, record in went))[:EXAMPLES]
            titles = titles_of(move.ctx, move.connection, name, records) if move.ctx.scope.can("read", name) else {}
            examples = tuple((one, titles[one]) for one in records if one in titles)
            yield Moved("task", name, "approval_task", len(went), examples)
        if stayed:
            message = "who takes over is asked at the same step already, or submitted it"
            yield Left("task", name, "approval_task", stayed, "approval.already_asked", message)


def returned(move: Handover) -> Iterator[Moved | Left]:
    """What was returned to the giver: the taker is its submitter."""
    by_object: dict[str, list[Instance]] = {}
    objects = move.ctx.snapshot.physical.names.objects
    for one in waiting_submissions(move.connection, move.giver):
        name = objects.get(one.object, "")
        if name and (move.objects is None or name in move.objects):
            by_object.setdefault(name, []).append(one)
    for name, found in by_object.items():
        if not move.ctx.scope.has(ADMIN_PERMISSION):
            yield Left("returned", name, "approval_returned", len(found), "handover.forbidden", FORBIDDEN)
            continue
        move.take(len(found))
        went = hand_over_submissions(move.ctx, move.connection, found, move.taker, is_dry_run=move.is_dry_run)
        if went:
            yield Moved("returned", name, "approval_returned", len(went), ())
        if len(went) < len(found):
            message = "who takes over may not change the record"
            yield Left("returned", name, "approval_returned", len(found) - len(went), "approval.taker", message)


def standing_in(move: Handover) -> Iterator[Moved | Left]:
    """Whom the giver stands in for has the taker instead; who stands in for the giver does so until they leave."""
    if move.objects is not None:
        return
    c = agent_table.c
    wanted = sa.select(c.id, c.user).where(c.agent == move.giver, c["to"] > move.ctx.now, c.ended_at.is_(None))
    found = move.connection.sa.execute(wanted).all()
    if not found:
        return
    if not move.ctx.scope.has(ADMIN_PERMISSION):
        yield Left("agent", "user", "agent", len(found), "handover.forbidden", FORBIDDEN)
        return
    mine = [row.id for row in found if row.user != move.taker]
    if not move.is_dry_run:
        for one in mine:
            agents.replace_agent(move.ctx, move.connection, one, move.taker)
    if mine:
        yield Moved("agent", "user", "agent", len(mine), ())
    if len(mine) < len(found):
        message = "nobody stands in for themselves"
        yield Left("agent", "user", "agent", len(found) - len(mine), "agent.self", message)


def named(move: Handover) -> Iterator[Moved | Left]:
    """Definitions that name the person: data does not change them."""
    table = move.ctx.snapshot.physical.table("user")
    username = move.connection.sa.scalar(sa.select(table.c.username).where(table.c.id == move.giver))
    processes = move.ctx.snapshot.definitions.processes
    for approval in processes.approvals.values():
        parts = [part for node in nodes_in(approval.flow) for part in (
            *node.approvers, *node.steps, *(to for timer in node.timers for to in timer.to),
        )]  # fmt: skip
        parts += [part for listed in approval.on.values() for part in listed]
        count = sum(_names(part, str(username)) for part in parts)
        if count and (move.objects is None or approval.object in move.objects):
            message = f"the approval '{approval.name}' names this person: publish another version"
            yield Left("named", approval.object, approval.name, count, "handover.defined", message)
    for automation in processes.automations.values():
        count = sum(_names(part, str(username)) for part in automation.steps) + (automation.run_as == username)
        if count and (move.objects is None or automation.object in move.objects):
            message = f"the automation '{automation.name}' names this person: publish another version"
            yield Left("named", automation.object, automation.name, count, "handover.defined", message)


def _names(part: Part, username: str) -> bool:
    """Whether an option of it is this user name, or holds it as one of several."""
    return any(one == username for one in _texts(part.options))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
