"""What who submitted does: take it back, submit it again, urge; and what everybody who takes part may say."""

from datetime import datetime, timedelta

from engine.errors import Conflict
from engine.process import proposals, requests
from engine.process.approval import ending, flow, foresight, kept, material, nodes, record
from engine.process.approval.conditions import holds
from engine.process.approval.door import Given, register
from engine.process.approval.ending import UNMADE
from engine.process.approval.lending import take_back
from engine.process.approval.people import is_admin, need_chosen
from engine.process.approval.refusals import bad, not_yours, state_refused
from engine.process.approval.returning import is_last_round
from engine.process.approval.sight import takes_part
from engine.process.approval.state import State, Task
from engine.process.approval.work import Work

__all__ = ["URGED_EVERY"]

URGED_EVERY = timedelta(hours=1)
DECIDED = frozenset({"APPROVED", "REJECTED", "RETURNED"})


def need_submitter(w: Work) -> None:
    if not w.ctx.actor.is_system and w.ctx.actor.id != w.instance.submitter:
        raise not_yours("somebody else submitted this")


def may_withdraw(w: Work) -> bool:
    """What was returned lies with the submitter: they may always take it back."""
    said = w.approval.withdraw
    if w.instance.state == "RETURNED" or UNMADE in w.instance.data:
        return True
    if said == "before_first":
        called = (run.data["child"] for run in w.state.runs.values() if "child" in run.data and w.node_of(run).waits)
        return not is_decided(w.state) and not any(
            is_decided(state) for one in called if (state := kept.load(w.connection, one)) is not None
        )
    return said == "before_final"


def is_decided(state: State) -> bool:
    """Whether somebody decided anything, or an administrator did for them."""
    return any(
        (task.state in DECIDED and task.kind != "delegate") or state.runs[task.run].state in DECIDED
        for task in state.tasks.values()
    )


def need_submitters(w: Work) -> None:
    """Raises Conflict for what is suspended, unless its record could not be made."""
    if w.instance.state == "SUSPENDED" and UNMADE not in w.instance.data:
        raise state_refused(w.said.action, w.instance.state)


@register("withdraw", "instance", ("RUNNING", "RETURNED", "SUSPENDED"), asks=("comment",))
def withdraw(w: Work, given: Given, task: Task | None) -> None:
    need_submitters(w)
    need_submitter(w)
    if not may_withdraw(w):
        fix = "ask an administrator to cancel it"
        raise Conflict("this can no longer be withdrawn", code="approval.too_late", fix=fix)
    flow.finish(w, "WITHDRAWN")


@register("resubmit", "instance", ("RETURNED", "SUSPENDED"), asks=("comment", "chosen", "values"))
def resubmit(w: Work, given: Given, task: Task | None) -> None:
    """The record is locked again. It goes on as the node that returned it says, unless something material changed.
    `values`: what is changed of a new record that waits."""
    need_submitters(w)
    need_submitter(w)
    if given.values:
        if w.proposal is None:
            raise bad("approval.not_editable", "the record is there: change it itself", "values")
        proposals.renew(w, w.proposal, given.values)
    if is_last_round(w):
        w.set_instance("resubmit", "RUNNING", round=w.instance.round + 1)
        w.note("", "", "too_many_rounds", "", "", details={"most": w.approval.resubmission.most_rounds})
        flow.finish(w, "REJECTED")
        return
    if not holds(w.as_submitter, w.connection, w.object_then, w.instance.record, w.approval.when):
        raise Conflict("the approval is no longer for this record", code="approval.none", fix="withdraw it")
    w.is_strict = True
    data = w.instance.data
    resume = [tuple(one) for one in data.get("resume", ())]
    restart = material.restart_at(w, resume[0][0]) if resume else w.chart.first
    record.hold(w)
    take_back(w)
    need_chosen(w.ctx, w.connection, w.chart, given.chosen)
    chosen = {**data.get("chosen", {}), **{name: list(users) for name, users in given.chosen.items()}}
    w.set_instance(
        "resubmit", "RUNNING", round=w.instance.round + 1,
        data={"chosen": chosen, "sent": record.sent_now(w), **({"urged": data["urged"]} if "urged" in data else {})},
    )  # fmt: skip
    record.keep(w)
    ending.begin(w)
    requests.renew_of(w)
    if resume and restart is None:
        w.waiting += resume
    else:
        for run in list(w.state.active()):
            flow.cancel_run(w, run, "submitted again")
        w.waiting.append((restart or w.chart.first, "", ""))
    nodes.carry_on(w)
    foresight.need_approvers(w)


@register("urge", "instance")
def urge(w: Work, given: Given, task: Task | None) -> None:
    """Tell those who are asked once more; once an hour."""
    if not is_admin(w.ctx):
        need_submitter(w)
    last = w.instance.data.get("urged", "")
    if last and w.now - datetime.fromisoformat(last) < URGED_EVERY:
        raise Conflict("it was urged within the last hour", code="approval.urged", fix="wait for an hour")
    asked = [one for one in w.state.tasks.values() if one.state == "PENDING"]
    w.set_instance("urge", data={**w.instance.data, "urged": w.now.isoformat()})
    for one in asked:
        ending.tell(w, [one.user] if one.user else list(one.queue), "urged", {}, one.id)


@register("comment", "instance", (), asks=("comment", "users"))
def comment(w: Work, given: Given, task: Task | None) -> None:
    """Say or ask something; `users` of those who take part are told."""
    if not (takes_part(w.ctx, w.state) or is_admin(w.ctx) or w.ctx.actor.is_system):
        raise not_yours("only those who take part say something")
    if not given.comment.strip():
        raise bad("approval.comment_required", "a comment is needed", "comment", "say something")
    w.note("", "", "comment", w.instance.state, w.instance.state, details={"users": list(given.users)})
    around = {w.instance.submitter, *(one.user for one in w.state.tasks.values())}
    around |= {one.user for one in w.state.participants.values()}
    unknown = [one for one in given.users if one not in around]
    if unknown:
        raise bad("approval.users", "only those who take part can be asked", "users")
    ending.tell(w, given.users, "asked_back")
