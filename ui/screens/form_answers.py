"""What a form says above its fields when it comes back: what is wrong, and who was faster."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from engine.errors import EngineError
from metadata.model import Object
from ui.columns import field_of
from ui.screens.confirmation import warned_of
from ui.screens.fields import shown_value
from ui.screens.objects import is_masked, is_written
from ui.screens.refusals import label_at
from ui.visit import Visit

__all__ = ["stale_view", "summary"]

Values = Mapping[str, Any]
Sent = Mapping[str, Sequence[str]]


def summary(
    visit: Visit, definition: Object, refusal: EngineError, errors: Mapping[str, str], loose: Sequence[str]
) -> dict[str, Any]:
    lines = [{"text": text, "href": ""} for text in loose]
    labels: dict[str, list[str]] = {}  # what is said of several fields at once is said once
    places: dict[str, str] = {}
    for name, text in errors.items():
        label = label_at(visit, definition, name, text)
        key = text if label else name
        labels.setdefault(key, []).append(label)
        places.setdefault(key, name)
    for key, name in places.items():
        label, text = visit.say(", ").join(labels[key]), errors[name]
        lines.append({"text": f"{label}: {text}" if label else text, "href": f"#f-{name}"})
    count = len(lines)
    title = (
        visit.say("Not saved: one thing to mend") if count == 1 else visit.say("Not saved: {n} things to mend", n=count)
    )
    found = [one for problem in refusal.problems for one in warned_of(visit, problem.candidates, tuple(errors))]
    return {"title": title, "lines": lines, "candidates": found}


def stale_view(
    visit: Visit, definition: Object, record_id: str, held: Values, sent: Sent, names: Sequence[str]
) -> dict[str, Any]:
    """Who changed the record meanwhile, and where the input differs from what it holds now."""
    latest = next(iter(visit.records.history(definition.name, record_id)), None)
    plugins, changes = visit.ctx.snapshot.plugins.fields, []
    for name in names:
        field = field_of(definition, name)
        if field is None or name not in sent or not is_written(visit, definition, name):
            continue
        if is_masked(visit, definition, name) and not any(sent[name]):
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
