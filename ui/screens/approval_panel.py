"""Approvals on a record's page: the panel, and the dialog that submits it."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, EngineError, Forbidden, NotFound
from engine.process.approval.service import Approvals, InstanceView, Option, PastView
from metadata.model import Object
from ui.screens.approval_actions import action_views, chosen_view
from ui.screens.approval_files import attachments_sent, attachments_widget
from ui.screens.approval_path import ahead_view
from ui.screens.approval_words import state_pill
from ui.screens.inbox_task import instance_view, is_mine, named_of
from ui.screens.objects import head, object_of
from ui.screens.refusals import problems_of, sentence, text_of
from ui.visit import Visit, with_query

__all__ = ["has_approvals", "panel_view", "past_page", "submit", "submit_page"]

MOST_PAST = 20


def has_approvals(visit: Visit, object_name: str) -> bool:
    approvals = visit.ctx.snapshot.definitions.processes.approvals.values()
    return any(one.object == object_name for one in approvals)


def panel_view(visit: Visit, definition: Object, record_id: str) -> dict[str, Any] | None:
    """None for objects that no approval is for."""
    if not has_approvals(visit, definition.name):
        return None
    approvals, address = Approvals(visit.ctx), f"/o/{definition.name}/{record_id}"
    shown = approvals.of_record(definition.name, record_id, past=False)  # what was decided last is what one asks for
    known = {one.id for one in shown}
    past, more = approvals.past_of_record(definition.name, record_id, MOST_PAST)
    return {
        "submit": f"{address}/submit" if may_submit(visit, definition.name, record_id) else "",
        "shown": [shown_view(visit, definition, one, address) for one in shown],
        "past": [past_view(visit, one) for one in past if one.id not in known],
        "more": with_query(f"{address}/approvals", [("cursor", more)]) if more else "",
    }


def past_page(visit: Visit) -> Response:
    """Further approvals that have ended: rows for the panel, or a page of them."""
    definition, record_id = object_of(visit, visit.request.path_params["object"]), visit.request.path_params["id"]
    address = f"/o/{definition.name}/{record_id}"
    title = visit.records.titles(definition.name, [record_id]).get(record_id)
    if title is None:
        raise NotFound("no such record")
    cursor = visit.request.query_params.get("cursor", "")
    past, more = Approvals(visit.ctx).past_of_record(definition.name, record_id, MOST_PAST, cursor)
    return visit.render(
        "approvals_past.html" if visit.is_part else "approvals_past_page.html", title=visit.say("Earlier approvals"),
        about=title or visit.say("Untitled"), current=(definition.name, "", "any"), object=head(visit, definition),
        past=[past_view(visit, one) for one in past], address=address,
        more=with_query(f"{address}/approvals", [("cursor", more)]) if more else "",
    )  # fmt: skip


def may_submit(visit: Visit, object_name: str, record_id: str) -> bool:
    try:
        return bool(Approvals(visit.ctx).options(object_name, record_id).approvals)
    except (NotFound, Forbidden):
        return False


def shown_view(visit: Visit, definition: Object, instance: InstanceView, address: str) -> dict[str, Any]:
    me = visit.ctx.actor.id
    mine = next((one for one in instance.open if is_mine(one, me) and one.state == "PENDING"), None)
    buttons: list[dict[str, Any]] = []
    if mine is not None:
        actions = Approvals(visit.ctx).task(mine.task).actions
        buttons = action_views(visit, actions, f"/inbox/{mine.task}", [("back", address)])
    return {
        "task": {
            "href": f"/inbox/{mine.task}", "main": [one for one in buttons if one["is_main"]],
            "queue": named_of(buttons, "claim") or named_of(buttons, "unclaim"),
        } if mine is not None else None,
        **instance_view(visit, definition, instance, address),
    }  # fmt: skip


def past_view(visit: Visit, one: PastView) -> dict[str, Any]:
    return {
        "href": f"/approvals/{one.id}", "label": one.label, "state": state_pill(visit, one.state),
        "when": visit.formats.date(one.ended_at.astimezone(visit.ctx.time_zone).date()),
    }  # fmt: skip


# -- submitting


def submit_page(visit: Visit) -> Response:
    return show(visit)


def submit(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    asked = visit.sent("approval")
    chosen = {
        name.removeprefix(f"chosen.{asked}."): [one for one in values if one]
        for name, values in visit.form.items() if asked and name.startswith(f"chosen.{asked}.")
    }  # fmt: skip
    try:
        Approvals(visit.ctx).submit(
            definition.name, record_id, asked, chosen=chosen, comment=visit.sent("comment").strip(),
            attachments=attachments_sent(visit), key=visit.sent("key")[:200],
        )  # fmt: skip
    except (BadInput, Conflict, Forbidden) as refusal:
        return show(visit, 422 if isinstance(refusal, BadInput) else 409, refusal)
    title = visit.records.titles(definition.name, [record_id]).get(record_id, "")
    return visit.go(f"/o/{definition.name}/{record_id}", {"code": "approval_submit", "title": title})


def show(visit: Visit, status: int = 200, refusal: EngineError | None = None) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    options = Approvals(visit.ctx).options(definition.name, record_id).approvals
    if not options and refusal is None:
        refusal = Conflict("no approval is for this record as it is", code="approval.none")
    errors, notices = told(visit, definition, refusal)
    title = visit.records.titles(definition.name, [record_id]).get(record_id) or visit.say("Untitled")
    chosen = visit.sent("approval") or (options[0].approval if options else "")
    return visit.render(
        "submit.html" if visit.is_part else "submit_page.html", status, title=visit.say("Submit for approval"),
        about=title, object=head(visit, definition), in_sheet=visit.is_part, current=(definition.name, "", "any"),
        address=f"/o/{definition.name}/{record_id}", notices=notices, chosen=chosen, comment=visit.sent("comment"),
        options=[option_view(visit, one, errors) for one in options],
        attachments=attachments_widget(visit, errors.get("attachments", "")),
        key=visit.sent("key") or secrets.token_urlsafe(18),
    )  # fmt: skip


def told(
    visit: Visit, definition: Object, refusal: EngineError | None
) -> tuple[dict[str, str], list[str]]:  # fmt: skip
    errors: dict[str, str] = {}
    loose: list[str] = []
    for problem in problems_of(refusal) if refusal is not None else ():
        if problem.path.startswith("chosen.") or problem.path == "attachments":
            errors.setdefault(problem.path, text_of(visit, definition, problem))
    if refusal is not None and not errors:
        loose.append(sentence(visit, definition, refusal))
    return errors, loose


def option_view(visit: Visit, option: Option, errors: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": option.approval, "label": option.label, "description": option.description,
        "choose": chosen_view(visit, option.chooses, errors, f"chosen.{option.approval}"),
        "ahead": ahead_of(visit, option),
    }  # fmt: skip


def ahead_of(visit: Visit, option: Option) -> Sequence[dict[str, Any]]:
    """Who will be asked, in their order; steps that nobody sees are left out."""
    return [
        {"label": one.label, "state": "is-ahead", "branches": [], "is_quiet": False, **ahead_view(visit, one)}
        for one in option.ahead if one.type in ("approve", "handle", "cc")
    ]  # fmt: skip
