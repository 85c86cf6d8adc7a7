"""What who is asked decides: approve, complete, reject, return; taking a task of a queue; taking a decision back."""

from collections.abc import Collection
from typing import Any

from engine.audit.log import note
from engine.errors import Conflict
from engine.process.approval import ending, flow, record, resetting
from engine.process.approval.asking import (
    clocks,
    come_after,
    evaluate,
    holder,
    offer_again,
    reopen,
    set_timers,
    take_turns_back,
)
from engine.process.approval.door import Given, need_owner, register
from engine.process.approval.passed import after, still_count
from engine.process.approval.people import need_chosen
from engine.process.approval.refusals import bad, not_yours, state_refused, task_refused
from engine.process.approval.returning import need_target, send_back
from engine.process.approval.signature import refused
from engine.process.approval.state import Run, Task
from engine.process.approval.work import Work
from metadata.processes import Node

__all__ = ["allowed", "decide", "is_comment_needed", "need_allowed", "need_said", "need_signed"]

ALWAYS = frozenset({"approve", "complete", "reject", "claim", "unclaim"})
SIGNERS = frozenset({"add_before", "add_after", "add_parallel"})  # in definitions: add_signer
OWNERS = SIGNERS | {"return"}  # not of helpers, who only say what they think


def allowed(node: Node, action: str, kind: str = "slot") -> bool:
    """Whether the node lets those who are asked do this with a task of this kind."""
    if kind == "delegate" and action in OWNERS:
        return False
    if action == "complete" or action == "approve":
        return (node.type == "handle") == (action == "complete")
    if action == "reject":
        return node.type == "approve"
    return action in ALWAYS or node.actions is None or as_said(action) in node.actions


def as_said(action: str) -> str:
    """As definitions call it."""
    return "add_signer" if action in SIGNERS else action


def need_allowed(w: Work, node: Node, task: Task) -> None:
    if not allowed(node, w.said.action, task.kind):
        raise Conflict(f"'{w.said.action}' is not possible at this step", code="approval.action", fix="choose another")


def is_comment_needed(node: Node, action: str) -> bool:
    """To add others after oneself is to approve, too."""
    approves = ("complete" if node.type == "handle" else "approve",) if action == "add_after" else ()
    return any(one in node.comment for one in (as_said(action), *approves))


def need_said(w: Work, node: Node) -> None:
    if is_comment_needed(node, w.said.action) and not w.said.comment.strip():
        raise bad("approval.comment_required", "a comment is needed", "comment", "say why")


def need_signed(w: Work, node: Node, given: Given) -> None:
    if node.signature and not given.is_signed and not w.ctx.actor.is_system:
        raise refused()


def decidable(w: Work, given: Given, task: Task | None) -> tuple[Task, Node]:
    """The task, of whoever decides, and its node. Raises what speaks against it, a wrong password at the end."""
    assert task is not None
    task = need_owner(w, task)
    node = w.chart.node(task.node)
    need_allowed(w, node, task)
    need_said(w, node)
    need_signed(w, node, given)
    return task, node


@register("approve", "task", asks=("comment", "values", "chosen", "password"))
def approve(w: Work, given: Given, task: Task | None) -> None:
    task, node = decidable(w, given, task)
    edited: set[str] = set()
    if task.kind == "delegate" and given.values:
        raise bad("approval.not_editable", "who helps changes nothing of the record", "values")
    if task.kind != "delegate":
        edited = record.edit(w, node, given.values)
        record.need_values(w, node)
        keep_chosen(w, given, node)
    decide(w, task, "APPROVED", edited)


@register("complete", "task", asks=("comment", "values", "chosen", "password"))
def complete(w: Work, given: Given, task: Task | None) -> None:
    approve(w, given, task)


@register("reject", "task", asks=("comment", "password"))
def reject(w: Work, given: Given, task: Task | None) -> None:
    task, _ = decidable(w, given, task)
    decide(w, task, "REJECTED")


@register("return", "task", asks=("comment", "target", "password"))
def give_back(w: Work, given: Given, task: Task | None) -> None:
    assert task is not None
    task = need_owner(w, task)
    node = w.chart.node(task.node)
    need_allowed(w, node, task)
    target = need_target(w, w.run_of(task), given.target)
    need_said(w, node)
    need_signed(w, node, given)
    take(w, task, "return", "RETURNED")
    audit(w, "returned", task)
    send_back(w, w.run_of(task), target)


def decide(w: Work, task: Task, state: str, edited: Collection[str] = ()) -> None:
    """Somebody's decision; what a helper says comes back to who asked them. `edited`: fields that they changed, for
    which nodes before may be asked again."""
    take(w, task, w.said.action, state)
    audit(w, state.lower(), task)
    run = w.run_of(task)
    if task.kind == "delegate":
        owner = w.state.tasks[task.source]
        if owner.state == "DELEGATED":
            offer_again(w, w.set_task(owner, "come_back", "PENDING"))
            ending.tell(w, [owner.user], "helped", {}, owner.id)
        return
    if not (edited and resetting.reset(w, edited, run.id)):
        evaluate(w, run)


def take(w: Work, task: Task, action: str, state: str) -> None:
    changes: dict[str, Any] = {"decided_at": w.now, "decided_by": w.ctx.actor.id, "via": w.said.via}
    if not task.user and w.ctx.actor.id:
        changes["user"] = w.ctx.actor.id  # the first of the queue to act has claimed it
    w.set_task(task, action, state, **changes)
    record.keep(w, task.id, task.node)
    flow.end_participants(w, task)


def audit(w: Work, outcome: str, task: Task) -> None:
    details = {"instance": w.instance.id, "approval": w.approval.name, "node": task.node, "decision": outcome,
               "via": w.said.via, "for": w.on_behalf_of or None}  # fmt: skip
    note(
        w.connection, "approval.decided", actor=w.ctx.actor, origin=w.ctx.origin, now=w.now, object_name=w.object,
        record=w.instance.record, details=details,
    )  # fmt: skip


def keep_chosen(w: Work, given: Given, node: Node) -> None:
    """Whom the person chooses for nodes that come."""
    if given.chosen:
        need_chosen(w.ctx, w.connection, w.chart, given.chosen)
        data = w.instance.data
        chosen = {**data.get("chosen", {}), **{name: list(users) for name, users in given.chosen.items()}}
        w.set_instance("choose", data={**data, "chosen": chosen})


@register("claim", "task")
def claim(w: Work, given: Given, task: Task | None) -> None:
    """The first of a queue has it."""
    assert task is not None
    offered = [one for one in w.state.participants.values() if one.task == task.id and one.kind == "queue"]
    if w.ctx.actor.id not in {one.user for one in offered}:
        raise not_yours()
    if task.state != "PENDING":
        raise task_refused(task.state)
    if task.user:
        raise Conflict("somebody else has claimed it", code="approval.claimed", fix="look at the queue again")
    w.set_task(task, "claim", "PENDING", user=w.ctx.actor.id)


@register("unclaim", "task")
def unclaim(w: Work, given: Given, task: Task | None) -> None:
    assert task is not None
    task = need_owner(w, task)
    if not task.queue:
        raise Conflict("this task is of no queue", code="approval.no_queue")
    w.set_task(task, "unclaim", "PENDING", user="")


@register("reclaim", "task", asks=("comment",))
def reclaim(w: Work, given: Given, task: Task | None) -> None:
    """Take one's own approval back, as long as nobody after it has decided or looked, and nothing was carried out."""
    assert task is not None
    run = w.run_of(task)
    if w.ctx.actor.id not in (task.decided_by, task.user):
        raise not_yours()
    if not w.node_of(run).may_reclaim:
        raise Conflict("approvals of this step cannot be taken back", code="approval.action")
    if task.state != "APPROVED" or task.kind == "delegate":
        raise task_refused(task.state)
    if w.instance.state != "RUNNING":
        raise state_refused("reclaim", w.instance.state)
    if is_too_late(w, run, task):
        raise Conflict(
            "it is too late to take it back", code="approval.too_late", fix="ask who comes next to return it"
        )
    for one in after(w, run):
        if one.state == "ACTIVE":
            flow.cancel_run(w, one, "taken back")
    if run.within:
        flow.take_back(w, run.within, run.branch)
    take_turns_back(w, run, come_after(w, run, task))
    task = w.set_task(task, "reclaim", "PENDING", decided_at=None, decided_by="", via="", **clocks(w, task, w.now))
    set_timers(w, task)
    offer_again(w, task)
    if run.state == "APPROVED":
        run = w.set_run(run, "reclaim", "ACTIVE", ended=None, ended_at=None)
        reopen(w, run)
        evaluate(w, run)


def is_too_late(w: Work, run: Run, task: Task) -> bool:
    """Whether somebody who comes after it has looked or decided, or what came after it is not to be undone."""
    if run.state not in ("ACTIVE", "APPROVED") or holder(w, run, task.slot) != task or not still_count(w, run):
        return True
    if run.within and w.state.runs[run.within].state != "ACTIVE":
        return True  # its branch has joined the others
    later = after(w, run)
    if any(w.node_of(one).type in ("action", "subprocess", "delay", "end") for one in later):
        return True
    theirs = [*come_after(w, run, task), *(one for each in later for one in w.state.tasks_of(each.id))]
    return any(one.read_at or one.decided_at or one.state == "DELEGATED" for one in theirs)
