"""Delete, bring back, and the list of what was deleted."""

from starlette.responses import Response

from engine.errors import BadInput, Conflict
from engine.service import Query, SortKey
from ui.screens.objects import head, object_of, title_in
from ui.screens.record import record_page
from ui.screens.refusals import sentence
from ui.visit import Visit, safe_address, with_query

__all__ = ["delete", "deleted_page", "restore"]

PAGE = 50


def delete(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    title = visit.records.titles(definition.name, [record_id]).get(record_id) or visit.text(definition.label)
    try:
        visit.records.delete(definition.name, record_id)
    except (BadInput, Conflict) as refusal:
        return record_page(visit, sentence(visit, definition, refusal), 409)
    if visit.waits(record_id):
        return visit.go(f"/o/{definition.name}/{record_id}", {"code": "waits"})
    toast = {"code": "deleted", "object": definition.name, "id": record_id, "title": title}
    return visit.go(f"/o/{definition.name}", toast)


def restore(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record = visit.records.restore(definition.name, visit.request.path_params["id"])
    title = title_in(visit, definition, record, visit.text(definition.label))
    back = safe_address(visit.sent("back")) if visit.sent("back") else f"/o/{definition.name}"
    return visit.go(back, {"code": "restored", "title": title})


def deleted_page(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    when = ("modified_at",) if "modified_at" in visit.ctx.scope.fields(definition.name) else ()
    page = visit.records.page(
        Query(
            object=definition.name,
            fields=(visit.ctx.scope.title(definition.name), *when),
            sort=tuple(SortKey(name, True) for name in when),
            limit=PAGE,
            cursor=visit.request.query_params.get("cursor", ""),
            in_trash=True,
        )
    )
    address = f"/o/{definition.name}/deleted"
    return visit.render(
        "deleted.html",
        title=visit.say("Recently deleted"),
        object=head(visit, definition),
        current=(definition.name, "", "any"),
        can_restore=visit.ctx.scope.can("delete", definition.name),
        more=with_query(address, [("cursor", page.next)]) if page.next else "",
        records=[
            {
                "id": key,
                "title": str(row[0]) if row[0] else visit.say("Untitled"),
                "when": visit.formats.datetime(row[1]) if when else "",
            }
            for row, key in zip(page.rows, page.ids, strict=True)
        ],
    )
