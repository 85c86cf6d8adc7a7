"""Values of a record as an approval tells them, which are JSON, as HTML and as text."""

from collections.abc import Iterable, Mapping
from html import escape, unescape
from typing import Any

from markupsafe import Markup

from engine.errors import BadValue
from engine.process.approval.views import FieldValue
from engine.store.references import pointed
from metadata.model import Field, Object
from metadata.processes import APPROVAL_STATUS
from ui.cells import Shown, cell_for
from ui.columns import field_of
from ui.naming import Titles, titles_of, with_titles
from ui.visit import Visit

__all__ = ["changes_view", "field_at", "summary_view", "titles_in", "value_html", "value_text"]

LONGEST = 120


def field_at(visit: Visit, definition: Object, path: str) -> Field | None:
    """The field at the end of a path through references: "account.industry"."""
    *steps, last = path.split(".")
    current: Object | None = definition
    for step in steps:
        field = field_of(current, step) if current else None
        current = visit.ctx.snapshot.definitions.objects.get(field.target) if field and field.target else None
    return field_of(current, last) if current else None


def titles_in(visit: Visit, pairs: Iterable[tuple[Field | None, Any]]) -> Titles:
    """Titles of the records to which these values lead, as far as this person may see them."""
    places = [
        place for field, value in pairs if field is not None and (field.target or field.targets) and value
        for place in places_of(field, value)
    ]  # fmt: skip
    return titles_of(visit.records, places) if places else {}


def places_of(field: Field, value: Any) -> Iterable[tuple[str, str]]:
    if field.target:
        return [(field.target, str(value))] if isinstance(value, str) else []
    return pointed(field, value)


def value_html(visit: Visit, field: Field | None, value: Any, titles: Titles, is_full: bool = False) -> str:
    """Escaped by its cell; "" where there is nothing."""
    if value is None or value in ("", [], {}):
        return ""
    if field is None:
        return escape(str(value))
    kind = visit.ctx.snapshot.plugins.fields[field.type]
    shown = Shown(field, 0, visit.formats, visit.language, kind.cell, 1 if field.target else -1, is_full=is_full)
    if field.target:
        title = titles.get((field.target, str(value)))
        if title is None:
            return f'<span class="quiet">{escape(visit.say("A record that you cannot see"))}</span>'
        # No link to what the person reads through this approval alone.
        return cell_for(shown)([value, title]) if visit.ctx.scope.can("read", field.target) else escape(title)
    if field.targets:
        return cell_for(shown)([with_titles(field, value, titles)])
    if field.is_masked:
        return cell_for(shown)([value])
    try:
        return cell_for(shown)([kind.parser(field)(value)])
    except (BadValue, TypeError, ValueError):  # as an older definition had it
        return escape(str(value)[:LONGEST])


def value_text(visit: Visit, field: Field | None, value: Any, titles: Titles) -> str:
    html = value_html(visit, field, value, titles)
    text = unescape(Markup(html.replace("</span><span", "</span>, <span")).striptags())  # noqa: S704 - cells escape
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def summary_view(visit: Visit, object_name: str, values: Iterable[FieldValue]) -> list[dict[str, str]]:
    """The facts of a row of the inbox. Their titles are asked for once per object, by its caller."""
    definition = visit.ctx.snapshot.definitions.objects[object_name]
    shown = [(one, field_at(visit, definition, one.name)) for one in values]
    titles = titles_in(visit, ((field, one.value) for one, field in shown))
    facts = [(label_of(visit, one, field), value_html(visit, field, one.value, titles)) for one, field in shown]
    return [{"label": label, "html": html} for label, html in facts if html]


def label_of(visit: Visit, one: FieldValue, field: Field | None) -> str:
    return visit.text(field.label) if field is not None else one.label


def changes_view(
    visit: Visit, definition: Object, changes: Mapping[str, tuple[Any, Any]]
) -> list[dict[str, str]]:  # fmt: skip
    """What was changed with one event: {"label", "before", "after"}."""
    fields = {name: field_of(definition, name) for name in changes}
    titles = titles_in(visit, ((fields[name], value) for name, pair in changes.items() for value in pair))
    found = []
    for name, (before, after) in changes.items():
        field = fields[name]
        if field is None or field.is_hidden or name == APPROVAL_STATUS:
            continue
        if visit.ctx.snapshot.plugins.fields[field.type].is_secret or field.is_list_of_records:
            found.append({"label": visit.text(field.label), "before": "", "after": ""})
            continue
        texts = (value_text(visit, field, before, titles), value_text(visit, field, after, titles))
        found.append({"label": visit.text(field.label), "before": texts[0], "after": texts[1]})
    return found
