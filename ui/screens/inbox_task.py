"""A task: the record as its person sees it, the decision, and the approval around it. And an approval for the others
who take part."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response

from engine.errors import NotFound
from engine.process.approval.seen import compared
from engine.process.approval.service import Approvals, InstanceView, OpenTask, TaskView
from engine.process.approval.views import Line
from metadata.model import Object
from ui.screens.approval_actions import action_views
from ui.screens.approval_files import attached_view
from ui.screens.approval_history import history_view, rounds_view
from ui.screens.approval_path import path_view
from ui.screens.approval_record import Shown, differences_view, inputs_view, record_view, shown_to
from ui.screens.approval_waiting import waiting_view
from ui.screens.approval_words import deadline_view, person_name, state_pill, title_or, who
from ui.screens.objects import head
from ui.visit import Visit

__all__ = ["approval_page", "instance_view", "named_of", "task_page"]

ADDED = frozenset({"before", "after", "parallel"})  # how a task came that somebody may take away again

OF_QUEUES = ("claim", "unclaim")  # beside what they are about, not among the rest


def task_page(visit: Visit) -> Response:
    task = Approvals(visit.ctx).task(visit.request.path_params["task"])
    definition = visit.ctx.snapshot.definitions.objects[task.instance.object]
    buttons = action_views(visit, task.actions, f"/inbox/{task.task}", [("on", "task")])
    shown = shown_to(visit, task.instance, task)
    is_open = any(one["is_main"] or one["name"] in OF_QUEUES for one in buttons)
    return show(
        visit, definition, task.instance, shown,
        task={
            "id": task.task, "node": task.node_label, "state": state_pill(visit, task.state), "is_open": is_open,
            "due": deadline_view(visit, task.due_at, task.is_overdue) if is_open else None,
            "instead": person_name(visit, task.instead_of) if task.via == "agent" and task.instead_of else "",
            "is_queued": task.via == "queue", "asked": asked_with(visit, task.instance) if is_open else None,
            "main": [one for one in buttons if one["is_main"]],
            "more": [
                one for one in buttons
                if not one["is_main"] and not one["is_override"] and one["name"] not in OF_QUEUES
            ],
            "claim": named_of(buttons, "claim"), "unclaim": named_of(buttons, "unclaim"),
            "overrides": [one for one in buttons if one["is_override"]],
            "opinions": [
                {"by": who(visit, one.actor), "text": one.comment, "ago": visit.formats.ago(one.at, visit.ctx.now),
                 "files": attached_view(visit, one.attachments)}
                for one in task.opinions if one.actor.id != visit.ctx.actor.id
            ],
        },
        inputs=inputs_view(visit, definition, task, shown=shown) if is_open else [],
        editable=task.editable if is_open else (),
        hints=hints(visit, task),
    )  # fmt: skip


def named_of(buttons: Sequence[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((one for one in buttons if one["name"] == name), None)


def hints(visit: Visit, task: TaskView) -> list[str]:
    """What a decision asks for is said before it is made."""
    needs = {one.name: one.needs for one in task.actions}
    found = []
    if any("password" in those for those in needs.values()):
        found.append(visit.say("You sign with your password."))
    if "comment" in needs.get("approve", ()) or "comment" in needs.get("complete", ()):
        found.append(visit.say("Every decision needs a comment."))
    elif "comment" in needs.get("reject", ()) or "comment" in needs.get("return", ()):
        found.append(visit.say("To reject or return it, say why."))
    return found


def approval_page(visit: Visit) -> Response:
    """For whoever submitted it, was told of it, or looks after approvals. Who has a task is led to it."""
    instance = Approvals(visit.ctx).instance(visit.request.path_params["id"])
    mine = next((one for one in instance.open if is_mine(one, visit.ctx.actor.id)), None)
    if mine is not None and mine.state == "PENDING" and not visit.is_part:
        return RedirectResponse(f"/inbox/{mine.task}", 303, headers={"cache-control": "no-store"})
    definition = visit.ctx.snapshot.definitions.objects[instance.object]
    return show(visit, definition, instance, shown_to(visit, instance), task=None, inputs=[], editable=(), hints=[])


def is_mine(task: OpenTask, me: str) -> bool:
    if task.person is not None and task.person.id == me:
        return True
    return any(one.id == me for one in (*task.agents, *(task.queue if task.person is None else ())))


def show(
    visit: Visit, definition: Object, instance: InstanceView, shown: Shown, *,
    task: dict[str, Any] | None, inputs: Sequence[dict[str, Any]], editable: Sequence[str], hints: Sequence[str],
) -> Response:  # fmt: skip
    title = title_or(visit, shown.title or instance.title)
    view = instance_view(visit, definition, instance)
    if shown.differences is not None:
        view["compared"] = differences_view(visit, definition, shown.differences)
    return visit.render(
        "task.html", title=title, current="inbox", object=head(visit, definition), task=task, inputs=inputs,
        hints=hints,
        record={"href": record_address(visit, instance), **record_view(visit, definition, instance, shown, editable)},
        is_seen=bool(shown.values), decided_at=visit.formats.datetime(shown.decided_at) if shown.decided_at else "",
        **view,
    )  # fmt: skip


def record_address(visit: Visit, instance: InstanceView) -> str:
    """Where the record stands, for those who may read it by their own rights."""
    try:
        found = visit.records.titles(instance.object, [instance.record])
    except NotFound:
        return ""
    return f"/o/{instance.object}/{instance.record}" if instance.record in found else ""


def instance_view(
    visit: Visit, definition: Object, instance: InstanceView, back: str = ""
) -> dict[str, Any]:  # fmt: skip
    """What the task's page and the record's page show of an approval."""
    actions = action_views(visit, instance.actions, f"/approvals/{instance.id}", [("back", back)] if back else ())
    is_admin = any(one["is_override"] for one in actions)
    return {
        "approval": {
            "id": instance.id, "label": instance.label, "state": state_pill(visit, instance.state),
            "is_over": instance.ended_at is not None, "reason": instance.reason,
            "is_suspended": instance.state == "SUSPENDED", "is_returned": instance.state == "RETURNED",
            "round": visit.say("Round {n}", n=instance.round) if instance.round > 1 else "",
            "submitter": who(visit, instance.submitter),
            "since": visit.formats.ago(instance.started_at, visit.ctx.now),
            "since_exact": visit.formats.datetime(instance.started_at),
            "ended": visit.formats.ago(instance.ended_at, visit.ctx.now) if instance.ended_at else "",
            "actions": [one for one in actions if not one["is_override"]],
            "overrides": [one for one in actions if one["is_override"]],
            "cc": [who(visit, one) for one in instance.cc],
            "said": last_word(visit, instance),
        },
        "open_tasks": open_view(visit, instance, is_admin, back),
        "path": path_view(visit, instance),
        "history": rounds_view(visit, history_view(visit, definition, instance)),
        "compared": differences_view(visit, definition, compared(visit.ctx, instance.id)),
        "waits": waiting_view(visit, definition, instance),
    }  # fmt: skip


def last_word(visit: Visit, instance: InstanceView) -> dict[str, Any] | None:
    """What was said with the return or the rejection that it stands at."""
    wanted = {"RETURNED": "return", "REJECTED": "reject"}.get(instance.state, "")
    return word_of(visit, [one for one in instance.history if one.action == wanted and wanted])


def asked_with(visit: Visit, instance: InstanceView) -> dict[str, Any] | None:
    """What was said when it was submitted last: whoever decides reads it first."""
    rounds = [one for one in instance.history if one.action in ("submit", "resubmit")]
    return word_of(visit, rounds[-1:])


def word_of(visit: Visit, lines: Sequence[Line]) -> dict[str, Any] | None:
    """The last of them with which something was said."""
    line = next((one for one in reversed(lines) if one.comment or one.attachments), None)
    if line is None:
        return None
    files = attached_view(visit, line.attachments)
    return {"by": person_name(visit, line.actor), "text": line.comment, "files": files}


def open_view(visit: Visit, instance: InstanceView, is_admin: bool, back: str) -> list[dict[str, Any]]:
    """Where it is now and with whom, and what the person may do to the tasks of others."""
    found = []
    more = [("back", back)] if back else []
    for one in instance.open:
        actions = []
        if one.kind in ADDED or is_admin:
            wanted = ("remove_signer", "reassign")
            task = Approvals(visit.ctx).task(one.task) if may_look(visit, one, instance, is_admin) else None
            actions = [action for action in (task.actions if task else ()) if action.name in wanted]
        found.append({
            "task": one.task, "node": one.node_label,
            "since": visit.formats.ago(one.since, visit.ctx.now) if one.since else "",
            "who": who(visit, one.person) if one.person is not None else None,
            "queue": [who(visit, person) for person in one.queue],
            "due": deadline_view(visit, one.due_at, one.is_overdue) if one.state == "PENDING" else None,
            "is_waiting": one.state != "PENDING",
            "actions": action_views(visit, actions, f"/inbox/{one.task}", more),
        })  # fmt: skip
    return found


def may_look(visit: Visit, task: OpenTask, instance: InstanceView, is_admin: bool) -> bool:
    """Whether the task of another is known to this person: only then it is asked for."""
    me = visit.ctx.actor.id
    return (
        is_admin
        or instance.submitter.id == me
        or any(one.person is not None and one.person.id == me for one in instance.history)
    )
