"""What a person holds, and the form that hands all of it to somebody else."""

from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, Forbidden, NotFound
from engine.people.guards import may_manage
from engine.people.handover import Left, Moved, Report, hand_over, holdings
from metadata.model import SYSTEM_FIELDS, Field
from ui.screens.objects import head, object_of
from ui.screens.refusals import sentence
from ui.visit import Visit
from ui.widgets import widget_view

__all__ = ["hand_over_all", "handover_page", "offer_of"]

USER = "user"


def handover_page(visit: Visit) -> Response:
    return show(visit, holdings(visit.ctx, visit.request.path_params["id"]))


def hand_over_all(visit: Visit) -> Response:
    record_id, taker = visit.request.path_params["id"], visit.sent("to")
    try:
        report = hand_over(visit.ctx, record_id, taker, deactivates=visit.sent("deactivate") == "1")
    except (BadInput, Conflict) as refusal:
        status = 422 if isinstance(refusal, BadInput) else 409
        at_field = any(problem.path == "to" for problem in refusal.problems)
        text = sentence(visit, None, refusal)
        return show(visit, holdings(visit.ctx, record_id), status, *(("", text) if at_field else (text, "")))
    if report.left:
        notice = visit.say(
            "{count} were handed over. What stands below stays as it was.", count=visit.formats.number(report.count)
        )
        return show(visit, holdings(visit.ctx, record_id), 200, notice)
    toast = {"code": "handed_over", "count": visit.formats.number(report.count)}
    return visit.go(f"/o/{USER}/{record_id}", toast)


def show(visit: Visit, report: Report, status: int = 200, notice: str = "", error: str = "") -> Response:
    definition = object_of(visit, USER)
    record_id = visit.request.path_params["id"]
    person = visit.records.get_row(USER, record_id, ("name", "is_active"))
    reference = Field("to", "reference", {"en": visit.say("Goes to")}, is_required=True, target=USER)
    chosen = [visit.sent("to")] if visit.sent("to") else None
    return visit.render(
        "handover.html", status, title=visit.say("Hand over"), object=head(visit, definition), name=person["name"],
        is_active=bool(person["is_active"]), address=f"/o/{USER}/{record_id}", current=(USER, "", "any"),
        notice=notice, w=widget_view(visit, USER, reference, None, sent=chosen, error=error),
        count=visit.formats.number(report.count), rows=[row_view(visit, one) for one in (*report.moved, *report.left)],
        can_move=bool(report.moved), deactivates=visit.sent("deactivate") == "1" or not chosen,
    )  # fmt: skip


def row_view(visit: Visit, part: Moved | Left) -> dict[str, Any]:
    definition = visit.ctx.snapshot.definitions.objects.get(part.object)
    field = definition.fields.get(part.field) or SYSTEM_FIELDS.get(part.field) if definition else None
    more = part.count - len(part.examples) if isinstance(part, Moved) else 0
    return {
        "object": visit.text(definition.plural) if definition else part.object,
        "icon": definition.icon if definition else "file",
        "field": visit.text(field.label) if field else field_word(visit, part.field),
        "count": visit.formats.number(part.count),
        "examples": [
            {"title": title or visit.say("Untitled"), "href": f"/o/{part.object}/{one}"} for one, title in part.examples
        ] if isinstance(part, Moved) else [],
        "more": visit.formats.number(more) if more else "",
        "why": why(visit, part) if isinstance(part, Left) else "",
    }  # fmt: skip


def why(visit: Visit, part: Left) -> str:
    if part.code == "handover.defined":
        return visit.say("Named in a definition: publish another version.")
    return visit.say("You may not change all of these, so they stay.")


def field_word(visit: Visit, name: str) -> str:
    """Of what is held by no field."""
    words = {
        "approval_task": visit.say("Open approval tasks"), "approval_returned": visit.say("Returned approvals"),
        "agent": visit.say("Stands in for others"),
    }  # fmt: skip
    return words.get(name, name)


def offer_of(visit: Visit, object_name: str, record_id: str, can_update: bool) -> dict[str, Any] | None:
    """The way from a person's page to the handover; None where there is none."""
    if object_name != USER or not can_update:
        return None
    try:
        with visit.ctx.tenant.database.read() as connection:
            may_manage(visit.ctx, connection, [record_id])
        row = visit.records.get_row(USER, record_id, ("is_active",))
    except (Forbidden, NotFound):
        return None
    return {"href": f"/o/{USER}/{record_id}/handover", "is_active": bool(row["is_active"])}
