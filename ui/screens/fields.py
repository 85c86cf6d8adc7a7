"""One field of a form: its widget, and how the conditions of the field bear on it now."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from metadata.build.objects import RECORD_TYPE
from metadata.model import Field, Object
from ui.cells import Shown, cell_for
from ui.columns import title_of
from ui.rows import without_tags
from ui.screens.objects import is_masked, is_written
from ui.visit import Visit
from ui.widgets import template_of, widget_view
from ui.working import Working

__all__ = ["offered", "shown_value", "text_of", "widget_of"]

Values = Mapping[str, Any]


def widget_of(
    visit: Visit, definition: Object, field: Field, held: Values, sent: Mapping[str, Sequence[str]] | None, error: str,
    *, working: Working, is_new: bool, at: str = "", titles: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """`at` goes before the names of a line's controls; `titles` names the records that its lookups hold."""
    name, live = field.name, working.live
    is_fixed = not is_written(visit, definition, name, is_new)
    hides = is_masked(visit, definition, name) and not is_fixed
    was_sent = sent.get(name, []) if sent is not None and not is_fixed else None
    view = widget_view(
        visit, definition.name, field, held.get(name), sent=was_sent, error=error, is_locked=is_fixed, at=at,
        titles=titles, hides=hides,
    )  # fmt: skip
    if name in live.worked:
        view |= {"template": template_of("worked"), "worked": name, "shown": text_of(visit, field, working[name])}
    elif is_fixed:
        view["shown"] = Markup(shown_value(visit, definition, name, held))  # noqa: S704 - cells escape
    view |= conditions(visit, field, held, working, is_new)
    allowed = offered(definition, field, working)
    for option in view.get("options", ()):
        option["is_off"] = allowed is not None and option["value"] not in allowed and not option["is_chosen"]
    return view | {"field": name}


def conditions(visit: Visit, field: Field, held: Values, working: Working, is_new: bool) -> dict[str, Any]:
    """Keys of the conditions for the form's script, and what they say of the values at hand."""
    keys = working.live.conditions
    is_kept = field.is_set_once and not is_new and held.get(field.name) is not None
    is_locked = bool(field.lock_if) and working.as_it_was.holds(field.lock_if) is True
    reason = visit.say("Once it has a value, it stays.") if is_kept else visit.say("It cannot be changed now.")
    return {
        "show": keys.get(field.show_if, ""),
        "require": "" if field.is_required else keys.get(field.require_if, ""),
        "is_shown": not field.show_if or working.holds(field.show_if) is not False,
        "required": field.is_required or bool(field.require_if and working.holds(field.require_if)),
        "is_locked": field.is_written and (is_kept or is_locked),
        "lock_reason": reason,
        "is_filled": field.name in working.live.fetches,
    }


def offered(definition: Object, field: Field, values: Values) -> frozenset[str] | None:
    """The choices that go with the record's type and with the field that this one depends on; None is all."""
    if not field.choices:
        return None
    allowed = {choice.value for choice in field.choices}
    type_ = next((one for one in definition.record_types if one.name == values.get(RECORD_TYPE)), None)
    if type_ is not None and field.name in type_.choices:
        allowed &= set(type_.choices[field.name])
    if field.depends_on:
        now = values.get(field.depends_on)
        governing = set(now) if isinstance(now, list | tuple) else {now}
        allowed &= {one.value for one in field.choices if not one.only_for or governing & set(one.only_for)}
    return frozenset(allowed) if len(allowed) < len(field.choices) else None


def text_of(visit: Visit, field: Field, value: Any) -> str:
    """As text alone, which the form's script can write as well."""
    kind = visit.ctx.snapshot.plugins.fields[field.type]
    shown = Shown(field, 0, visit.formats, visit.language, kind.cell, is_full=True)
    return Markup(without_tags(cell_for(shown)([value])))  # noqa: S704 - cells escape


def shown_value(visit: Visit, definition: Object, name: str, held: Values) -> str:
    field = visit.ctx.scope.readable(definition.name).get(name)
    if field is None:
        return ""
    kind = visit.ctx.snapshot.plugins.fields[field.type]
    row, title_at = [held.get(name)], -1
    if field.target and row[0]:
        row.append(visit.records.titles(field.target, [row[0]]).get(row[0]))
        title_at = 1 if title_of(visit.ctx.snapshot, visit.ctx.scope, field.target) else -1
    return cell_for(Shown(field, 0, visit.formats, visit.language, kind.cell, title_at, is_full=True))(row)
