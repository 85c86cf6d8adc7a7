"""The stages of a record that has a workflow: where it stands, where it may go, and what a move asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, EngineError, NeedsConfirmation, NotFound, Stale
from engine.process.automation.book import book_of
from engine.process.workflow_path import Move, Stage, StagePath, paths
from metadata.model import Cell, Object
from ui.columns import field_of
from ui.screens.confirmation import asking, confirmation_view
from ui.screens.form_answers import stale_view, summary
from ui.screens.form_state import FormState, live_view, state_of
from ui.screens.forms import cell_view, held_values
from ui.screens.objects import CLEAR, head, is_written, keeps_hidden, need_update, object_of, title_in
from ui.screens.refusals import at_fields, problems_of, text_of
from ui.visit import Visit

__all__ = ["move", "move_form", "move_page", "stage_path", "stages_view"]

NEEDS = "workflow.required"
STATES = {"done": "is-past", "current": "is-now", "ahead": "is-ahead"}
View = dict[str, Any]


def stage_path(visit: Visit, object_name: str, record_id: str) -> StagePath | None:
    """None for a record without a workflow; objects that have none pay nothing for it."""
    book = book_of(visit.ctx.snapshot, object_name)
    if book is None or not book.workflows:
        return None
    return paths(visit.ctx, object_name, record_id)


def stages_view(visit: Visit, definition: Object, path: StagePath, record_id: str) -> View:
    """Stages in their order with what each may be moved by; `buttons` are the transitions that have a name."""
    field = field_of(definition, path.field)
    moves = {one.target: one for one in path.moves}
    now = next((one for one in path.stages if one.is_now == "current"), None)
    is_over = now is not None and now.is_final
    shown = [one for one in path.stages if not (is_over and one.is_final and one is not now and one.value not in moves)]
    address = f"/o/{definition.name}/{record_id}"
    stages = [stage_view(visit, definition, one, now, moves.get(one.value), bool(path.moves)) for one in shown]
    buttons = [move_view(visit, definition, one) for one in path.moves if one.transition]
    return {
        "label": visit.text(field.label) if field is not None else path.field, "address": address, "stages": stages,
        "guidance": now.guidance if now is not None else "",
        "is_lost": now is not None and is_over and now.is_won is False,
        "buttons": buttons, "moves": [move_view(visit, definition, one) for one in path.moves],
    }  # fmt: skip


def stage_view(
    visit: Visit, definition: Object, stage: Stage, now: Stage | None, move: Move | None, may_move: bool
) -> View:
    why = ""
    if move is None and stage is not now and may_move:
        here = now.label if now is not None else visit.say("empty")
        why = visit.say("From '{from_}' one cannot go to '{to}'.", from_=here, to=stage.label)
    end = "" if not stage.is_final else {True: "won", False: "lost", None: "end"}[stage.is_won]
    return {
        "value": stage.value, "label": stage.label, "state": STATES[stage.is_now], "end": end, "why": why,
        "move": move_view(visit, definition, move) if move is not None else None,
    }  # fmt: skip


def move_view(visit: Visit, definition: Object, move: Move) -> View:
    """`asks`: it needs values first, so it opens a form. `why`: what stands in its way."""
    labels = [label_of(visit, definition, name) for name in move.missing]
    return {
        "target": move.target, "label": move.label, "is_open": move.is_open, "asks": bool(move.missing),
        "needs": visit.say("Asks for {fields}", fields=visit.say(", ").join(labels)) if labels else "",
        "why": " ".join(text_of(visit, definition, one) for one in move.problems),
    }  # fmt: skip


def label_of(visit: Visit, definition: Object, name: str) -> str:
    field = visit.ctx.scope.readable(definition.name).get(name)
    return visit.text(field.label) if field is not None else visit.say("a field that you cannot see")


def move_page(visit: Visit) -> Response:
    """The form of a move: exactly the fields that it needs."""
    definition, record_id, path = moved(visit)
    return move_form(visit, definition, record_id, path, visit.request.query_params.get("to", ""))


def move(visit: Visit) -> Response:
    definition, record_id, path = moved(visit)
    target, version = visit.sent("_to"), visit.sent("version")
    wanted = wanted_move(path, target)
    values = read_values(visit, definition, wanted.missing if wanted is not None else ())
    try:
        asking(visit).update(
            definition.name, record_id, {**values, path.field: target},
            if_version=int(version) if version.isdecimal() and len(version) < 18 else None,
        )  # fmt: skip
    except (BadInput, Conflict, NeedsConfirmation, Stale) as refusal:
        return move_form(visit, definition, record_id, path, target, refusal)
    return visit.go(f"/o/{definition.name}/{record_id}", {"code": "waits" if visit.waits(record_id) else "saved"})


def moved(visit: Visit) -> tuple[Object, str, StagePath]:
    """Raises NotFound, and Forbidden for who may not change the record."""
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    need_update(visit, definition, record_id)
    path = stage_path(visit, definition.name, record_id)
    if path is None:
        raise NotFound(f"{definition.name} has no stages")
    return definition, record_id, path


def wanted_move(path: StagePath, target: str) -> Move | None:
    return next((one for one in path.moves if one.target == target), None)


def read_values(visit: Visit, definition: Object, names: Sequence[str]) -> dict[str, object]:
    plugins, values = visit.ctx.snapshot.plugins.fields, {}
    for name in names:
        field = field_of(definition, name)
        if name not in visit.form or field is None or not is_written(visit, definition, name, False):
            continue
        kind = plugins[field.type]
        value = kind.from_form(field, visit.form[name], visit.ctx.time_zone)
        cleared = visit.form.get(f"{name}{CLEAR}", ())
        if value is not None or not keeps_hidden(visit, definition, name, kind, cleared):
            values[name] = value
    return values


def move_form(
    visit: Visit, definition: Object, record_id: str, path: StagePath, target: str, refusal: EngineError | None = None
) -> Response:
    """What the move needs, and besides what a refusal names. A target that is no stage is refused in words."""
    wanted, stage = wanted_move(path, target), next((one for one in path.stages if one.value == target), None)
    if stage is None:
        raise NotFound(f"no stage '{target[:60]}'")
    named = [one.path for one in problems_of(refusal)] if isinstance(refusal, BadInput) else []
    readable = visit.ctx.scope.readable(definition.name)
    names = tuple(
        dict.fromkeys(
            name for name in (*(wanted.missing if wanted is not None else ()), *named)
            if name in readable and name != path.field and not readable[name].is_list_of_records
        )
    )  # fmt: skip
    held = held_with(visit, definition, record_id, names)
    sent = visit.form if refusal is not None else None
    state = state_of(visit, definition, held, sent, is_new=False, lines={}, given=())
    is_stale = isinstance(refusal, Stale)
    doubts = refusal.warnings if isinstance(refusal, NeedsConfirmation) else ()
    errors, loose = at_fields(visit, definition, None if doubts else refusal, names)
    heading = visit.say("Change to {stage}", stage=stage.label)
    address = f"/o/{definition.name}/{record_id}"
    hindered = wanted is not None and not wanted.is_open and refusal is None
    if hindered or wanted is None:
        loose = loose or [hindrance(visit, definition, path, stage, wanted)]
        refusal = refusal or BadInput(loose[0])
    return visit.render(
        "form.html" if visit.is_part else "form_page.html",
        status=200 if refusal is None or hindered else 422 if isinstance(refusal, BadInput) else 409,
        title=heading, heading=heading, object=head(visit, definition), in_sheet=visit.is_part,
        lead=lead(visit, definition, held, stage, names), type=None, live=live_view(visit, state),
        sections=[section(visit, state, names, errors)] if names else [],
        record_id=record_id, pick=False, action=f"{address}/move", back=address, only="", to=target, save=heading,
        version=held.get("version", ""), current=(definition.name, "", "any"),
        wrong=summary(visit, definition, refusal, errors, loose) if refusal and not is_stale and not doubts else None,
        doubt=confirmation_view(visit, definition, doubts) if doubts else None,
        stale=stale_view(visit, definition, record_id, state.held, sent or {}, names) if is_stale else None,
    )  # fmt: skip


def held_with(visit: Visit, definition: Object, record_id: str, names: Sequence[str]) -> dict[str, Any]:
    held = held_values(visit, definition, record_id)
    missing = [name for name in names if name not in held]
    return {**held, **visit.records.get_row(definition.name, record_id, missing)} if missing else held


def hindrance(visit: Visit, definition: Object, path: StagePath, stage: Stage, wanted: Move | None) -> str:
    if wanted is not None:
        return move_view(visit, definition, wanted)["why"]
    now = next((one.label for one in path.stages if one.is_now == "current"), visit.say("empty"))
    return visit.say("From '{from_}' one cannot go to '{to}'.", from_=now, to=stage.label)


def lead(visit: Visit, definition: Object, held: Mapping[str, Any], stage: Stage, names: Sequence[str]) -> str:
    """What the dialog says above the fields: whom to ask for what this person may not fill in."""
    closed = [label_of(visit, definition, one) for one in names if not is_written(visit, definition, one, False)]
    if closed:
        return visit.say("You may not fill in {fields}: ask an administrator.", fields=visit.say(", ").join(closed))
    title = title_in(visit, definition, held, visit.text(definition.label))
    return visit.say("'{stage}' needs this of {title}:", stage=stage.label, title=title) if names else ""


def section(visit: Visit, state: FormState, names: Sequence[str], errors: Mapping[str, str]) -> View:
    widgets = []
    for name in names:
        view = cell_view(visit, state, Cell(name), errors) or {}
        # A condition that would hide it does not count: it is asked for.
        widgets.append({**view, "required": True, "is_shown": True, "show": "", "require": ""})
    return {"label": "", "columns": 1, "widgets": widgets, "show": "", "is_shown": True}
