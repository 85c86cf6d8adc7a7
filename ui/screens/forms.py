"""New and edit: the form of an object, as a page or in a dialog, and what becomes of it when it is sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from engine.errors import BadInput, Conflict, EngineError, Forbidden, NeedsConfirmation, Stale
from engine.rules.values import rules_of
from metadata.model import SYSTEM_FIELDS, Cell, Layout, Object, Section
from ui.cells import Shown, cell_for
from ui.columns import field_of, title_of
from ui.screens.confirmation import asking, candidate_views, confirmation_view
from ui.screens.layouts import layout_for
from ui.screens.objects import head, is_written, object_of
from ui.screens.refusals import at_fields
from ui.visit import Visit
from ui.widgets import lowered, widget_view

__all__ = ["create", "edit_page", "new_page", "update"]

CLEAR = "_clear."  # before the name of a secret: take it away
Values = Mapping[str, Any]
Sent = Mapping[str, Sequence[str]]


def new_page(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    if not visit.ctx.scope.can("create", definition.name):
        raise Forbidden(f"you may not create {definition.name} records")
    return show(visit, definition, held=start_values(visit, definition), record_id="")


def start_values(visit: Visit, definition: Object) -> dict[str, Any]:
    """Defaults; over them a record to copy (`like`), over them what the address says (`?account=…`)."""
    values = {name: default(visit.ctx) for name, default in rules_of(visit.ctx.snapshot, definition.name).defaults}
    query = visit.request.query_params
    if like := query.get("_like"):
        row = visit.records.get_row(definition.name, like, form_fields(visit, definition))
        plugins = visit.ctx.snapshot.plugins.fields
        for name, value in row.items():
            field = definition.fields.get(name)
            kind = plugins[field.type] if field is not None else None
            if field is not None and kind and not (field.is_unique or kind.is_computed or kind.is_secret):
                values[name] = value
    for name, value in query.items():
        field = field_of(definition, name)
        if (
            field is not None
            and name in visit.ctx.scope.fields(definition.name)
            and is_written(visit, definition, name)
        ):
            kind = visit.ctx.snapshot.plugins.fields[field.type]
            if kind.is_secret:
                continue  # no address holds one
            try:
                values[name] = kind.parser(field)(kind.from_form(field, [value], visit.ctx.time_zone))
            except ValueError:
                continue  # BadValue: an address that was made for an older definition
    return values


def edit_page(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    if not visit.ctx.scope.can("update", definition.name):
        raise Forbidden(f"you may not change {definition.name} records")
    held = visit.records.get_row(definition.name, record_id, (*form_fields(visit, definition), "version"))
    return show(visit, definition, held=held, record_id=record_id, only=visit.request.query_params.get("only", ""))


def create(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    try:
        record = asking(visit).create(definition.name, read_form(visit, definition))
    except (BadInput, Conflict, NeedsConfirmation) as refusal:
        return show(visit, definition, held={}, record_id="", refusal=refusal, sent=visit.form)
    title = str(record.get(definition.title) or visit.text(definition.label))
    return visit.go(f"/o/{definition.name}/{record['id']}", {"code": "created", "title": title})


def update(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    version = visit.sent("version")
    try:
        asking(visit).update(
            definition.name, record_id, read_form(visit, definition, visit.sent("_only")),
            if_version=int(version) if version.isdecimal() and len(version) < 18 else None,
        )  # fmt: skip
    except (BadInput, Conflict, NeedsConfirmation, Stale) as refusal:
        held = visit.records.get_row(definition.name, record_id, (*form_fields(visit, definition), "version"))
        return show(
            visit,
            definition,
            held=held,
            record_id=record_id,
            refusal=refusal,
            sent=visit.form,
            only=visit.sent("_only"),
        )
    return visit.go(f"/o/{definition.name}/{record_id}", {"code": "saved"})


def read_form(visit: Visit, definition: Object, only: str = "") -> dict[str, object]:
    """The written fields that the form held, as the API would take them."""
    plugins, values = visit.ctx.snapshot.plugins.fields, {}
    for name in form_fields(visit, definition):
        field = field_of(definition, name)
        if (
            field is None
            or name not in visit.form
            or (only and name != only)
            or not is_written(visit, definition, name)
        ):
            continue
        kind = plugins[field.type]
        value = kind.from_form(field, visit.form[name], visit.ctx.time_zone)
        if kind.is_secret and value is None and not visit.sent(f"{CLEAR}{name}"):
            continue  # left empty, it stays as it is
        values[name] = value
    return values


def form_fields(visit: Visit, definition: Object) -> tuple[str, ...]:
    """Fields of the form in its order: those of the layout, then required ones that it forgot."""
    readable = visit.ctx.scope.fields(definition.name)
    layout = layout_for(visit.ctx.snapshot, definition)
    names = [cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells if cell.field]
    names += [f.name for f in definition.fields.values() if f.is_required and f.name not in names]
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
) -> Response:
    names = form_fields(visit, definition)
    is_stale, doubts = isinstance(refusal, Stale), ()
    if isinstance(refusal, NeedsConfirmation):
        doubts = refusal.warnings
    errors, loose = at_fields(visit, definition, None if doubts else refusal, names)
    only = only if only in names else ""
    sections = []
    for section in sections_of(visit, definition, names, only):
        shown = [cell for cell in section.cells if is_shown(visit, definition, cell, is_new=not record_id)]
        cells = [one_widget(visit, definition, cell, held, sent, errors) if cell.field else None for cell in shown]
        if any(cells):
            columns = 1 if only else min(section.columns, 2 if visit.is_part else 4)
            sections.append({"label": "" if only else visit.text(section.label), "columns": columns, "widgets": cells})
    object_view = head(visit, definition)
    address = f"/o/{definition.name}/{record_id}" if record_id else f"/o/{definition.name}"
    heading = (
        visit.say("New {object}", object=lowered(object_view["label"], visit.language))
        if not record_id
        else visit.say("Edit {title}", title=str(held.get(definition.title) or object_view["label"]))
    )
    return visit.render(
        "form.html" if visit.is_part else "form_page.html",
        status=200 if refusal is None else 422 if isinstance(refusal, BadInput) else 409,
        title=heading, heading=heading, object=object_view, sections=sections, in_sheet=visit.is_part,
        action=f"{address}/edit" if record_id else f"{address}/new", back=address, only=only,
        version=held.get("version", ""), current=(definition.name, "", "any"),
        wrong=summary(visit, definition, refusal, errors, loose) if refusal and not is_stale and not doubts else None,
        doubt=confirmation_view(visit, definition, doubts) if doubts else None,
        stale=stale_view(visit, definition, record_id, held, sent or {}) if is_stale else None,
    )  # fmt: skip


def sections_of(visit: Visit, definition: Object, names: tuple[str, ...], only: str) -> list[Section]:
    if only:
        return [Section({}, 1, (Cell(only),))]
    layout: Layout = layout_for(visit.ctx.snapshot, definition)
    sections = [section for tab in layout.tabs for section in tab.sections]
    placed = {cell.field for section in sections for cell in section.cells}
    if forgotten := tuple(Cell(name) for name in names if name not in placed):
        sections.insert(0, Section({}, 2, forgotten))
    return sections


def is_shown(visit: Visit, definition: Object, cell: Cell, is_new: bool) -> bool:
    """Empty cells keep their place; a field that the engine fills has none in a new record."""
    if cell.field is None:
        return True
    if field_of(definition, cell.field) is None or cell.field not in visit.ctx.scope.fields(definition.name):
        return False
    return not is_new or is_written(visit, definition, cell.field)


def one_widget(
    visit: Visit,
    definition: Object,
    cell: Cell,
    held: Values,
    sent: Sent | None,
    errors: Mapping[str, str],
) -> dict[str, Any]:
    name = cell.field or ""
    field = field_of(definition, name)
    assert field is not None
    is_locked = not is_written(visit, definition, name)
    was_sent = sent.get(name, []) if sent is not None and not is_locked else None
    view = widget_view(
        visit, definition.name, field, held.get(name), sent=was_sent, error=errors.get(name, ""), is_locked=is_locked
    )
    if is_locked:
        view["shown"] = Markup(shown_value(visit, definition, name, held))  # noqa: S704 - cells escape
    return view | {"span": cell.span}


def shown_value(visit: Visit, definition: Object, name: str, held: Values) -> str:
    field = field_of(definition, name)
    if field is None:
        return ""
    kind = visit.ctx.snapshot.plugins.fields[field.type]
    row, title_at = [held.get(name)], -1
    if field.target and row[0]:
        row.append(visit.records.titles(field.target, [row[0]]).get(row[0]))
        title_at = 1 if title_of(visit.ctx.snapshot, visit.ctx.scope, field.target) else -1
    return cell_for(Shown(field, 0, visit.formats, visit.language, kind.cell, title_at, is_full=True))(row)


def summary(
    visit: Visit, definition: Object, refusal: EngineError, errors: Mapping[str, str], loose: Sequence[str]
) -> dict[str, Any]:
    lines = [{"text": text, "href": ""} for text in loose]
    for name, text in errors.items():
        field = field_of(definition, name) or SYSTEM_FIELDS["owner"]
        label = visit.text(field.label)
        lines.append({"text": text if label in text else f"{label}: {text}", "href": f"#f-{name}"})
    count = len(lines)
    title = (
        visit.say("Not saved: one thing to mend") if count == 1 else visit.say("Not saved: {n} things to mend", n=count)
    )
    found = [one for problem in refusal.problems for one in candidate_views(visit, problem.candidates, tuple(errors))]
    return {"title": title, "lines": lines, "candidates": found}


def stale_view(visit: Visit, definition: Object, record_id: str, held: Values, sent: Sent) -> dict[str, Any]:
    """Who changed the record meanwhile, and where the input differs from what it holds now."""
    latest = next(iter(visit.records.history(definition.name, record_id)), None)
    plugins, changes = visit.ctx.snapshot.plugins.fields, []
    for name in form_fields(visit, definition):
        field = field_of(definition, name)
        if field is None or name not in sent or not is_written(visit, definition, name):
            continue
        kind = plugins[field.type]
        try:
            typed = kind.from_form(field, sent[name], visit.ctx.time_zone)
            value = None if typed is None else kind.parser(field)(typed)
        except ValueError:
            continue
        if value != held.get(name):
            now, yours = shown_value(visit, definition, name, held), shown_value(visit, definition, name, {name: value})
            changes.append({
                "label": visit.text(field.label),
                "now": Markup(now or "—"),  # noqa: S704 - cells escape
                "yours": Markup(yours or "—"),  # noqa: S704 - cells escape
            })  # fmt: skip
    return {"by": latest.by_name if latest else visit.say("Somebody"), "changes": changes}
