"""The first page: how much there is, what waits for this person, what changed last."""

from typing import Any

from starlette.responses import Response

from engine.errors import EngineError
from engine.service import Query
from metadata.model import View
from ui.naming import named_rows
from ui.screens.lists import compiled, seen_keys
from ui.screens.objects import head
from ui.shell import shell_of
from ui.views import is_offered
from ui.visit import Visit

__all__ = ["home_page"]

MOST_TILES, MOST_LISTS, ROWS, RECENT = 6, 4, 5, 9
LOOKED_AT = 50  # changed records, of which those that the menu leads to are shown
MINE = "user.id"  # a view whose filter asks for the person acting


def home_page(visit: Visit) -> Response:
    objects = shell_of(visit.ctx).objects
    return visit.render(
        "home.html",
        title=visit.say("Home"),
        current="home",
        greeting=greeting(visit),
        today=visit.formats.long_date(visit.ctx.today),
        tiles=[tile(visit, name) for name in objects[:MOST_TILES]],
        lists=mine(visit, objects),
        recent=recent(visit, objects),
    )


def greeting(visit: Visit) -> str:
    hour = visit.ctx.now.astimezone(visit.ctx.time_zone).hour
    name = visit.ctx.actor.name or visit.ctx.actor.username
    if hour < 5 or hour >= 18:
        return visit.say("Good evening, {name}", name=name)
    if hour < 12:
        return visit.say("Good morning, {name}", name=name)
    return visit.say("Good afternoon, {name}", name=name)


def tile(visit: Visit, name: str) -> dict[str, Any]:
    definition = visit.ctx.snapshot.definitions.objects[name]
    page = visit.records.page(Query(object=name, fields=("id",), limit=1, count="capped"))
    count = visit.formats.number(page.count or 0) + ("+" if page.count_is_capped else "")
    return {**head(visit, definition), "label": visit.text(definition.plural), "count": count, "href": f"/o/{name}"}


def mine(visit: Visit, objects: tuple[str, ...]) -> list[dict[str, Any]]:
    """The first rows of views that are about this person, in the order of the menu, where there are any."""
    views = [view for view in visit.ctx.snapshot.definitions.views.values() if is_offered(visit.ctx, view)]
    found: list[dict[str, Any]] = []
    for name in objects:
        view = next((v for v in views if v.object == name and MINE in v.filter), None)
        if view is None or len(found) == MOST_LISTS:
            continue
        shown = first_rows(visit, view)
        if shown:
            found.append(shown)
    return found


def first_rows(visit: Visit, view: View) -> dict[str, Any] | None:
    definition = visit.ctx.snapshot.definitions.objects[view.object]
    columns = tuple(path for path in view.columns if path != "owner")[:5]
    made = compiled(visit, definition, columns)
    sort = seen_keys(visit, definition, view.sort)
    try:
        page = visit.records.page(
            Query(object=view.object, fields=made.plan.paths, filter=view.filter, sort=sort, limit=ROWS, count="capped")
        )
    except EngineError:
        # A filter may name what this person may not read: then the list is not for them.
        return None
    if not page.rows:
        return None
    return {
        "label": visit.text(view.label),
        "object": head(visit, definition),
        "count": visit.formats.number(page.count or 0) + ("+" if page.count_is_capped else ""),
        "href": f"/o/{view.object}?view={view.name}",
        "columns": [{"label": c.label, "is_numeric": c.is_numeric} for c in made.plan.columns],
        "rows": made.small(named_rows(visit.records, made.plan, page.rows), page.ids),
    }


def recent(visit: Visit, objects: tuple[str, ...]) -> list[dict[str, Any]]:
    """What changed last of the menu's objects: people who were given access are no news to those who sell."""
    definitions = visit.ctx.snapshot.definitions.objects
    changed = [found for found in visit.records.recent(LOOKED_AT) if found.object in objects]
    return [
        {
            **head(visit, definitions[found.object]),
            "title": found.title or visit.say("Untitled"),
            "href": f"/o/{found.object}/{found.id}",
            "ago": visit.formats.ago(found.at, visit.ctx.now),
        }
        for found in changed[:RECENT]
    ]
