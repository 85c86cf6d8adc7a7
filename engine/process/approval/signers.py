"""More people, or others: transfer, delegate, add signers before, after or beside, and take them out again."""

from collections.abc import Sequence
from typing import Any

from engine.errors import Conflict
from engine.process.approval import ending, flow
from engine.process.approval.asking import evaluate, open_task
from engine.process.approval.decisions import audit, need_allowed, need_said, need_signed, take
from engine.process.approval.door import Given, need_owner, register
from engine.process.approval.people import is_admin, need_askable
from engine.process.approval.refusals import bad, not_yours, state_refused, task_refused
from engine.process.approval.state import Run, Task
from engine.process.approval.work import Work
from engine.process.proposals import standing

__all__ = ["hand_on", "need_new_people"]

METHODS = ("all", "any", "sequence")
PLACES = 100  # between those who are added at once


def need_new_people(w: Work, run: Run, users: Sequence[str], most: int = 0, *, decides: bool = True) -> list[str]:
    """Whom somebody asks: may be asked, and is not asked at this node already. Nobody decides on their own submission
    because somebody else asks them to. Raises BadInput."""
    wanted = list(dict.fromkeys(users))
    if not wanted or (most and len(wanted) > most):
        raise bad("approval.users", "name one person" if most == 1 else "name somebody", "users")
    there = {
        task.user for task in w.state.tasks_of(run.id)
        if task.is_open or (task.state in ("APPROVED", "REJECTED") and task.kind != "delegate")
    }  # fmt: skip
    for user in wanted:
        if decides and w.is_barred(user, run.node):
            raise bad("approval.cannot_ask", "who submitted it does not decide on it at this step", "users")
        if user in there:
            raise bad("approval.already_asked", "this person is asked at this step already", "users")
    with standing(w):
        for user in wanted:
            need_askable(w.ctx, w.connection, user, w.object, w.instance.record)
    return wanted


def owned(w: Work, task: Task | None) -> tuple[Task, Run]:
    """Of the person whose task it is, at a node that lets them."""
    assert task is not None
    task = need_owner(w, task)
    node = w.chart.node(task.node)
    need_allowed(w, node, task)
    need_said(w, node)
    return task, w.run_of(task)


def need_own(w: Work) -> None:
    """Raises Conflict for who stands in for somebody: they decide, and hand it to nobody else."""
    if w.said.via == "agent":
        message = f"'{w.said.action}' is for the person themselves: who stands in for them decides"
        raise Conflict(message, code="approval.action", fix="decide, or leave it to them")


def hand_on(w: Work, task: Task, user: str, action: str, how: str) -> Task:
    """The task is somebody else's from now on; nobody helps with it any more."""
    run = w.run_of(task)
    flow.end_helpers(w, task)
    if not task.user and w.ctx.actor.id and action == "transfer":
        task = w.set_task(task, "claim", task.state, user=w.ctx.actor.id)
    flow.end_task(w, task, action, "TRANSFERRED")
    data = {name: value for name, value in task.data.items() if name != "queue"} | {"how": how}
    fresh = w.new_task(
        run, "ask", user=user, slot=task.slot, place=task.place, group=task.group, weight=task.weight, kind=task.kind,
        source=task.source if task.kind == "delegate" else task.id, set=task.set, method=task.method, data=data,
    )  # fmt: skip
    return open_task(w, run, fresh) if task.state in ("PENDING", "DELEGATED") else fresh


@register("transfer", "task", asks=("comment", "users"))
def transfer(w: Work, given: Given, task: Task | None) -> None:
    task, run = owned(w, task)
    need_own(w)
    (user,) = need_new_people(w, run, given.users, 1)
    hand_on(w, task, user, "transfer", "transfer")
    evaluate(w, w.state.runs[run.id])


@register("delegate", "task", asks=("comment", "users"))
def delegate(w: Work, given: Given, task: Task | None) -> None:
    """A helper looks at it; what they say comes back to the owner, who decides."""
    task, run = owned(w, task)
    need_own(w)
    (user,) = need_new_people(w, run, given.users, 1, decides=False)
    changes: dict[str, Any] = {} if task.user else {"user": w.ctx.actor.id}
    task = w.set_task(task, "delegate", "DELEGATED", **changes)
    helper = w.new_task(
        run, "ask", user=user, slot=f"{task.slot}/d", kind="delegate", source=task.id, set=f"{task.slot}:d",
        data={"how": "delegate"},
    )  # fmt: skip
    open_task(w, run, helper)


@register("add_before", "task", asks=("comment", "users", "method"))
def add_before(w: Work, given: Given, task: Task | None) -> None:
    task, run = owned(w, task)
    users = need_new_people(w, run, given.users)
    add_set(w, run, task, users, given.method, "before")
    changes: dict[str, Any] = {} if task.user else {"user": w.ctx.actor.id}
    w.set_task(task, "add_before", "WAITING", **changes)
    evaluate(w, run)


@register("add_after", "task", asks=("comment", "users", "method", "values", "password"))
def add_after(w: Work, given: Given, task: Task | None) -> None:
    """Counts as the owner's approval; those who come after have their say before the node is decided."""
    from engine.process.approval import record, resetting  # only here: signers change nothing of a record otherwise

    task, run = owned(w, task)
    node = w.chart.node(task.node)
    users = need_new_people(w, run, given.users)
    need_signed(w, node, given)
    edited = record.edit(w, node, given.values)
    record.need_values(w, node)
    take(w, task, "add_after", "APPROVED")
    audit(w, "approved", task)
    add_set(w, run, w.state.tasks[task.id], users, given.method, "after")
    if not (edited and resetting.reset(w, edited, run.id)):
        evaluate(w, run)


@register("add_parallel", "task", asks=("comment", "users"))
def add_parallel(w: Work, given: Given, task: Task | None) -> None:
    """More slots of the same node: its mode and its shares are of all of them."""
    task, run = owned(w, task)
    users = need_new_people(w, run, given.users)
    add_slots(w, run, task, users, "parallel")
    evaluate(w, run)


def add_slots(w: Work, run: Run, beside: Task, users: Sequence[str], how: str) -> None:
    known = len({one.slot for one in w.state.tasks_of(run.id)})
    for at, user in enumerate(users):
        w.new_task(
            run, "ask", user=user, slot=f"{known + at}+", place=beside.place + at + 1, group=beside.group,
            weight=beside.weight, kind=beside.kind, source=beside.id, set=beside.set, method=beside.method,
            data={"how": how, "added_by": w.ctx.actor.id},
        )  # fmt: skip


def add_set(w: Work, run: Run, task: Task, users: Sequence[str], method: str, kind: str) -> None:
    method = method or "all"
    if method not in METHODS:
        raise bad("approval.method", f"'{method[:40]}' is no way to decide", "method", f"one of {', '.join(METHODS)}")
    known = len({one.set for one in w.state.tasks_of(run.id) if one.slot.rpartition("/")[0] == task.slot})
    name = f"{task.slot}:{known}"
    for at, user in enumerate(users):
        w.new_task(
            run, "ask", user=user, slot=f"{task.slot}/{known}.{at}", place=at * PLACES, kind=kind, source=task.id,
            set=name, method=method, data={"how": kind, "added_by": w.ctx.actor.id},
        )  # fmt: skip


@register("remove_signer", "task", asks=("comment",))
def remove_signer(w: Work, given: Given, task: Task | None) -> None:
    """Of who added them, or an administrator, as long as they have not decided."""
    assert task is not None
    if not task.data.get("added_by"):
        raise bad("approval.not_added", "this person was not added: the approval itself asks them", "task")
    if w.ctx.actor.id != task.data["added_by"] and not is_admin(w.ctx):
        raise not_yours("somebody else added this person")
    if not is_admin(w.ctx):
        need_allowed(w, w.chart.node(task.node), task)
    if not task.is_open:
        raise task_refused(task.state)
    if w.instance.state != "RUNNING":
        raise state_refused("remove_signer", w.instance.state)
    run = w.run_of(task)
    for other in w.state.tasks_of(run.id):
        if other.is_open and (other.slot == task.slot or other.slot.startswith(f"{task.slot}/")):
            flow.end_task(w, other, "remove_signer", "CANCELLED")
    evaluate(w, run)


@register("cc", "task", asks=("comment", "users"))
def cc(w: Work, given: Given, task: Task | None) -> None:
    """Tell others: they may look, and nothing waits for them."""
    task, run = owned(w, task)
    users = list(dict.fromkeys(given.users))
    if not users:
        raise bad("approval.users", "name somebody", "users")
    with standing(w):
        for user in users:
            need_askable(w.ctx, w.connection, user, w.object, w.instance.record, "read")
    already = {one.user for one in w.state.participants.values() if one.kind == "cc"}
    fresh = [user for user in users if user not in already]
    w.note("", "", "cc", "", "", task.node, task.id, details={"users": users})
    for user in fresh:
        w.add_participant("cc", user, "cc", run=run.id)
    ending.tell(w, fresh, "cc")
