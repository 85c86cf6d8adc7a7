"""What a form holds when it is shown: values as stored, over them what was sent, and all that follows from them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import BadValue
from engine.formula.exact import fitted
from metadata.model import Field, Object
from ui.columns import field_of
from ui.fields import words_of
from ui.live import Live, live_of
from ui.live_module import module_of
from ui.screens.fields import offered
from ui.screens.objects import is_masked, is_written
from ui.visit import Visit
from ui.working import (
    Working,
    here_of,
    is_of_owner,
    paths_of,
    plain,
    reached,
    scale_of,
    settings_of,
    with_reached,
)

__all__ = ["FormState", "LineState", "live_view", "state_of", "typed"]

Values = Mapping[str, Any]
Sent = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class LineState:
    """One line: as stored (None: it is new), as sent (None: nothing was), and at work."""

    id: str
    held: Values
    sent: Sent | None
    working: Working


@dataclass(slots=True)
class FormState:
    definition: Object
    live: Live
    held: Values  # as stored; defaults of a new record
    sent: Sent | None
    working: Working
    is_new: bool
    lines: Mapping[str, Sequence[LineState]] = field(default_factory=dict)

    def holds(self, condition: str, otherwise: bool) -> bool:
        """`otherwise`: without a condition, and where this person may not work it out."""
        found = self.working.holds(condition) if condition else None
        return otherwise if found is None else found

    @property
    def record_type(self) -> str:
        return str(self.working.values.get("record_type") or "") if self.definition.record_types else ""


def state_of(
    visit: Visit, definition: Object, held: Values, sent: Sent | None, is_new: bool,
    lines: Mapping[str, Sequence[tuple[str, Values, Sent | None]]] | None = None, given: Iterable[str] = (),
) -> FormState:  # fmt: skip
    """`lines`: (id, held, sent) of each; `given`: fields of a new record whose value does not come from a default."""
    ctx, live = visit.ctx, live_of(visit.ctx.snapshot, visit.ctx.scope, definition.name)
    held = dict(held)
    values = with_typed(visit, definition, held, sent)
    behind = reached(ctx, live, [values, held])
    settings = settings_of(ctx, live)
    prior = None if is_new else with_reached(live, held, behind)
    working = Working(ctx, live, with_reached(live, values, behind) | settings, prior=prior)
    state = FormState(definition, live, held, sent, working, is_new)
    if is_new and sent is None:
        start(visit, state, set(given))
    state.lines = {name: line_states(visit, state, name, rows) for name, rows in (lines or {}).items()}
    working.lines = {name: [line.working for line in rows] for name, rows in state.lines.items()}
    return state


def line_states(
    visit: Visit, state: FormState, name: str, rows: Sequence[tuple[str, Values, Sent | None]]
) -> list[LineState]:
    live = state.live.lines[name]
    definition = visit.ctx.snapshot.definitions.objects[live.object]
    values = [with_typed(visit, definition, held, sent) for _, held, sent in rows]
    behind = reached(visit.ctx, live, [*values, *(held for _, held, _ in rows)])
    found = []
    for (record_id, held, sent), now in zip(rows, values, strict=True):
        prior = with_reached(live, held, behind) if record_id else None
        working = Working(visit.ctx, live, with_reached(live, now, behind), owner=state.working, prior=prior)
        found.append(LineState(record_id, held, sent, working))
    return found


def start(visit: Visit, state: FormState, given: set[str]) -> None:
    """What a new record takes over through its references, and its defaults by formula."""
    working, fields = state.working, state.definition.fields
    values: dict[str, Any] = dict(working.values)
    working.values = values
    for name in state.live.fetches:
        first = fields[name].fetch.partition(".")[0]
        if values.get(first) and not (fields[name].fetches_if_blank and values.get(name) is not None):
            take(visit, state, values, name, working[fields[name].fetch])
    for name in fields.keys() - given:
        leave_out(visit, state, values, fields[name])
    for name in state.live.defaults:
        if name not in given and values.get(name) is None:
            take(visit, state, values, name, working.value(f"default:{name}"))


def leave_out(visit: Visit, state: FormState, values: dict[str, Any], one: Field) -> None:
    """A default that does not go with the record's type or with another choice is none; where one is needed, the first
    that goes is."""
    allowed, held = offered(state.definition, one, values), values.get(one.name)
    if allowed is not None and isinstance(held, str) and held not in allowed:
        first = [choice.value for choice in one.choices if choice.value in allowed and not choice.is_retired]
        take(visit, state, values, one.name, first[0] if first and one.is_required else None)


def take(visit: Visit, state: FormState, values: dict[str, Any], name: str, value: Any) -> None:
    scale = scale_of(visit.ctx, state.definition.fields[name])
    values[name] = value if scale is None or value is None else fitted(value, scale)
    if scale == 0 and values[name] is not None:
        values[name] = int(values[name])
    state.held = {**state.held, name: values[name]}
    if name in state.live.reach and values[name]:
        behind = reached(visit.ctx, state.live, [values])
        values.update(with_reached(state.live, values, behind))
    state.working.found.clear()


def with_typed(visit: Visit, definition: Object, held: Values, sent: Sent | None) -> dict[str, Any]:
    values = dict(held)
    for name, texts in (sent or {}).items():
        one = field_of(definition, name)
        if one is not None and is_written(visit, definition, name):
            if is_masked(visit, definition, name) and not any(texts):
                continue  # kept
            values[name] = typed(visit, one, texts)
    return values


def typed(visit: Visit, one: Field, texts: Sequence[str]) -> Any:
    """What was sent for a field, as stored; None for what cannot be read."""
    kind = visit.ctx.snapshot.plugins.fields[one.type]
    try:
        value = kind.from_form(one, texts, visit.ctx.time_zone)
        return None if value is None else kind.parser(one)(value)
    except BadValue:
        return None


def live_view(visit: Visit, state: FormState) -> dict[str, Any] | None:
    """What the form's script starts with; None where nothing changes by itself."""
    plan = state.live
    has_types = bool(state.definition.record_types)
    depends = any(one.depends_on for one in state.definition.fields.values())
    if plan.is_idle and not depends and not has_types:
        return None
    here = here_of(visit.ctx)
    module = module_of(visit.ctx, visit.formats, state.definition.name)
    # Reading them takes a statement, which few forms need.
    departments = list(here.departments) if "here.departments" in module.text else []
    return {
        "module": module.address,
        "here": {
            "now": plain(here.now), "today": plain(here.today), "zone": here.zone.key, "userId": here.user_id,
            "username": here.username, "roles": sorted(here.roles), "departments": departments,
            "fiscalStart": here.fiscal_start,
        },
        "person": visit.ctx.actor.name or visit.ctx.actor.username,
        "language": visit.language,
        "words": words_of(visit.formats),
        "isNew": state.is_new,
        "recordType": state.record_type,
        **values_view(plan, state.working),
        "lines": {
            name: [values_view(plan.lines[name], line.working) for line in rows] for name, rows in state.lines.items()
        },
    }  # fmt: skip


def values_view(live: Live, working: Working) -> dict[str, Any]:
    """Of what formulas read, besides what they work out themselves."""
    computed = {*live.worked, *live.lines}
    asked = [path for path in paths_of(live) if path not in computed and not is_of_owner(live, path)]

    def view(values: Values | None) -> dict[str, Any] | None:
        if values is None:
            return None
        return {path: shown for path in asked if (shown := plain(values.get(path))) is not None}

    return {"values": view(working.values), "prior": view(working.prior)}
