"""One record: its facts by the layout, what belongs to it, and what happened to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, NotFound, Stale
from engine.process.automation.desk import buttons
from engine.process.locks import LockInfo, locked_by
from engine.service import Query
from engine.service_answers import Change
from engine.store.references import written
from metadata.build.objects import RECORD_TYPE
from metadata.model import Action, Cell, Field, Layout, Object, RelatedList, Section
from metadata.processes import APPROVAL_STATUS
from ui.columns import Plan, ShownColumn, field_of, plan_of, readable
from ui.live import live_of
from ui.naming import named_rows
from ui.rows import Rows, compile_rows
from ui.screens.access import offer_access
from ui.screens.approval_panel import panel_view
from ui.screens.fields import offered
from ui.screens.handover import offer_of
from ui.screens.layouts import layout_for
from ui.screens.likely import likely_view, may_merge
from ui.screens.lines import lines_fields, table_view
from ui.screens.lists import count_text, seen_keys
from ui.screens.objects import head, is_written, object_of, title_in
from ui.screens.overrides import anyway_at, lock_text
from ui.screens.people import person_actions
from ui.screens.privacy import offer_privacy
from ui.screens.record_types import record_type_of, type_label
from ui.screens.refusals import sentence, whom_to_ask
from ui.screens.shares import share_entries
from ui.screens.stages import move_form, stage_path, stages_view
from ui.screens.timeline import timeline_view
from ui.screens.unmask import may_unmask
from ui.visit import Visit
from ui.working import Working, reached, settings_of, with_reached

__all__ = ["change_stage", "record_page"]

SYSTEM = ("version", "owner", "created_at", "created_by", "modified_at", "modified_by")
MOST_ANCESTORS = 20
MOST_REFERENCES = 40  # of one query; the engine takes 50
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    plan: Plan
    by_path: dict[str, ShownColumn]
    lines: dict[str, Field]
    more: tuple[str, ...]  # fields that conditions read


def compiled(visit: Visit, definition: Object, layout: Layout) -> Compiled:
    ctx = visit.ctx
    key = ("ui.record", layout.name, definition.name, ctx.language, ctx.time_zone.key, ctx.scope.key)
    found: Compiled | None = ctx.snapshot.cache.get(key)
    if found is None:
        lines = {one.name: one for one in lines_fields(visit, definition)}
        cells = [cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells if cell.field]
        own = live_of(ctx.snapshot, ctx.scope, definition.name).own
        types = (RECORD_TYPE,) if definition.record_types else ()
        shown = dict.fromkeys(
            (ctx.scope.title(definition.name), *types, *layout.highlights, layout.path, *cells, *SYSTEM)
        )
        wanted = [path for path in shown if path and is_shown(definition, path)]
        plan = plan_of(ctx.snapshot, ctx.scope, definition.name, wanted, visit.formats, ctx.language, is_full=True)
        readable_ = ctx.scope.readable(definition.name)
        more = tuple(n for n in own if n in readable_ and n not in plan.paths and is_shown(definition, n))
        found = Compiled(plan, {column.path: column for column in plan.columns}, lines, more)
        ctx.snapshot.cache[key] = found
    return found


def is_shown(definition: Object, path: str) -> bool:
    """Whether it has one value, which a query gives."""
    field = definition.fields.get(path)
    return field is None or not field.is_list_of_records


def record_page(visit: Visit, notice: str = "", status: int = 200) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    record_type = record_type_of(visit, definition, record_id)
    layout = layout_for(visit.ctx.snapshot, definition, record_type)
    made = compiled(visit, definition, layout)
    values = values_of(visit, definition, record_id, (*made.plan.paths, *made.more))
    [row] = named_rows(visit.records, made.plan, [[values.get(path) for path in made.plan.paths]])
    scope = visit.ctx.scope
    is_single = definition.kind == "single"
    title = visit.text(definition.label) if is_single else title_in(visit, definition, values, visit.say("Untitled"))
    asked: tuple[Action, ...] = ("update", "delete")
    allowed = visit.records.allowed(definition.name, record_id, asked)
    lock = locked_by(visit.ctx, definition.name, [record_id]).get(record_id)
    can_update = "update" in allowed and (lock is None or bool(lock.exempt))
    address = f"/o/{definition.name}/{record_id}"
    may_share = not is_single and visit.records.is_sharer(definition.name, record_id)
    shows = f"{address}/unmask" if may_unmask(visit, definition) else ""
    page = Facts(visit, definition, made, row, conditions_of(visit, definition, values), record_id,
                 address if can_update else "", shows)  # fmt: skip
    flow = stage_path(visit, definition.name, record_id)
    approvals = panel_view(visit, definition, record_id)
    unsaid = unsaid_of(visit, definition, approvals)
    page.unsaid = unsaid
    tabs = []
    for tab in layout.tabs:
        if not page.holds(tab.show_if):
            continue
        own = [one for one in map(page.section, tab.sections) if one]
        related = [r for r in (related_view(visit, definition, one, record_id) for one in tab.related) if r]
        if own or related:
            tabs.append({"label": visit.text(tab.label), "sections": own, "related": related})
    return visit.render(
        "record.html",
        status,
        title=title,
        object=head(visit, definition),
        back="" if is_single else f"/o/{definition.name}",
        ancestors=ancestors(
            visit,
            definition,
            values.get(definition.tree) if definition.tree in scope.readable(definition.name) else None,
        ),
        current=(definition.name, "", "any"),
        path=path_view(visit, definition, layout, values) if flow is None else None,
        stages=stages_view(visit, definition, flow, record_id) if flow is not None else None,
        highlights=[fact(made.by_path[p], row, shows, unsaid) for p in layout.highlights if p in made.by_path],
        tabs=tabs,
        timeline=timeline_view(
            visit,
            definition,
            history(visit, definition, record_id),
            share_entries(visit, definition.name, record_id) if may_share else (),
        ),
        likely=likely_view(visit, definition, record_id),
        notice=notice,
        buttons=buttons(visit.ctx, definition.name, record_id),
        approvals=approvals,
        record_type=type_label(visit, definition, record_type),
        access=offer_access(visit, definition.name, record_id),
        privacy=offer_privacy(visit, definition.name, record_id),
        person=person_actions(visit, definition.name, record_id),
        record={
            "id": record_id,
            "version": values.get("version", ""),
            "can_update": can_update,
            "can_create": scope.can("create", definition.name) and not is_single,
            "can_delete": "delete" in allowed and not is_single and lock is None,
            "anyway": anyway_at(visit, address) if lock is not None and "update" in allowed else "",
            "locked": locked_text(visit, definition, values, lock, can_update),
            "handover": offer_of(visit, definition.name, record_id, can_update),
            "may_share": may_share,
            "can_merge": may_merge(visit, definition.name) and len(allowed) == 2 and not is_single,
            **origin(visit, values),
        },
    )


def locked_text(
    visit: Visit, definition: Object, values: dict[str, Any], lock: LockInfo | None, can_update: bool
) -> str:  # fmt: skip
    """Why the record stays as it is for this person; "" where it need not."""
    if lock is not None:
        return lock_text(visit, lock)
    may_some = visit.ctx.scope.can("update", definition.name)
    return "" if can_update or not may_some else whom_to_ask(visit, values)


def conditions_of(visit: Visit, definition: Object, values: dict[str, Any]) -> Callable[[str], bool]:
    """Whether a condition holds for the record. What is behind references and in lines is read when one asks for it."""
    ctx, live = visit.ctx, live_of(visit.ctx.snapshot, visit.ctx.scope, definition.name)

    @cache
    def working() -> Working:
        found = with_reached(live, values, reached(ctx, live, [values])) | settings_of(ctx, live)
        return Working(ctx, live, found, prior=values, is_stored=True)

    def holds(condition: str) -> bool:
        """What this person may not work out is shown."""
        return not condition or condition not in live.conditions or working().holds(condition) is not False

    return holds


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


def history(visit: Visit, definition: Object, record_id: str) -> Sequence[Change]:
    return visit.records.history(definition.name, record_id)


def origin(visit: Visit, values: dict[str, Any]) -> dict[str, str]:
    people = [person for person in (values.get("created_by"), values.get("modified_by")) if person]
    names = visit.records.titles("user", people) if people and visit.ctx.scope.can("read", "user") else {}
    system = visit.say("the system")

    def told(word: str) -> dict[str, str]:
        return {
            "when": visit.formats.datetime(values[f"{word}_at"]),
            "who": names.get(values.get(f"{word}_by") or "", system),
        }

    # Of a time that this person may not see nothing is said.
    created = visit.say("Created {when} by {who}", **told("created")) if values.get("created_at") else ""
    changed = visit.say("Changed {when} by {who}", **told("modified")) if values.get("modified_at") else ""
    return {"created": created, "changed": changed}


def unsaid_of(visit: Visit, definition: Object, approvals: Mapping[str, Any] | None) -> dict[str, str]:
    """What stands for fields that say nothing: the status, where the record can be submitted."""
    field = definition.fields.get(APPROVAL_STATUS)
    if field is None or not field.is_kept or not field.choices or not approvals or not approvals["submit"]:
        return {}
    return {APPROVAL_STATUS: escape(visit.text(field.choices[0].label))}


def fact(column: ShownColumn, row: Row, shows: str, unsaid: Mapping[str, str]) -> dict[str, Any]:
    """`shows`: where a masked value is asked for, "" for who may not."""
    html = column.cell(row) or unsaid.get(column.path, "")
    is_hidden = bool(shows and html and column.field.is_masked and "." not in column.path)
    return {"label": column.label, "html": html, "unmask": {"at": shows, "field": column.path} if is_hidden else None}


class Facts:
    """The sections of one record, as its conditions have them."""

    def __init__(
        self, visit: Visit, definition: Object, made: Compiled, row: Row, holds: Callable[[str], bool], record_id: str,
        address: str, shows: str,
    ) -> None:  # fmt: skip
        self.visit, self.definition, self.made, self.row = visit, definition, made, row
        self.holds, self.record_id, self.address, self.shows = holds, record_id, address, shows
        self.unsaid: Mapping[str, str] = {}

    def section(self, section: Section) -> dict[str, Any] | None:
        """None when nothing in it is shown."""
        if not self.holds(section.show_if):
            return None
        facts: list[dict[str, Any] | None] = []
        lines = []
        for cell in section.cells:
            field = field_of(self.definition, cell.field) if cell.field else None
            if field is not None and not self.holds(field.show_if):
                continue
            if cell.field in self.made.lines:
                lines.append(table_view(self.visit, self.definition, self.made.lines[cell.field], self.record_id))
            elif cell.field is None or cell.field in self.made.by_path:
                facts.append(self.fact(cell, section.columns))
        while facts and facts[-1] is None:
            facts.pop()
        if not any(facts) and not lines:
            return None
        label = self.visit.text(section.label)
        if lines and not facts and len(lines) == 1:
            label = lines[0]["label"]
        return {
            "label": label, "columns": section.columns, "facts": facts, "lines": lines,
            "is_collapsed": section.is_collapsed,
        }  # fmt: skip

    def fact(self, cell: Cell, columns: int) -> dict[str, Any] | None:
        column = self.made.by_path.get(cell.field or "")
        if column is None:
            return None
        may_edit = bool(self.address) and is_written(self.visit, self.definition, column.path, False)
        edit = f"{self.address}/edit?only={column.path}" if may_edit else ""
        return {**fact(column, self.row, self.shows, self.unsaid), "span": min(cell.span, columns), "edit": edit}


def ancestors(visit: Visit, definition: Object, above: str | None) -> list[dict[str, str]]:
    """What the record lies below in its tree, outermost first; cut off at what this person may not see."""
    name = visit.ctx.scope.title(definition.name)
    found: list[dict[str, str]] = []
    seen: set[str] = set()
    while above and above not in seen and len(found) < MOST_ANCESTORS:
        seen.add(above)
        try:
            row = visit.records.get_row(definition.name, above, (name, definition.tree))
        except NotFound:
            break
        title = str(row.get(name) or visit.say("Untitled"))
        found.append({"title": title, "href": f"/o/{definition.name}/{above}"})
        above = row.get(definition.tree)
    return found[::-1]


def path_view(visit: Visit, definition: Object, layout: Layout, values: dict[str, Any]) -> dict[str, Any] | None:
    """The stages of a choice field; those before the record's own count as passed."""
    field = readable(visit.ctx.snapshot, visit.ctx.scope, definition.name, layout.path) if layout.path else None
    if field is None or not field.choices:
        return None
    now = values.get(layout.path)
    allowed = offered(definition, field, values)
    shown = [
        choice for choice in field.choices
        if choice.value == now or (not choice.is_retired and (allowed is None or choice.value in allowed))
    ]  # fmt: skip
    place = next((i for i, choice in enumerate(shown) if choice.value == now), -1)
    states = ["is-now" if i == place else "is-past" if i < place else "is-ahead" for i in range(len(shown))]
    return {
        "label": visit.text(field.label),
        "may_change": is_written(visit, definition, field.name, False),
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
            sort=seen_keys(visit, other, related.sort),
            limit=related.limit,
            count="capped",
            conditions=((related.field, "=", value),),
        )
    )
    count = visit.formats.number(page.count or 0) + ("+" if page.count_is_capped else "")
    can_create = ctx.scope.can("create", other.name) and is_written(visit, other, related.field, True)
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
    """A click on a stage. Where it needs values first, its form comes instead."""
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    flow = stage_path(visit, definition.name, record_id)
    layout = layout_for(visit.ctx.snapshot, definition, record_type_of(visit, definition, record_id))
    version, target = visit.sent("version"), visit.sent("value")
    wanted = int(version) if version.isdecimal() and len(version) < 18 else None
    name = flow.field if flow is not None else layout.path
    try:
        visit.records.update(definition.name, record_id, {name: target}, if_version=wanted)
    except Stale:
        return record_page(
            visit, visit.say("Somebody has changed this record meanwhile. Look, then choose again."), 409
        )
    except (BadInput, Conflict) as refusal:
        if flow is not None and any(one.code == "workflow.required" for one in refusal.problems):
            return move_form(visit, definition, record_id, flow, target)
        return record_page(visit, sentence(visit, definition, refusal), 422)
    return visit.go(f"/o/{definition.name}/{record_id}", {"code": "waits" if visit.waits(record_id) else "saved"})
