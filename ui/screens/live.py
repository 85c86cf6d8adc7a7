"""What a form asks for while one types: its rules, and the values behind a reference."""

from typing import Any

from starlette.responses import Response

from engine.errors import NotFound
from metadata.model import Object
from ui.live import Live, live_of
from ui.live_module import module_of
from ui.screens.fields import text_of
from ui.screens.objects import is_written, object_of
from ui.visit import Visit
from ui.working import plain, reached

__all__ = ["reach_part", "rules_module"]


def rules_module(visit: Visit) -> Response:
    """Always what this person may know now; kept for ever under the address that says so."""
    definition = object_of(visit, visit.request.path_params["object"])
    made = module_of(visit.ctx, visit.formats, definition.name)
    is_the_one = visit.request.path_params["digest"] == made.digest
    headers = {
        "cache-control": "private, max-age=31536000, immutable" if is_the_one else "no-store",
        "x-content-type-options": "nosniff",
        "vary": "Cookie",
    }
    return Response(made.text, headers=headers, media_type="text/javascript")


def reach_part(visit: Visit) -> Response:
    """`?field=account&id=…` -> what the form's rules read behind that reference, and what it fills in.

    `lines` names the field of lines whose reference it is. A record that this person may not see has no values.
    """
    definition = object_of(visit, visit.request.path_params["object"])
    query = visit.request.query_params
    live = live_of(visit.ctx.snapshot, visit.ctx.scope, definition.name)
    if lines := query.get("lines", ""):
        if lines not in live.lines:
            raise NotFound(f"no lines '{lines}'")
        live = live.lines[lines]
        definition = object_of(visit, live.object)
    name, record_id = query.get("field", ""), query.get("id", "")
    if name not in live.reach or name == live.by:
        return visit.json({"values": {}, "fill": {}})
    found = reached(visit.ctx, live, [{name: record_id}]).get((name, record_id), {})
    values = {f"{name}.{path}": plain(found.get(path)) for path in live.reach[name]}
    return visit.json({"values": values, "fill": filled(visit, definition, live, name, found)})


def filled(visit: Visit, definition: Object, live: Live, name: str, found: dict[str, Any]) -> dict[str, Any]:
    """field -> what its control shall hold, of fields that are taken over through the reference `name`."""
    fill: dict[str, Any] = {}
    for target in live.fetches:
        field = definition.fields[target]
        first, _, rest = field.fetch.partition(".")
        if first != name:
            continue
        value = found.get(rest)
        fill[target] = {"value": plain(value), "title": "", "text": ""}
        if field.target and value:
            fill[target]["title"] = visit.records.titles(field.target, [value]).get(value, "")
        if not is_written(visit, definition, target):
            shown = text_of(visit, field, value)
            fill[target]["text"] = fill[target]["title"] if field.target else shown
    return fill
