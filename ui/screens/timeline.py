"""What happened to a record, newest first, in words."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from html import unescape
from typing import Any

from markupsafe import Markup

from engine.errors import BadValue
from engine.service_answers import Change
from metadata.model import Object
from ui.cells import Shown, cell_for
from ui.cells_files import names
from ui.columns import field_of, title_of
from ui.visit import Visit

__all__ = ["timeline_view"]

SHOWN_ENTRIES = 30
SHOWN_LINES = 3
LONGEST = 80
ICONS = {"create": "plus", "update": "pencil", "delete": "trash", "restore": "arrow-back-up"}


def timeline_view(visit: Visit, definition: Object, history: Sequence[Change]) -> list[dict[str, Any]]:
    titles = titles_of(visit, definition, history[:SHOWN_ENTRIES])
    entries = []
    for change in history[:SHOWN_ENTRIES]:
        lines = [] if change.action == "create" else list(lines_of(visit, definition, change, titles))
        text = {
            "create": visit.say("created the record"),
            "delete": visit.say("deleted the record"),
            "restore": visit.say("restored the record"),
        }.get(change.action, visit.say("changed the record"))
        if len(lines) == 1:
            text, lines = lines[0], []
        entries.append({
            "icon": ICONS.get(change.action, "pencil"),
            "by": change.by_name or visit.say("The system"),
            "text": text,
            "lines": lines[:SHOWN_LINES],
            "more": lines[SHOWN_LINES:],
            "at": change.at.astimezone(UTC).isoformat(timespec="seconds"),
            "exact": visit.formats.datetime(change.at),
            "ago": visit.formats.ago(change.at, visit.ctx.now),
        })  # fmt: skip
    return entries


def lines_of(visit: Visit, definition: Object, change: Change, titles: dict[str, str]) -> Iterable[str]:
    readable = visit.ctx.scope.fields(definition.name)
    for name, (old, new) in change.changes.items():
        field = field_of(definition, name)
        if field is None or name not in readable:
            continue
        label = visit.text(field.label)
        if visit.ctx.snapshot.plugins.fields[field.type].is_secret:
            yield visit.say("changed {field}", field=label)
            continue
        before, after = value_text(visit, field, old, titles), value_text(visit, field, new, titles)
        if not before:
            yield visit.say("set {field} to {new}", field=label, new=after)
        elif not after:
            yield visit.say("emptied {field} (was {old})", field=label, old=before)
        else:
            yield visit.say("changed {field} from {old} to {new}", field=label, old=before, new=after)


def value_text(visit: Visit, field: Any, value: Any, titles: dict[str, str]) -> str:
    """A value of the history, which is JSON, as text."""
    if value is None or value == "":
        return ""
    if field.target:
        return titles.get(str(value), "…")
    kind = visit.ctx.snapshot.plugins.fields[field.type]
    if kind.attaches is not None:
        return cut(names(value))
    try:
        stored = kind.parser(field)(value)
    except BadValue:
        # Written under an older definition.
        return str(value)[:LONGEST]
    html = cell_for(Shown(field, 0, visit.formats, visit.language, kind.cell))([stored])
    text = unescape(Markup(html.replace("</span><span", "</span>, <span")).striptags())  # noqa: S704 - cells escape
    return cut(text)


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def titles_of(visit: Visit, definition: Object, history: Sequence[Change]) -> dict[str, str]:
    """Titles of all records that the history refers to, one question per object."""
    wanted: dict[str, set[str]] = {}
    for change in history:
        for name, pair in change.changes.items():
            field = field_of(definition, name)
            if field is not None and field.target and title_of(visit.ctx.snapshot, visit.ctx.scope, field.target):
                wanted.setdefault(field.target, set()).update(str(value) for value in pair if value)
    titles: dict[str, str] = {}
    for target, ids in wanted.items():
        titles.update(visit.records.titles(target, ids))
    return titles
