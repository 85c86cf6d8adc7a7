"""One masked value, shown in its place for a while to whoever may see it. Each time is in the audit log."""

from starlette.responses import Response

from metadata.model import Object
from ui.screens.objects import object_of
from ui.visit import Visit

__all__ = ["may_unmask", "unmask"]


def may_unmask(visit: Visit, definition: Object) -> bool:
    """Whether the page offers it; the record itself is asked when it is wanted."""
    return visit.ctx.scope.has("unmask") or visit.ctx.scope.can("unmask", definition.name)


def unmask(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    value = visit.records.unmask(definition.name, visit.request.path_params["id"], visit.sent("field"))
    return visit.json({"text": "" if value is None else str(value)})
