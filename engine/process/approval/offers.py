"""What a person may do now with a task or an instance, and what each asks: as the dialogs show it. Refuses nothing."""

from collections.abc import Iterable
from datetime import datetime

from engine.process.approval import ports
from engine.process.approval.actions import ACTIONS
from engine.process.approval.decisions import allowed, is_comment_needed, is_too_late
from engine.process.approval.ending import UNMADE
from engine.process.approval.people import is_admin
from engine.process.approval.returning import START, targets_of
from engine.process.approval.sight import takes_part
from engine.process.approval.state import Run, Task
from engine.process.approval.submitter import URGED_EVERY, may_withdraw
from engine.process.approval.views import ActionView, Target
from engine.process.approval.work import Work
from metadata.model import say
from metadata.processes import Node

__all__ = ["holds_task", "instance_actions", "label_of", "task_actions"]

OWN = (
    "approve",
    "complete",
    "reject",
    "return",
    "transfer",
    "delegate",
    "add_before",
    "add_after",
    "add_parallel",
    "cc",
)
WORDS = ("comment", "attachments")
PEOPLE = frozenset({"transfer", "delegate", "add_before", "add_after", "add_parallel", "cc", "reassign"})


def holds_task(w: Work, task: Task) -> str:
    """How the task is the person's: "self", "queue" or "agent"; "" where it is not."""
    me = w.ctx.actor.id
    if me and task.user == me:
        return "self"
    kinds = {one.kind for one in w.state.participants.values()
             if one.task == task.id and one.user == me and one.state == "OPEN"}  # fmt: skip
    if "queue" in kinds and not task.user:
        return "queue"
    return "agent" if "agent" in kinds and me in ports.stand_ins(w, task) else ""


def task_actions(w: Work, task: Task) -> tuple[ActionView, ...]:
    return tuple(_task_actions(w, task))


def _task_actions(w: Work, task: Task) -> Iterable[ActionView]:
    run, node = w.run_of(task), w.chart.node(task.node)
    how = holds_task(w, task)
    is_running = w.instance.state == "RUNNING"
    if how and is_running and task.state == "PENDING":
        for name in OWN:
            is_handed_on = how == "agent" and name in ("transfer", "delegate")
            if allowed(node, name, task.kind) and not is_handed_on and (name != "return" or targets_of(w, run)):
                yield view(w, name, node, run, task)
        if how == "queue":
            yield ActionView("claim")
        elif task.queue and how == "self":
            yield ActionView("unclaim")
    is_approval = task.state == "APPROVED" and task.kind != "delegate"
    is_mine = is_running and is_approval and w.ctx.actor.id in (task.decided_by, task.user)
    if node.may_reclaim and is_mine and not is_too_late(w, run, task):
        yield ActionView("reclaim", WORDS)
    added_by = task.data.get("added_by")
    is_own = added_by == w.ctx.actor.id and allowed(node, "remove_signer")
    if is_running and task.is_open and added_by and (is_own or is_admin(w.ctx)):
        yield ActionView("remove_signer", WORDS)
    if is_admin(w.ctx) and task.is_open and w.instance.state in ("RUNNING", "SUSPENDED"):
        yield ActionView("reassign", (*WORDS, "users"), ("comment", "users"), is_override=True)


def view(w: Work, name: str, node: Node, run: Run, task: Task) -> ActionView:
    action = ACTIONS[name]
    asks = [one for one in action.asks if keeps(one, node, task, name)]
    needs = ["comment"] if is_comment_needed(node, name) else []
    if "password" in asks:
        needs.append("password")
    if name in PEOPLE:
        needs.append("users")
    targets: tuple[Target, ...] = ()
    if name == "return":
        targets = tuple(Target(one, label_of(w, one)) for one in targets_of(w, run))
        asks = [one for one in asks if one != "target" or len(targets) > 1]
    return ActionView(name, tuple(asks), tuple(needs), targets)


def keeps(asked: str, node: Node, task: Task, name: str) -> bool:
    if asked == "password":
        return node.signature
    if asked == "values":
        return bool(node.editable) and task.kind != "delegate"
    return True


def label_of(w: Work, node: str) -> str:
    if node == START or node not in w.chart.sites:
        return ""
    return say(w.chart.node(node).label, w.ctx.language)


def instance_actions(w: Work) -> tuple[ActionView, ...]:
    return tuple(_instance_actions(w))


def _instance_actions(w: Work) -> Iterable[ActionView]:
    state, me = w.instance.state, w.ctx.actor.id
    is_mine, admin = bool(me) and w.instance.submitter == me, is_admin(w.ctx)
    is_unmade = state == "SUSPENDED" and UNMADE in w.instance.data
    if is_mine and (state == "RETURNED" or is_unmade):
        asks = (*WORDS, "chosen") if w.proposal is None else (*WORDS, "chosen", "values")
        yield ActionView("resubmit", asks)
    if is_mine and (state in ("RUNNING", "RETURNED") or is_unmade) and may_withdraw(w):
        yield ActionView("withdraw", WORDS)
    if (is_mine or admin) and state == "RUNNING" and not is_urged(w):
        yield ActionView("urge")
    if takes_part(w.ctx, w.state) or admin:
        yield ActionView("comment", (*WORDS, "users"), ("comment",))
    if not admin:
        return
    if state in ("RUNNING", "SUSPENDED"):
        outside = tuple(Target(name, label_of(w, name)) for name in w.chart.sites if not w.chart.forks_around(name))
        active = tuple(Target(run.node, label_of(w, run.node)) for run in w.state.active()
                       if w.node_of(run).type in ("approve", "handle"))  # fmt: skip
        yield ActionView("jump", (*WORDS, "target"), ("comment", "target"), outside, is_override=True)
        if active:
            asks = (*WORDS, "target", "decision") if len(active) > 1 else (*WORDS, "decision")
            yield ActionView("force", asks, ("comment", "decision"), active, is_override=True)
    if state in ("RUNNING", "SUSPENDED", "RETURNED"):
        yield ActionView("cancel", WORDS, ("comment",), is_override=True)
    if state == "RUNNING":
        yield ActionView("suspend", WORDS, ("comment",), is_override=True)
    if state == "SUSPENDED":
        yield ActionView("resume", WORDS, ("comment",), is_override=True)


def is_urged(w: Work) -> bool:
    last = w.instance.data.get("urged", "")
    return bool(last) and w.now - datetime.fromisoformat(last) < URGED_EVERY
