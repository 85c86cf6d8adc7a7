"""What administrators of processes do: always with a reason, marked as an override, and in the audit log."""

from dataclasses import replace

from engine.audit.log import note
from engine.errors import Forbidden
from engine.process.approval import flow, timers
from engine.process.approval.asking import evaluate
from engine.process.approval.door import Given, register
from engine.process.approval.ending import UNMADE
from engine.process.approval.nodes import attempt
from engine.process.approval.passed import is_gone_back
from engine.process.approval.people import is_admin
from engine.process.approval.refusals import bad, no_such, task_refused
from engine.process.approval.signers import hand_on, need_new_people
from engine.process.approval.state import Run, Task
from engine.process.approval.subprocess import take_outcome
from engine.process.approval.work import OVERRIDE, Work

__all__ = ["need_admin"]

PAUSED = ("suspended", UNMADE)
RUNS = ("RUNNING", "SUSPENDED")


def need_admin(w: Work, **details: object) -> None:
    """Raises Forbidden, and BadInput without a reason. The door asked for the permission already, others did not."""
    if not is_admin(w.ctx) and not w.ctx.actor.is_system:
        raise Forbidden("this needs the permission manage_processes", code="approval.admin", fix="ask who has it")
    if not w.said.comment.strip():
        raise bad("approval.comment_required", "a reason is needed", "comment", "say why")
    w.said = replace(w.said, is_override=True, via="admin")
    told = {"instance": w.instance.id, "approval": w.approval.name, "action": w.said.action, "reason": w.said.comment}
    note(
        w.connection, "approval.override", actor=w.ctx.actor, origin=w.ctx.origin, now=w.now, object_name=w.object,
        record=w.instance.record, details={**told, **details},
    )  # fmt: skip


@register("cancel", "instance", ("RUNNING", "SUSPENDED", "RETURNED"), is_admins=True, asks=("comment",))
def cancel(w: Work, given: Given, task: Task | None) -> None:
    need_admin(w)
    w.set_instance("cancel", reason=w.said.comment[:500])
    flow.finish(w, "CANCELLED")


@register("suspend", "instance", ("RUNNING",), is_admins=True, asks=("comment",))
def suspend(w: Work, given: Given, task: Task | None) -> None:
    """Nobody decides, and no clock runs, until it is resumed."""
    need_admin(w)
    data = {**w.instance.data, "suspended": w.now.isoformat()}
    w.set_instance("suspend", "SUSPENDED", reason=w.said.comment[:500], data=data)


@register("resume", "instance", ("SUSPENDED",), is_admins=True, asks=("comment",))
def resume(w: Work, given: Given, task: Task | None) -> None:
    """It goes on; what could not be entered is tried again."""
    need_admin(w)
    is_unmade = UNMADE in w.instance.data
    wake(w)
    if is_unmade:
        flow.finish(w, "APPROVED")
        return
    retry(w)


def retry(w: Work) -> None:
    """What broke."""
    for active in list(w.state.active()):
        run = w.state.runs[active.id]
        if run.state == "ACTIVE" and run.data.get("broken"):
            left = {name: value for name, value in run.data.items() if name != "broken"}
            run = w.set_run(run, "retry", "ACTIVE", data=left, reason="")
            if not w.state.tasks_of(run.id):
                attempt(w, run)
            else:
                evaluate(w, run)


@register("jump", "instance", RUNS, is_admins=True, asks=("comment", "target"))
def jump(w: Work, given: Given, task: Task | None) -> None:
    """All that waits is cancelled, and it goes on at a node that lies in no branch of a fork."""
    if given.target not in w.chart.sites:
        raise bad("approval.target", f"there is no step '{given.target[:60]}'", "target")
    if w.chart.forks_around(given.target):
        raise bad("approval.target", "this step lies in a branch of a fork", "target", "choose one outside of it")
    need_admin(w, target=given.target)
    w.note("", "", "jump", "", "", given.target)
    cancel_all(w)
    wake(w)
    if is_gone_back(w, given.target):
        w.set_instance("next_round", round=w.instance.round + 1)
    w.waiting.append((given.target, "", ""))


@register("reassign", "task", RUNS, is_admins=True, asks=("comment", "users"))
def reassign(w: Work, given: Given, task: Task | None) -> None:
    """Somebody's open task becomes another's."""
    assert task is not None
    if not task.is_open:
        raise task_refused(task.state)
    run = w.run_of(task)
    (user,) = need_new_people(w, run, given.users, 1)
    need_admin(w, task=task.id, to=user)
    hand_on(w, task, user, "reassign", "reassign")
    evaluate(w, w.state.runs[run.id])


@register("force", "instance", RUNS, is_admins=True, asks=("comment", "target", "decision"))
def force(w: Work, given: Given, task: Task | None) -> None:
    """Decide a node for those who are asked. Its event is of an actor of its own, never of a person who was asked."""
    if given.decision not in ("approved", "rejected"):
        raise bad("approval.decision", "decide approved or rejected", "decision")
    active = [run for run in w.state.active() if w.node_of(run).type in ("approve", "handle")]
    found = [run for run in active if not given.target or run.node == given.target]
    if len(found) != 1:
        raise no_such("step") if not found else bad("approval.target", "several steps are open: name one", "target")
    need_admin(w, node=found[0].node, decision=given.decision)
    run = found[0]
    w.actor, w.on_behalf_of = OVERRIDE, w.ctx.actor.id
    is_resumed = w.instance.state == "SUSPENDED"
    wake(w)
    if w.state.runs[run.id].state == "ACTIVE":  # else another branch was first, now that it goes on
        decide(w, run, given.decision)
    if is_resumed:
        retry(w)


def decide(w: Work, run: Run, decision: str) -> None:
    flow.close_tasks(w, run, "CLOSED")
    if decision == "approved":
        flow.go_on(w, w.set_run(run, "force", "APPROVED", reason="decided by an administrator"))
    else:
        flow.reject(w, w.set_run(run, "force", "REJECTED", reason="decided by an administrator"))


def wake(w: Work) -> None:
    """What is done to a suspended instance resumes it, and its clocks."""
    if w.instance.state == "SUSPENDED":
        since = w.instance.data.get("suspended", "")
        data = {name: value for name, value in w.instance.data.items() if name not in PAUSED}
        w.set_instance("resume", "RUNNING", reason="", data=data)
        if since:
            timers.go_on_after(w, since)
        for run in list(w.state.active()):
            if run.data.get("outcome") and w.state.runs[run.id].state == "ACTIVE":
                take_outcome(w, w.state.runs[run.id], run.data["outcome"])


def cancel_all(w: Work) -> None:
    w.waiting.clear()
    for run in list(w.state.active()):
        flow.cancel_run(w, run, "moved by an administrator")
