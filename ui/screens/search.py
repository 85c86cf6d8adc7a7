"""Search over everything that this person may read, and the options of lookups."""

from typing import Any

from starlette.responses import Response

from metadata.model import Object
from ui.screens.objects import head, object_of
from ui.shell import shell_of
from ui.visit import Visit, with_query

__all__ = ["options", "search_page"]

SHOWN = 6
OFFERED = 20


def search_page(visit: Visit) -> Response:
    text = visit.request.query_params.get("q", "").strip()[:200]
    objects = visit.ctx.snapshot.definitions.objects
    names = dict.fromkeys((*shell_of(visit.ctx).objects, *objects))
    readable = [objects[name] for name in names if visit.ctx.scope.can("read", name)]
    groups = [group for group in (found_in(visit, one, text) for one in readable) if group] if text else []
    heading = visit.say("Search results for '{text}'", text=text) if text else visit.say("Search")
    return visit.render(
        "search.html", title=heading, heading=heading, search_text=text, groups=groups, current="search"
    )


def found_in(visit: Visit, definition: Object, text: str) -> dict[str, Any] | None:
    found = visit.records.options(definition.name, text, SHOWN + 1)
    if not found:
        return None
    has_more = len(found) > SHOWN
    return {
        **head(visit, definition),
        "count": f"{SHOWN}+" if has_more else str(len(found)),
        "all": with_query(f"/o/{definition.name}", [("q", text)]) if has_more else "",
        "records": [
            {"href": f"/o/{definition.name}/{key}", "title": title or visit.say("Untitled"), "subtitle": subtitle}
            for key, title, subtitle in found[:SHOWN]
        ],
    }


def options(visit: Visit) -> Response:
    """What a lookup offers for the text that was typed: `for` says of which reference (deal.contact), and `record.x`
    what the field x of its form holds."""
    definition = object_of(visit, visit.request.path_params["object"])
    params = visit.request.query_params
    text, reference = params.get("q", "").strip()[:200], params.get("for", "")
    found = visit.records.options(definition.name, text, OFFERED, reference, held_in(visit, reference))
    return visit.json(
        [{"id": key, "title": title or visit.say("Untitled"), "subtitle": sub} for key, title, sub in found]
    )


def held_in(visit: Visit, reference: str) -> dict[str, object]:
    """What the form that holds a lookup sent along, as the API would take it."""
    owner, params = reference.partition(".")[0], visit.request.query_params
    fields = visit.ctx.scope.readable(owner)
    plugins, values = visit.ctx.snapshot.plugins.fields, dict[str, object]()
    for key in dict.fromkeys(key for key in params if key.startswith("record.")):
        name = key.removeprefix("record.")
        if name == "id":
            values[name] = params[key]
        elif (field := fields.get(name)) is not None:
            values[name] = plugins[field.type].from_form(field, params.getlist(key), visit.ctx.time_zone)
    return values
