"""Automations that somebody sets off by a button on a record's page."""

from starlette.responses import Response

from engine.errors import BadInput, Conflict
from engine.process.automation import desk
from ui.screens.objects import object_of
from ui.screens.pressed import refused, title_of
from ui.screens.record import record_page
from ui.visit import Visit

__all__ = ["press"]


def press(visit: Visit) -> Response:
    """Carried out at once. What a step is refused with is said above the record."""
    definition = object_of(visit, visit.request.path_params["object"])
    record_id, name = visit.request.path_params["id"], visit.request.path_params["automation"]
    try:
        run = desk.press(visit.ctx, definition.name, record_id, name)
    except (BadInput, Conflict) as refusal:
        return record_page(visit, refused(visit, definition, refusal), 422 if isinstance(refusal, BadInput) else 409)
    title = title_of(visit, name)
    code = "button_waits" if run.state == "waiting" else "button_done"
    return visit.go(f"/o/{definition.name}/{record_id}", {"code": code, "title": title})
