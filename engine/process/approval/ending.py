"""What the start, the return and the end of an instance do to the record, and whom they tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.audit.log import note
from engine.process.approval import kept, passing, ports, record
from engine.process.approval.lending import lend
from engine.process.approval.people import administrators
from engine.process.approval.work import Work
from engine.process.renamed import steps_now
from metadata.processes import nodes_in

__all__ = [
    "UNMADE", "announce", "begin", "conflict", "end", "run_steps", "tell", "tell_admins", "tell_submitter",
    "unmade",
]  # fmt: skip

LEFT = "who submitted it has left"
UNMADE = "unmade"  # in an instance's data: approved, and its record is not there
STEPS = {"APPROVED": "approve", "REJECTED": "reject", "WITHDRAWN": "withdraw", "CANCELLED": "cancel"}


def begin(w: Work) -> None:
    """Submitted, for the first time or again; the record is held already."""
    record.set_status(w, "pending")
    run_steps(w, "submit")
    announce(w, "submitted")


def end(w: Work, outcome: str) -> None:
    """Steps first: they may write what is locked still."""
    w.waiting.clear()
    w.set_instance("end", outcome, ended_at=w.now)
    run_steps(w, STEPS[outcome])
    if outcome.lower() in w.approval.unlock:
        record.free(w)
    if not is_part(w):
        record.set_status(w, outcome.lower() if outcome != "CANCELLED" else "none")
    elif outcome != "CANCELLED":  # else the whole of it says what becomes of the record
        record.set_status(w, "pending")
    details = {"instance": w.instance.id, "approval": w.approval.name, "outcome": outcome.lower()}
    note(
        w.connection, "approval.ended", actor=w.ctx.actor, origin=w.ctx.origin, now=w.now, object_name=w.object,
        record=w.instance.record, details=details,
    )  # fmt: skip
    announce(w, outcome.lower(), details)
    if outcome in ("APPROVED", "REJECTED") and not w.instance.parent:
        tell(w, [w.instance.submitter], "decided", {"outcome": outcome.lower()})
    w.has_ended = True


def is_part(w: Work) -> bool:
    """Whether what it was called by runs on, about the same record."""
    whole = kept.instance_of(w.connection, w.instance.parent) if w.instance.parent else None
    return whole is not None and whole.ended_at is None and whole.record == w.instance.record


def conflict(w: Work, reason: str) -> None:
    """It is approved, and the change that it is about cannot be made as the record is now: back to who asked for it."""
    w.waiting.clear()
    data = {**w.instance.data, "resume": [], "returned_by": ""}
    w.set_instance("conflict", "RETURNED", reason=reason[:500], data=data)
    run_steps(w, "return")
    record.free(w)
    lend(w)
    record.set_status(w, "returned")
    announce(w, "returned")
    tell_submitter(w, {"reason": reason})


def tell_submitter(w: Work, why: dict[str, Any]) -> None:
    """It waits for them; for who has left, somebody else is the submitter since."""
    if passing.has_left(w) and not passing.pass_on(w, passing.heirs(w)):
        tell_admins(w, LEFT)
    tell(w, [w.instance.submitter], "returned", why)


def announce(w: Work, what: str, details: Mapping[str, Any] | None = None) -> None:
    """To automations that wait for it. It may be returned once a round."""
    said = details or {"instance": w.instance.id, "approval": w.approval.name, "outcome": what}
    key = f"{w.instance.id}:{w.instance.round}"
    ports.announce(w.system, w.connection, f"approval.{what}", w.object, w.instance.record, {**said, "key": key})


def unmade(w: Work, reason: str) -> None:
    """It is approved, and the new record cannot be made as things are now: an administrator may try again, who entered
    it may change it and submit it again."""
    w.waiting.clear()
    w.set_instance("suspend", "SUSPENDED", reason=reason[:500], data={**w.instance.data, UNMADE: True})
    w.forget_proposal()
    tell_submitter(w, {"reason": reason})
    tell_admins(w, reason)


def run_steps(w: Work, occasion: str) -> None:
    """Those that the approval lists for it, in this transaction."""
    parts = w.approval.on.get(occasion, ())
    if parts and w.proposal is None:  # steps are about a record
        key = f"approval:{w.instance.id}:{w.instance.seq}"
        details = {"instance": w.instance.id, "comment": w.said.comment, "actor": w.actor}
        cause = f"approval {w.approval.name}: {occasion}"
        said = w.ctx.snapshot.definitions.processes.approvals.get(w.approval.name)
        with ports.writing(w):
            steps = steps_now(
                w.ctx.snapshot, w.snapshot, w.approval.name, parts, said.on.get(occasion) if said is not None else None
            )
            ports.run_steps(
                w.as_step, w.connection, steps, w.object, w.instance.record, cause=cause, key=key, details=details
            )


def tell(w: Work, users: Sequence[str], event: str, values: dict[str, Any] | None = None, task: str = "") -> None:
    """A notification by the approval's template for the event; none where it says so."""
    template = w.approval.notify.get(event, "")
    wanted = [one for one in dict.fromkeys(users) if one]
    if wanted and template != "none":
        said = {
            "approval": dict(w.approval.label), "comment": w.said.comment, "instance": w.instance.id, "task": task,
            "actor": w.ctx.actor.name if w.actor == w.ctx.actor.id else "", **(values or {}),
        }  # fmt: skip
        if w.proposal is not None and may_tell_title(w):
            said["title"] = w.proposal.draft["shown"]["title"]  # there is no record to ask
        ports.notify(
            w.system, w.connection, wanted, f"approval.{event}", object_name=w.object, record=w.instance.record,
            link=f"/approvals/{w.instance.id}", template=template, values=said,
            key=f"approval:{w.instance.id}:{w.instance.seq}:{event}:{task}",
        )  # fmt: skip


def may_tell_title(w: Work) -> bool:
    """Whether no step hides the title of the new record, and nobody sees its mask."""
    definition = w.ctx.snapshot.definitions.objects[w.object]
    field = definition.fields.get(definition.title)
    return field is not None and not field.mask and all(
        definition.title not in node.hidden for node in nodes_in(w.approval.flow)
    )  # fmt: skip


def tell_admins(w: Work, reason: str) -> None:
    tell(w, administrators(w.ctx, w.connection), "stuck", {"reason": reason})
