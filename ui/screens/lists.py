"""The list of an object: which view, which records, and the tools above them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from engine.process.automation import desk
from engine.service import Query, SortKey
from metadata.model import Action, Field, Object, View
from metadata.model import SortKey as ModelSort
from ui.columns import Plan, plan_of, resolve
from ui.filters import ListState, Where, chip_text, condition, filterable, operators_for
from ui.naming import named_rows
from ui.rows import Rows, compile_rows
from ui.screens.bulk import bulk_fields
from ui.screens.objects import head, object_of
from ui.views import is_offered
from ui.visit import Visit
from ui.widgets import LONG, widget_view

__all__ = ["filter_part", "list_page", "seen_keys", "views_of"]

PAGE = 50
PICKED = 100  # options in a quick filter of a reference
SHOWN_VIEWS = 3
ROW_ACTIONS: tuple[Action, ...] = ("update", "delete")  # of a row's menu; which are for it depends on the record


@dataclass(frozen=True, slots=True)
class Compiled:
    """A view as one reader sees it, kept for the life of the snapshot."""

    plan: Plan
    rows: Rows
    small: Rows


def views_of(visit: Visit, name: str) -> list[View]:
    """Those that this person may ask for: a view whose filter names what they do not see is not for them."""
    ctx = visit.ctx
    return [one for one in ctx.snapshot.definitions.views.values() if one.object == name and is_offered(ctx, one)]


def view_for(visit: Visit, definition: Object, wanted: str) -> View:
    """The view asked for, else the default, else one made of the first fields."""
    views = views_of(visit, definition.name)
    for view in views:
        if view.name == wanted:
            return view
    return next((v for v in views if v.is_default), views[0] if views else made_view(visit, definition))


def made_view(visit: Visit, definition: Object) -> View:
    plugins = visit.ctx.snapshot.plugins.fields
    short = [f.name for f in definition.fields.values() if f.name != definition.title and not f.is_hidden]
    short = [name for name in short if plugins[definition.fields[name].type].widget not in LONG]
    picked = [f.name for f in definition.fields.values() if f.choices and plugins[f.type].value == "choice"]
    return View(
        name="", object=definition.name, label=definition.plural, columns=(definition.title, *short[:6], "owner"),
        sort=(ModelSort("created_at", True),), quick_filters=(*picked[:2], "owner"),
    )  # fmt: skip


def compiled(visit: Visit, definition: Object, columns: tuple[str, ...]) -> Compiled:
    ctx = visit.ctx
    key = ("ui.rows", definition.name, columns, ctx.language, ctx.time_zone.key, ctx.scope.key)
    found: Compiled | None = ctx.snapshot.cache.get(key)
    if found is None:
        plan = plan_of(ctx.snapshot, ctx.scope, definition.name, columns, visit.formats, ctx.language)
        found = ctx.snapshot.cache[key] = Compiled(
            plan,
            compile_rows(definition.name, plan, visit.say),
            compile_rows(definition.name, plan, visit.say, has_tools=False),
        )
    return found


def list_page(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    if definition.kind == "single":
        page = visit.records.page(Query(definition.name, ("id",), limit=1))
        if page.ids:
            return visit.go(f"/o/{definition.name}/{page.ids[0]}")
    query = visit.request.query_params
    state = ListState.read(definition.name, query.multi_items())
    if query.get("add.path") and query.get("add.op"):
        added = Where(query["add.path"], query["add.op"], query.get("add.value", ""))
        if condition(visit.ctx, definition.name, added):
            state = replace(state, where=tuple(dict.fromkeys((*state.where, added))))
        return visit.go(state.address())
    view = view_for(visit, definition, state.view)
    made = compiled(visit, definition, view.columns)
    sort = allowed_sort(visit, definition, state) or seen_keys(visit, definition, view.sort)
    part = query.get("part", "") if visit.is_part else ""
    page = visit.records.page(
        Query(
            object=definition.name,
            fields=made.plan.paths,
            filter=view.filter,
            sort=sort,
            limit=PAGE,
            cursor=query.get("cursor", ""),
            count="none" if part == "rows" else "capped",
            search=state.search,
            conditions=conditions(visit, state),
        )
    )
    offered = [action for action in ROW_ACTIONS if visit.ctx.scope.can(action, definition.name)]
    may = visit.records.allowed_each(definition.name, page.ids, offered)
    less = {one: found for one, found in may.items() if len(found) < len(offered)}
    rows = made.rows(named_rows(visit.records, made.plan, page.rows), page.ids, less)
    results: dict[str, Any] = {
        "rows": rows,
        "columns": [column_view(c, state, sort) for c in made.plan.columns],
        "more": state.address(cursor=page.next) if page.next else "",
        "more_part": state.address(cursor=page.next, part="rows") if page.next else "",
        "is_continued": bool(query.get("cursor")),
        "first": state.address(),
        "state": state,
    }
    if part == "rows":
        return visit.render("list_rows.html", **results)
    results |= {
        "count": count_text(visit, page.count, page.count_is_capped),
        "is_narrowed": state.is_narrowed,
        "clear": state.bare().address(),
        "chips": chips(visit, state),
        "can_create": visit.ctx.scope.can("create", definition.name),
        "can_delete": visit.ctx.scope.can("delete", definition.name),
        "can_update": visit.ctx.scope.can("update", definition.name),
        "object": head(visit, definition),
        "is_filtered_view": bool(view.filter),
        "bulk_fields": bulk_fields(visit, definition),
        "buttons": desk.buttons_of(visit.ctx, definition.name),
    }
    if part == "results":
        response = visit.render("list_results.html", is_update=True, **results)
        response.headers["HX-Replace-Url"] = state.address()
        return response
    return visit.render(
        "list.html",
        title=visit.text(definition.plural),
        views=[view_link(visit, v, view) for v in views_of(visit, definition.name)],
        shown_views=shown_views(visit, definition, view),
        view_label=visit.text(view.label),
        quick=[q for q in (quick_view(visit, definition, path, state) for path in view.quick_filters) if q],
        fields=filterable(visit.ctx, definition.name),
        current=(definition.name, view.name),
        **results,
    )


def conditions(visit: Visit, state: ListState) -> tuple[tuple[str, str, object], ...]:
    asked = [condition(visit.ctx, state.object, where) for where in quick_wheres(visit, state)]
    asked += [condition(visit.ctx, state.object, where) for where in state.where]
    return tuple(c for c in asked if c is not None)


def quick_wheres(visit: Visit, state: ListState) -> list[Where]:
    """A drop-down above the list asks for equality; of several choices, for one among them."""
    found = []
    for path, value in state.quick:
        target = resolve(visit.ctx.snapshot, visit.ctx.scope, state.object, path)
        if target:
            several = visit.ctx.snapshot.plugins.fields[target[1].type].value == "choices"
            found.append(Where(path, "includes" if several else "is", value))
    return found


def allowed_sort(visit: Visit, definition: Object, state: ListState) -> tuple[SortKey, ...]:
    return seen_keys(visit, definition, state.sort)


def seen_keys(visit: Visit, definition: Object, keys: Iterable[SortKey | ModelSort]) -> tuple[SortKey, ...]:
    """Without those that this person may not see, or sees the mask of."""
    found = [(key, resolve(visit.ctx.snapshot, visit.ctx.scope, definition.name, key.path)) for key in keys]
    seen = [key for key, target in found if target is not None and not target[1].is_masked]
    return tuple(SortKey(key.path, key.is_descending) for key in seen)


def column_view(column: Any, state: ListState, sort: tuple[SortKey, ...]) -> dict[str, Any]:
    first = sort[0] if sort else None
    is_sorted = first is not None and first.path in (column.sort_path, column.path) and bool(column.sort_path)
    descends = bool(is_sorted and first and first.is_descending)
    turned = replace(state, sort=(SortKey(column.sort_path, is_sorted and not descends),)) if column.sort_path else None
    return {
        "label": column.label,
        "is_numeric": column.is_numeric,
        "href": turned.address() if turned else "",
        "sorted": ("descending" if descends else "ascending") if is_sorted else "",
    }


def count_text(visit: Visit, count: int | None, is_capped: bool) -> str:
    if count is None:
        return ""
    if count == 1:
        return visit.say("1 record")
    return visit.say("{count} records", count=visit.formats.number(count) + ("+" if is_capped else ""))


def chips(visit: Visit, state: ListState) -> list[dict[str, str]]:
    found = []
    for where in state.where:
        text = chip_text(visit.ctx, visit.records, state.object, where, visit.formats)
        if text:
            found.append({"text": text, "href": state.without(where).address(), "value": str(where)})
    return found


def view_link(visit: Visit, view: View, current: View) -> dict[str, Any]:
    return {
        "label": visit.text(view.label),
        "href": f"/o/{view.object}?view={view.name}",
        "is_current": view is current,
    }


def shown_views(visit: Visit, definition: Object, current: View) -> list[dict[str, Any]]:
    """The first few beside the title, always with the one that is open."""
    views = views_of(visit, definition.name)
    first = views[:SHOWN_VIEWS] if current in views[:SHOWN_VIEWS] else [*views[: SHOWN_VIEWS - 1], current]
    return [view_link(visit, view, current) for view in first]


def quick_view(visit: Visit, definition: Object, path: str, state: ListState) -> dict[str, Any] | None:
    """A drop-down: every choice, yes and no, or the first records of a reference."""
    target = resolve(visit.ctx.snapshot, visit.ctx.scope, definition.name, path)
    if target is None:
        return None
    field = target[1]
    label, chosen = visit.text(field.label), dict(state.quick).get(path, "")
    value_type = visit.ctx.snapshot.plugins.fields[field.type].value
    if field.choices:
        options = [(c.value, visit.text(c.label)) for c in field.choices]
    elif value_type == "boolean":
        options = [("true", visit.say("Yes")), ("false", visit.say("No"))]
    elif (target_name := target_of(field)) and visit.ctx.scope.can("read", target_name):
        options = [(key, title) for key, title, _ in visit.records.options(target_name, "", PICKED)]
        if target_name == "user":
            me = visit.ctx.actor.id
            options = [(me, visit.say("Me")), *[(key, title) for key, title in options if key != me]]
        if chosen and chosen not in dict(options):
            options.append((chosen, visit.records.titles(target_name, [chosen]).get(chosen, "…")))
    else:
        return None
    any_text = visit.say("Any {field}", field=label.lower() if visit.language == "en" else label)
    return {"path": path, "label": label, "any": any_text, "options": options, "chosen": chosen}


def target_of(field: Field) -> str:
    """The one object whose records a value may hold."""
    return field.targets[0] if field.refers_to_many else field.target


def filter_part(visit: Visit) -> Response:
    """The rest of the filter builder, once a field is chosen: its operators and a widget for the value."""
    definition = object_of(visit, visit.request.path_params["object"])
    path = visit.request.query_params.get("add.path", "")
    target = resolve(visit.ctx.snapshot, visit.ctx.scope, definition.name, path)
    if target is None:
        return visit.render("filter_value.html", operators=[], widget=None)
    owner, field = target
    widget = widget_view(visit, definition.name, field, None, for_filter=True)
    operators = operators_for(visit.ctx, owner, field, visit.say)
    return visit.render("filter_value.html", operators=operators, widget=widget)
