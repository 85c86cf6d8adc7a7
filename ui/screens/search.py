"""Search over everything that this person may read, and the options of lookups."""

from typing import Any

from starlette.responses import Response

from engine.service import Query
from metadata.model import Object
from ui.columns import field_of
from ui.screens.objects import head, is_written, object_of
from ui.shell import shell_of
from ui.visit import Visit, with_query

__all__ = ["options", "search_page"]

SHOWN = 6
OFFERED = 20
SHOWN_LEVELS = 4  # of a tree, above a record that a lookup offers
SO_FAR = "r."


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
    """What a lookup offers for the text that was typed; with `id`, that record alone.

    `of` names the reference, deal.contact, whose filter narrows it; `r.…` hold what the form says of the record so far.
    """
    definition = object_of(visit, visit.request.path_params["object"])
    query = visit.request.query_params
    if wanted := query.get("id", ""):
        found = [(key, title, "") for key, title in visit.records.titles(definition.name, [wanted]).items()]
    else:
        text, reference = query.get("q", "").strip()[:200], query.get("of", "")
        record = so_far(visit, reference) if reference else {}
        found = list(visit.records.options(definition.name, text, OFFERED, reference, record))
    paths = tree_paths(visit, definition, [key for key, _, _ in found])
    return visit.json([
        {"id": key, "title": title or visit.say("Untitled"), "subtitle": paths.get(key, sub)}
        for key, title, sub in found
    ])  # fmt: skip


def so_far(visit: Visit, reference: str) -> dict[str, object]:
    """Values of the form as the API takes them."""
    definition = object_of(visit, reference.partition(".")[0])
    plugins, sent = visit.ctx.snapshot.plugins.fields, dict[str, list[str]]()
    for name, text in visit.request.query_params.multi_items():
        if name.startswith(SO_FAR):
            sent.setdefault(name.removeprefix(SO_FAR), []).append(text)
    record: dict[str, object] = {}
    for name, texts in sent.items():
        field = field_of(definition, name)
        if name == "id":
            record[name] = texts[-1]
        elif field is not None and is_written(visit, definition, name):
            record[name] = plugins[field.type].from_form(field, texts, visit.ctx.time_zone)
    return record


def tree_paths(visit: Visit, definition: Object, ids: list[str]) -> dict[str, str]:
    """Of records of a tree, the titles of what is above each: "Machines > Pumps"."""
    tree = definition.tree
    if not tree or not ids or tree not in visit.ctx.scope.readable(definition.name):
        return {}
    above = [".".join([tree] * depth) for depth in range(1, SHOWN_LEVELS + 1)]
    paths = tuple(f"{path}.{visit.ctx.scope.title(definition.name)}" for path in above)
    page = visit.records.page(Query(definition.name, paths, ids=tuple(ids), limit=len(ids)))
    return {
        key: " \u203a ".join(str(title) for title in reversed(row) if title)
        for key, row in zip(page.ids, page.rows, strict=True)
    }
