"""New and edit: the form of an object, as a page or in a dialog, and what becomes of it when it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, EngineError, Forbidden, NeedsConfirmation, Stale
from metadata.build.objects import RECORD_TYPE
from metadata.model import Cell, Object, Section, Tab
from ui.columns import field_of
from ui.live import live_of
from ui.screens.confirmation import asking, confirmation_view
from ui.screens.fields import widget_of
from ui.screens.form_answers import stale_view, summary
from ui.screens.form_state import FormState, live_view, state_of
from ui.screens.layouts import layout_for
from ui.screens.lines import LineRow, copied_rows, grid_view, line_rows, lines_fields, read_lines
from ui.screens.objects import CLEAR, head, is_masked, is_written, keeps_hidden, need_update, object_of, title_in
from ui.screens.overrides import anyway_view, with_reason
from ui.screens.record_types import chosen_type, record_type_of, types_page
from ui.screens.refusals import at_fields, problems_of
from ui.visit import PROPOSED, Visit
from ui.widgets import lowered
from ui.working import defaults_of

__all__ = ["create", "edit_page", "new_page", "update"]

ONLY = ","  # between the names of the fields that a form is about
PICK = "_pick"  # of the address: what a lookup did not find
MOST_TEXT = 80
Values = Mapping[str, Any]
Sent = Mapping[str, Sequence[str]]


def new_page(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    if not visit.ctx.scope.can("create", definition.name):
        raise Forbidden(f"you may not create {definition.name} records")
    values, given = start_values(visit, definition)
    if definition.record_types:
        asked = chosen_type(visit, definition, values if "_like" in visit.request.query_params else {})
        if asked is None:
            return types_page(visit, definition)
        values[RECORD_TYPE] = asked
        given.add(RECORD_TYPE)
    like = visit.request.query_params.get("_like", "")
    lines = (
        {one.name: copied_rows(visit, definition, one, like) for one in lines_fields(visit, definition)} if like else {}
    )
    return show(visit, definition, held=values, record_id="", given=given, lines=lines)


def start_values(visit: Visit, definition: Object) -> tuple[dict[str, Any], set[str]]:
    """Defaults; over them a record to copy (`_like`), over them what the address says (`?account=…`).

    And the names of what does not come from a default.
    """
    values, given = defaults_of(visit.ctx, definition.name), set[str]()
    query = visit.request.query_params
    plugins = visit.ctx.snapshot.plugins.fields
    if like := query.get("_like"):
        copied = [
            one.name for one in definition.fields.values()
            if one.is_copied and one.is_written and not one.is_unique and not plugins[one.type].is_computed
            and not plugins[one.type].is_secret and one.name in visit.ctx.scope.fields(definition.name)
            and not is_masked(visit, definition, one.name)
        ]  # fmt: skip
        row = visit.records.get_row(definition.name, like, copied)
        values |= {name: row[name] for name in copied}
        given |= {name for name in copied if row[name] is not None}
    title = definition.fields.get(definition.title)
    if (text := query.get(PICK, "1")) != "1" and title is not None and plugins[title.type].may_be_title:
        values[title.name] = text[:MOST_TEXT]  # what was searched for
    for name, value in query.items():
        field = field_of(definition, name)
        is_readable = name in visit.ctx.scope.fields(definition.name)
        if field is not None and is_readable and is_written(visit, definition, name, is_new=True):
            kind = plugins[field.type]
            if kind.is_secret or is_masked(visit, definition, name):
                continue  # no address holds one
            try:
                values[name] = kind.parser(field)(kind.from_form(field, [value], visit.ctx.time_zone))
            except ValueError:
                continue  # BadValue: an address that was made for an older definition
            given.add(name)
    return values, given


def edit_page(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    need_update(visit, definition, record_id)
    held = held_values(visit, definition, record_id)
    return show(visit, definition, held=held, record_id=record_id, only=visit.request.query_params.get("only", ""))


def held_values(visit: Visit, definition: Object, record_id: str) -> dict[str, Any]:
    """Of the form's fields, and of those that its formulas read besides."""
    readable = visit.ctx.scope.readable(definition.name)
    live = live_of(visit.ctx.snapshot, visit.ctx.scope, definition.name)
    record_type = record_type_of(visit, definition, record_id)
    title = visit.ctx.scope.title(definition.name)
    names = dict.fromkeys((*form_fields(visit, definition, record_type), *live.own, title, "version"))
    asked = [name for name in names if name in readable and not readable[name].is_list_of_records]
    return visit.records.get_row(definition.name, record_id, asked)


def create(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_type = visit.sent(RECORD_TYPE) if definition.record_types else ""
    try:
        record = asking(visit).create(definition.name, read_form(visit, definition, True, record_type))
    except (BadInput, Conflict, NeedsConfirmation) as refusal:
        held = {RECORD_TYPE: record_type} if record_type else {}
        return show(visit, definition, held=held, record_id="", refusal=refusal, sent=visit.form)
    title = title_in(visit, definition, record, visit.text(definition.label))
    waits = next((one for one in visit.ctx.requests if one.record == record["id"]), None)
    if waits is not None:  # there is no record yet
        title = str(waits.draft["shown"]["title"]) or title
        if visit.is_part and visit.sent(PICK):
            return visit.json({"id": "", "text": visit.say(PROPOSED, title=title)})
        return visit.go(f"/approvals/{waits.instance}", {"code": "proposed", "title": title})
    if visit.is_part and visit.sent(PICK):
        return visit.json({"id": record["id"], "title": title})
    return visit.go(f"/o/{definition.name}/{record['id']}", {"code": "created", "title": title})


def update(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    version, only = visit.sent("version"), visit.sent("_only")
    record_type = record_type_of(visit, definition, record_id)
    try:
        with_reason(visit)
        asking(visit).update(
            definition.name, record_id, read_form(visit, definition, False, record_type, only),
            if_version=int(version) if version.isdecimal() and len(version) < 18 else None,
        )  # fmt: skip
    except (BadInput, Conflict, NeedsConfirmation, Stale) as refusal:
        held = held_values(visit, definition, record_id)
        return show(visit, definition, held=held, record_id=record_id, refusal=refusal, sent=visit.form, only=only)
    return visit.go(f"/o/{definition.name}/{record_id}", {"code": "waits" if visit.waits(record_id) else "saved"})


def read_form(
    visit: Visit, definition: Object, is_new: bool, record_type: str = "", only: str = ""
) -> dict[str, object]:
    """The written fields that the form held, as the API would take them."""
    plugins, values = visit.ctx.snapshot.plugins.fields, {}
    lines = {one.name: one for one in lines_fields(visit, definition)}
    names = form_fields(visit, definition, record_type)
    for name in dict.fromkeys((*names, *(only.split(ONLY) if only else ()), RECORD_TYPE)):
        if name not in visit.form or (only and name not in only.split(ONLY)):
            continue
        field = field_of(definition, name)
        if name in lines:
            values[name] = read_lines(visit, lines[name])
        elif field is not None and is_written(visit, definition, name, is_new):
            kind = plugins[field.type]
            value = kind.from_form(field, visit.form[name], visit.ctx.time_zone)
            cleared = visit.form.get(f"{name}{CLEAR}", ())
            if value is not None or not keeps_hidden(visit, definition, name, kind, cleared):
                values[name] = value
    return values


def form_fields(visit: Visit, definition: Object, record_type: str = "") -> tuple[str, ...]:
    """Fields of the form in its order: those of the layout, then required ones that it forgot."""
    readable = {*visit.ctx.scope.fields(definition.name), *(one.name for one in lines_fields(visit, definition))}
    layout = layout_for(visit.ctx.snapshot, definition, record_type)
    names = [cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells if cell.field]
    names += [f.name for f in definition.fields.values() if f.is_required and not f.is_kept and f.name not in names]
    return tuple(name for name in dict.fromkeys(names) if name in readable)


def show(
    visit: Visit,
    definition: Object,
    *,
    held: Values,
    record_id: str,
    refusal: EngineError | None = None,
    sent: Sent | None = None,
    only: str = "",
    given: set[str] | None = None,
    lines: Mapping[str, Sequence[LineRow]] | None = None,
) -> Response:
    record_type = str(held.get(RECORD_TYPE) or "") if definition.record_types else ""
    names = form_fields(visit, definition, record_type)
    only = only_fields(visit, definition, only, refusal)
    names = (*names, *(name for name in only.split(ONLY) if only and name not in names))
    if lines is None:
        lines = {
            one.name: line_rows(visit, definition, one, record_id, sent is not None)
            for one in lines_fields(visit, definition)
            if one.name in names
        }
    state = state_of(visit, definition, held, sent, is_new=not record_id, lines=lines, given=given or ())
    status = 200 if refusal is None else 422 if isinstance(refusal, BadInput) else 409
    anyway = anyway_view(visit, definition, record_id, refusal)
    if anyway is not None and anyway["error"]:
        refusal = None  # it is told at the reason
    is_stale, doubts = isinstance(refusal, Stale), ()
    if isinstance(refusal, NeedsConfirmation):
        doubts = refusal.warnings
    errors, loose = at_fields(visit, definition, None if doubts else refusal, names)
    object_view = head(visit, definition)
    address = f"/o/{definition.name}/{record_id}" if record_id else f"/o/{definition.name}"
    heading = (
        visit.say("New {object}", object=lowered(object_view["label"], visit.language))
        if not record_id
        else visit.say("Edit {title}", title=title_in(visit, definition, held, object_view["label"]))
    )
    return visit.render(
        "form.html" if visit.is_part else "form_page.html",
        status=status,
        title=heading, heading=heading, object=object_view, in_sheet=visit.is_part,
        sections=sections_view(visit, state, names, only, errors), type=type_view(visit, state, names, only),
        live=live_view(visit, state), record_id=record_id, pick=is_picked(visit), anyway=anyway,
        action=f"{address}/edit" if record_id else f"{address}/new", back=address, only=only,
        version=held.get("version", ""), current=(definition.name, "", "any"),
        wrong=summary(visit, definition, refusal, errors, loose) if refusal and not is_stale and not doubts else None,
        doubt=confirmation_view(visit, definition, doubts) if doubts else None,
        stale=stale_view(visit, definition, record_id, state.held, sent or {}, names) if is_stale else None,
    )  # fmt: skip


def only_fields(visit: Visit, definition: Object, only: str, refusal: EngineError | None) -> str:
    """Names of fields, of a form that is about some alone. What a refusal names besides comes along, to be mended."""
    if not only:
        return ""
    named = [one.path for one in problems_of(refusal)] if isinstance(refusal, BadInput) else []
    readable = visit.ctx.scope.fields(definition.name)
    lines = {one.name for one in lines_fields(visit, definition)}
    own = [name for name in only.split(ONLY) if name in readable or name in lines]
    more = [name for name in named if own and name in readable and is_written(visit, definition, name, False)]
    return ONLY.join(dict.fromkeys((*own, *more)))


def is_picked(visit: Visit) -> bool:
    """The form stands in a dialog over another form, whose lookup gets the record."""
    return visit.is_part and bool(visit.sent(PICK) or visit.request.query_params.get(PICK))


def sections_view(
    visit: Visit, state: FormState, names: tuple[str, ...], only: str, errors: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Sections with something in them; what a condition hides is there, hidden."""
    found = []
    keys = state.live.conditions
    for tab, section in sections_of(visit, state, names, only):
        cells = [cell_view(visit, state, cell, errors) for cell in section.cells if is_shown(visit, state, cell)]
        if not any(cells):
            continue
        texts = [] if only else [text for text in (tab.show_if, section.show_if) if text]
        is_grid = all(cell is None or "grid" in cell for cell in cells)
        labels = {cell["label"] for cell in cells if cell}
        label = "" if only else visit.text(section.label)
        found.append({
            "label": "" if is_grid and label in labels else label,
            "columns": 1 if only else min(section.columns, 2 if visit.is_part else 4),
            "widgets": cells,
            "show": " ".join(keys[text] for text in texts if text in keys),
            "is_shown": all(state.holds(text, otherwise=True) for text in texts),
        })  # fmt: skip
    return found


def sections_of(visit: Visit, state: FormState, names: tuple[str, ...], only: str) -> list[tuple[Tab, Section]]:
    if only:
        return [(Tab({}), Section({}, 1, tuple(Cell(name) for name in only.split(ONLY))))]
    layout = layout_for(visit.ctx.snapshot, state.definition, state.record_type)
    sections = [(tab, section) for tab in layout.tabs for section in tab.sections]
    placed = {cell.field for _, section in sections for cell in section.cells}
    if RECORD_TYPE in names and RECORD_TYPE not in placed and state.definition.record_types and sections:
        tab, first = sections[0]
        sections[0] = tab, replace(first, cells=(*first.cells, Cell(RECORD_TYPE)))
        placed.add(RECORD_TYPE)
    if forgotten := tuple(Cell(name) for name in names if name not in placed):
        sections.insert(0, (Tab({}), Section({}, 2, forgotten)))
    return sections


def is_shown(visit: Visit, state: FormState, cell: Cell) -> bool:
    """Empty cells keep their place; a field that the engine fills has none in a new record, unless it is live."""
    name, definition = cell.field, state.definition
    if name is None:
        return True
    if name in state.live.lines:
        return True
    if field_of(definition, name) is None or name not in visit.ctx.scope.fields(definition.name):
        return False
    if name == RECORD_TYPE and definition.record_types and state.is_new:
        return False
    return not state.is_new or is_written(visit, definition, name, True) or name in state.live.worked


def cell_view(visit: Visit, state: FormState, cell: Cell, errors: Mapping[str, str]) -> dict[str, Any] | None:
    if cell.field is None:
        return None
    field = field_of(state.definition, cell.field)
    assert field is not None
    if cell.field in state.live.lines:
        keys, shown = state.live.conditions, state.holds(field.show_if, otherwise=True)
        grid = grid_view(visit, state, field, errors)
        return {"grid": grid, "label": grid["label"], "show": keys.get(field.show_if, ""), "is_shown": shown,
                "span": 4, "field": field.name}  # fmt: skip
    view = widget_of(
        visit, state.definition, field, state.held, state.sent, errors.get(cell.field, ""),
        working=state.working, is_new=state.is_new,
    )  # fmt: skip
    return view | {"span": cell.span}


def type_view(visit: Visit, state: FormState, names: tuple[str, ...], only: str) -> dict[str, str] | None:
    """The record's type, which a form sends along where it is no field of it."""
    if not state.record_type or only or not state.is_new:
        return None
    label = next((one.label for one in state.definition.record_types if one.name == state.record_type), {})
    return {"value": state.record_type, "label": visit.text(label)}
