"""One record: its facts by the layout, what belongs to it, and what happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, Stale
from engine.service import Query, SortKey
from engine.service_answers import Change
from engine.store.references import written
from metadata.model import Layout, Object, RelatedList, Section
from ui.columns import Plan, ShownColumn, plan_of, readable
from ui.naming import named_rows
from ui.rows import Rows, compile_rows
from ui.screens.layouts import layout_for
from ui.screens.lists import count_text
from ui.screens.objects import head, is_written, object_of
from ui.screens.refusals import sentence
from ui.screens.timeline import timeline_view
from ui.visit import Visit

__all__ = ["change_stage", "record_page"]

SYSTEM = ("version", "created_at", "created_by", "modified_at", "modified_by")
MOST_REFERENCES = 40  # of one query; the engine takes 50
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    plan: Plan
    by_path: dict[str, ShownColumn]


def compiled(visit: Visit, definition: Object, layout: Layout) -> Compiled:
    ctx = visit.ctx
    key = ("ui.record", layout.name, definition.name, ctx.language, ctx.time_zone.key, ctx.scope.key)
    found: Compiled | None = ctx.snapshot.cache.get(key)
    if found is None:
        cells = [cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells if cell.field]
        paths = dict.fromkeys((definition.title, *layout.highlights, layout.path, *cells, *SYSTEM))
        wanted = [path for path in paths if path]
        plan = plan_of(ctx.snapshot, ctx.scope, definition.name, wanted, visit.formats, ctx.language, is_full=True)
        found = Compiled(plan, {column.path: column for column in plan.columns})
        ctx.snapshot.cache[key] = found
    return found


def record_page(visit: Visit, notice: str = "", status: int = 200) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    layout = layout_for(visit.ctx.snapshot, definition)
    made = compiled(visit, definition, layout)
    values = values_of(visit, definition, record_id, made.plan.paths)
    [row] = named_rows(visit.records, made.plan, [[values.get(path) for path in made.plan.paths]])
    scope = visit.ctx.scope
    title = str(values.get(definition.title) or visit.say("Untitled"))
    can_update = scope.can("update", definition.name)
    address = f"/o/{definition.name}/{record_id}"
    facts = [
        facts_of(visit, definition, section, made, row, address if can_update else "") for section in sections(layout)
    ]
    tabs = []
    for tab in layout.tabs:
        own = [facts.pop(0) for _ in tab.sections]
        related = [r for r in (related_view(visit, definition, one, record_id) for one in tab.related) if r]
        if own or related:
            tabs.append({"label": visit.text(tab.label), "sections": own, "related": related})
    return visit.render(
        "record.html",
        status,
        title=title,
        object=head(visit, definition),
        back=f"/o/{definition.name}",
        current=(definition.name, "", "any"),
        path=path_view(visit, definition, layout, values),
        highlights=[fact(made.by_path[p], row) for p in layout.highlights if p in made.by_path],
        tabs=tabs,
        timeline=timeline_view(visit, definition, history(visit, definition, record_id)),
        notice=notice,
        record={
            "id": record_id,
            "version": values.get("version", ""),
            "can_update": can_update,
            "can_create": scope.can("create", definition.name),
            "can_delete": scope.can("delete", definition.name),
            **origin(visit, values),
        },
    )


def values_of(visit: Visit, definition: Object, record_id: str, paths: Sequence[str]) -> dict[str, Any]:
    """In several queries where the page goes through more references than one query may."""
    groups: list[list[str]] = [[]]
    joined: set[tuple[str, ...]] = set()
    for path in paths:
        steps = tuple(path.split("."))
        through = {steps[:count] for count in range(1, len(steps))}
        if len(joined | through) > MOST_REFERENCES:
            groups.append([])
            joined = set()
        joined |= through
        groups[-1].append(path)
    values: dict[str, Any] = {}
    for group in groups:
        values |= visit.records.get_row(definition.name, record_id, group)
    return values


def sections(layout: Layout) -> list[Section]:
    return [section for tab in layout.tabs for section in tab.sections]


def history(visit: Visit, definition: Object, record_id: str) -> Sequence[Change]:
    return visit.records.history(definition.name, record_id)


def origin(visit: Visit, values: dict[str, Any]) -> dict[str, str]:
    people = [person for person in (values.get("created_by"), values.get("modified_by")) if person]
    names = visit.records.titles("user", people) if people and visit.ctx.scope.can("read", "user") else {}
    system = visit.say("the system")

    def when(name: str) -> str:
        at = values.get(name)
        return visit.formats.datetime(at) if at else ""

    return {
        "created_at": when("created_at"),
        "modified_at": when("modified_at"),
        "created_by": names.get(values.get("created_by") or "", system),
        "modified_by": names.get(values.get("modified_by") or "", system),
    }


def fact(column: ShownColumn, row: Row) -> dict[str, Any]:
    return {"label": column.label, "html": column.cell(row)}


def facts_of(
    visit: Visit, definition: Object, section: Section, made: Compiled, row: Row, address: str
) -> dict[str, Any]:
    facts: list[dict[str, Any] | None] = []
    for cell in section.cells:
        column = made.by_path.get(cell.field or "")
        if column is None:
            facts.append(None)
            continue
        may_edit = bool(address) and is_written(visit, definition, column.path)
        edit = f"{address}/edit?only={column.path}" if may_edit else ""
        facts.append({**fact(column, row), "span": min(cell.span, section.columns), "edit": edit})
    while facts and facts[-1] is None:
        facts.pop()
    label = visit.text(section.label)
    return {"label": label, "columns": section.columns, "facts": facts, "is_collapsed": section.is_collapsed}


def path_view(visit: Visit, definition: Object, layout: Layout, values: dict[str, Any]) -> dict[str, Any] | None:
    """The stages of a choice field; those before the record's own count as passed."""
    field = readable(visit.ctx.snapshot, visit.ctx.scope, definition.name, layout.path) if layout.path else None
    if field is None or not field.choices:
        return None
    now = values.get(layout.path)
    shown = [choice for choice in field.choices if not choice.is_retired or choice.value == now]
    place = next((i for i, choice in enumerate(shown) if choice.value == now), -1)
    states = ["is-now" if i == place else "is-past" if i < place else "is-ahead" for i in range(len(shown))]
    return {
        "label": visit.text(field.label),
        "may_change": is_written(visit, definition, field.name),
        "stages": [
            {"value": choice.value, "label": visit.text(choice.label), "state": state}
            for choice, state in zip(shown, states, strict=True)
        ],
    }


def related_view(visit: Visit, owner: Object, related: RelatedList, record_id: str) -> dict[str, Any] | None:
    ctx = visit.ctx
    other = ctx.snapshot.definitions.objects.get(related.object)
    field = readable(ctx.snapshot, ctx.scope, related.object, related.field)
    if other is None or field is None:
        return None
    value = written(field, owner.name, record_id)
    columns = related.columns or (other.title,)
    key = ("ui.related", related.object, columns, ctx.language, ctx.time_zone.key, ctx.scope.key)
    found: tuple[Plan, Rows] | None = ctx.snapshot.cache.get(key)
    if found is None:
        plan = plan_of(ctx.snapshot, ctx.scope, other.name, columns, visit.formats, ctx.language)
        found = ctx.snapshot.cache[key] = (plan, compile_rows(other.name, plan, visit.say, has_tools=False))
    plan, rows = found
    page = visit.records.page(
        Query(
            object=other.name,
            fields=plan.paths,
            sort=tuple(SortKey(k.path, k.is_descending) for k in related.sort),
            limit=related.limit,
            count="capped",
            conditions=((related.field, "=", value),),
        )
    )
    count = visit.formats.number(page.count or 0) + ("+" if page.count_is_capped else "")
    can_create = ctx.scope.can("create", other.name)
    operator = "includes" if field.refers_to_many else "is"
    return {
        "id": f"{other.name}-{related.field}",
        "label": visit.text(related.label) or visit.text(other.plural),
        "icon": other.icon,
        "count": count,
        "count_text": count_text(visit, page.count, page.count_is_capped),
        "columns": [{"label": c.label, "is_numeric": c.is_numeric} for c in plan.columns],
        "rows": rows(named_rows(visit.records, plan, page.rows), page.ids),
        "all": f"/o/{other.name}?where={related.field}~{operator}~{value}" if page.next else "",
        "new": f"/o/{other.name}/new?{related.field}={value}" if can_create else "",
    }


def change_stage(visit: Visit) -> Response:
    """A click on a stage."""
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    layout = layout_for(visit.ctx.snapshot, definition)
    version = visit.sent("version")
    wanted = int(version) if version.isdecimal() and len(version) < 18 else None
    try:
        visit.records.update(definition.name, record_id, {layout.path: visit.sent("value")}, if_version=wanted)
    except Stale:
        return record_page(
            visit, visit.say("Somebody has changed this record meanwhile. Look, then choose again."), 409
        )
    except (BadInput, Conflict) as refusal:
        return record_page(visit, sentence(visit, definition, refusal), 422)
    return visit.go(f"/o/{definition.name}/{record_id}", {"code": "saved"})
