"""The one way to act on what runs: lock it, see who asks and whether they may, change it, and write the events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.context import Context
from engine.errors import Forbidden
from engine.process.approval import attachments, kept, nodes, ports
from engine.process.approval.people import is_admin
from engine.process.approval.refusals import bad, key_used, no_such, not_yours, state_refused, task_refused
from engine.process.approval.sight import may_see, part_in
from engine.process.approval.state import State, Task
from engine.process.approval.subprocess import tell_parent
from engine.process.approval.work import MACHINE, OVERRIDE, Said, Work, chart_at
from engine.store.database import Connection

__all__ = ["Done", "Given", "act", "need_owner", "open_work", "register"]

LONGEST_COMMENT = 10_000
MOST_USERS = 50


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with an action; each takes what it needs."""

    task: str = ""
    comment: str = ""
    attachments: tuple[str, ...] = ()
    key: str = ""
    users: tuple[str, ...] = ()
    target: str = ""  # a node
    values: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)  # node -> users: for those that come
    method: str = ""  # how added signers decide: any, all, sequence
    is_signed: bool = False  # the password was typed again, and is right
    decision: str = ""  # of a force: approved or rejected


@dataclass(frozen=True, slots=True)
class Done:
    """How it stands after an action."""

    instance: str
    state: str
    task: str = ""
    task_state: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    run: Callable[[Work, Given, Task | None], None]
    on: str  # "task" or "instance"
    states: frozenset[str]  # of the instance, in which it is possible
    is_admins: bool = False
    asks: tuple[str, ...] = ()  # what a dialog asks: comment, users, target, …


ACTIONS: dict[str, Action] = {}
Run = Callable[[Work, Given, Task | None], None]


def register(
    name: str, on: str, states: Sequence[str] = ("RUNNING",), *, is_admins: bool = False, asks: Sequence[str] = ()
) -> Callable[[Run], Run]:
    def add(run: Run) -> Run:
        said = ("comment", "attachments") if "comment" in asks else ()
        rest = (one for one in asks if one != "comment")
        ACTIONS[name] = Action(name, run, on, frozenset(states), is_admins, (*said, *rest))
        return run

    return add


def act(ctx: Context, connection: Connection, instance_id: str, action: str, given: Given) -> Done:
    """Raises NotFound for what the person takes no part in, Forbidden for what is somebody else's, Conflict for what
    is not possible (any more), and BadInput; then nothing has changed. The same key gives the same answer."""
    wanted = ACTIONS.get(action)
    if wanted is None:
        raise bad("approval.action", f"there is no action '{action[:40]}'", "action", f"one of {', '.join(ACTIONS)}")
    state = kept.lock(connection, instance_id)
    if state is None or not may_see(ctx, connection, state):
        raise no_such("task" if wanted.on == "task" else "approval")
    if wanted.is_admins and not (is_admin(ctx) or ctx.actor.is_system):
        raise Forbidden("this needs the permission manage_processes", code="approval.admin", fix="ask who has it")
    if given.key and (answer := answered(connection, state, ctx, action, given)) is not None:
        return answer
    check_given(given)
    task = task_of(ctx, state, wanted, given)
    is_of_task = wanted.on == "task" and task is not None and task.state != "PENDING"  # which says more
    if wanted.states and state.instance.state not in wanted.states and not is_of_task:
        raise state_refused(action, state.instance.state)
    w = open_work(ctx, connection, state, Said(action, given.comment, given.attachments, given.key))
    wanted.run(w, given, task)
    return finish(w, given)


def finish(w: Work, given: Given) -> Done:
    nodes.carry_on(w)
    task = w.state.tasks.get(given.task)
    done = Done(w.instance.id, w.instance.state, given.task, task.state if task else "", w.instance.seq)
    if given.key and w.events:
        first = w.events[0]
        told = {"state": done.state, "task_state": done.task_state, "seq": done.seq, "action": w.said.action,
                "asked_for": given.task}  # fmt: skip
        w.events[0] = replace(first, data={**first.data, "done": told})
    w.put_words()
    attachments.attach(w)
    w.save()
    if w.has_ended and w.instance.parent:
        tell_parent(w)
    return done


def open_work(ctx: Context, connection: Connection, state: State, said: Said, actor: str = "") -> Work:
    connection.need(ctx.tenant.database)
    snapshot = ctx.snapshot
    if snapshot.version != state.instance.version:
        snapshot = ctx.tenant.at(state.instance.version)
    chart = chart_at(snapshot, state.instance.approval)
    who = actor or ctx.actor.id or MACHINE
    return Work(ctx, connection, state, chart, snapshot, said, who, ctx.actor.on_behalf_of)


def answered(connection: Connection, state: State, ctx: Context, action: str, given: Given) -> Done | None:
    """What was answered to this key before. Raises Conflict where it stands for something else."""
    event = kept.event_of_key(connection, state.instance.id, given.key)
    if event is None:
        return None
    told = event.data.get("done", {})
    by = event.on_behalf_of or MACHINE if event.actor == OVERRIDE else event.actor
    if by != (ctx.actor.id or MACHINE) or (told.get("action"), told.get("asked_for")) != (action, given.task):
        raise key_used()
    return Done(state.instance.id, told["state"], given.task, told["task_state"], told["seq"])


def check_given(given: Given) -> None:
    if len(given.comment) > LONGEST_COMMENT:
        raise bad("approval.comment_long", f"a comment has at most {LONGEST_COMMENT} characters", "comment")
    if len(given.users) > MOST_USERS:
        raise bad("approval.users", f"at most {MOST_USERS} people at once", "users")
    if len(given.key) > 200:
        raise bad("approval.key", "a key has at most 200 characters", "key")


def task_of(ctx: Context, state: State, wanted: Action, given: Given) -> Task | None:
    if wanted.on == "task" and not given.task:
        raise bad("approval.task", f"'{wanted.name}' is done to a task", "task", "say which")
    task = state.tasks.get(given.task) if given.task else None
    if wanted.on == "task" and (task is None or not part_in(ctx, state, task)):
        raise no_such("task")
    if given.task and task is None:
        raise no_such("task")
    return task


def need_owner(w: Work, task: Task, states: Sequence[str] = ("PENDING",)) -> Task:
    """The task, of whoever acts: its own, one of a queue, or one of somebody who is away. Raises Forbidden for those
    who only look on, and Conflict where it is not open."""
    user = w.ctx.actor.id
    kinds = {one.kind for one in w.state.participants.values()
             if one.task == task.id and one.user == user and one.kind != "cc"}  # fmt: skip
    is_mine = bool(user) and (task.user == user or (not task.user and "queue" in kinds))
    if not is_mine and ("agent" not in kinds or user not in ports.stand_ins(w, task)):
        raise not_yours()
    if task.state not in states:
        raise task_refused(task.state)
    if w.instance.state != "RUNNING":
        raise state_refused(w.said.action, w.instance.state)
    if not is_mine:
        w.on_behalf_of = task.user
        w.said = replace(w.said, via="agent")
    return task
