"""What happened to a record, newest first, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

from markupsafe import Markup

from engine.errors import BadValue
from engine.service_answers import Change
from engine.service_unmerge import KEPT_FOR
from engine.store.references import pointed
from metadata.model import Object
from ui import naming
from ui.cells import Shown, cell_for
from ui.cells_files import names
from ui.columns import field_of
from ui.naming import Titles
from ui.visit import Visit

__all__ = ["Told", "timeline_view"]

SHOWN_ENTRIES = 30
SHOWN_LINES = 3
LONGEST = 80
ICONS = {
    "create": "plus", "update": "pencil", "delete": "trash", "restore": "arrow-back-up", "merge": "git-merge",
    "unmerge": "arrow-back-up", "erase": "shield-check",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What happened to a record beside changes of it."""

    at: datetime
    by_name: str
    icon: str
    text: str


def timeline_view(
    visit: Visit, definition: Object, history: Sequence[Change], others: Sequence[Told] = ()
) -> list[dict[str, Any]]:
    titles = titles_of(visit, definition, history[:SHOWN_ENTRIES])
    undoable = last_merge(visit, history)
    entries: list[tuple[datetime, dict[str, Any]]] = []
    for change in history[:SHOWN_ENTRIES]:
        lines = [] if change.action == "create" else list(lines_of(visit, definition, change, titles))
        text = {
            "create": visit.say("created the record"),
            "delete": visit.say("deleted the record"),
            "restore": visit.say("restored the record"),
            "erase": visit.say("erased personal data"),
        }.get(change.action, visit.say("changed the record"))
        if change.others or change.into:
            text = merge_text(visit, change, titles, definition.name)
        elif len(lines) == 1:
            text, lines = lines[0], []
        told = Told(change.at, change.by_name, ICONS.get(change.action, "pencil"), text)
        entries.append((change.at, entry_view(visit, told, lines, may_undo=change is undoable)))
    # Of two at one moment, what was done to the record itself comes first: it was there before it was shared.
    entries = [*((one.at, entry_view(visit, one)) for one in others), *entries]
    if others:
        entries.sort(key=lambda entry: entry[0], reverse=True)
    return [view for _, view in entries[:SHOWN_ENTRIES]]


def entry_view(visit: Visit, told: Told, lines: Sequence[str] = (), may_undo: bool = False) -> dict[str, Any]:
    return {
        "icon": told.icon,
        "by": told.by_name or visit.say("The system"),
        "text": told.text,
        "lines": lines[:SHOWN_LINES],
        "more": lines[SHOWN_LINES:],
        "at": told.at.astimezone(UTC).isoformat(timespec="seconds"),
        "exact": visit.formats.datetime(told.at),
        "ago": visit.formats.ago(told.at, visit.ctx.now),
        "may_undo": may_undo,
    }


def merge_text(visit: Visit, change: Change, titles: Titles, object_name: str) -> str:
    """Of the record that was kept, and of one that went into it."""
    unknown = visit.say("a record that you cannot see")
    names = [titles.get((object_name, one)) or unknown for one in (change.into, *change.others) if one]
    quoted = visit.say(", ").join(names)
    if change.action == "unmerge":
        return visit.say("took the merge with {titles} back", titles=quoted)
    if change.into:
        return visit.say("merged this record into {titles}", titles=quoted)
    return visit.say("merged {titles} into this record", titles=quoted)


def last_merge(visit: Visit, history: Sequence[Change]) -> Change | None:
    """The merge into this record that can be taken back: the last, unless it was or is too old."""
    undone = 0
    for change in history:
        if change.others and change.action == "unmerge":
            undone += 1
        elif change.others and undone:
            undone -= 1
        elif change.others:
            return change if visit.ctx.now - change.at <= KEPT_FOR else None
    return None


def lines_of(visit: Visit, definition: Object, change: Change, titles: Titles) -> Iterable[str]:
    readable = visit.ctx.scope.readable(definition.name)
    for name, (old, new) in change.changes.items():
        field = field_of(definition, name)
        if field is None or name not in readable or field.is_hidden:
            continue
        label = visit.text(field.label)
        if field.is_list_of_records:
            yield lines_text(visit, label, old or 0, new or 0)
            continue
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


def lines_text(visit: Visit, label: str, before: int, after: int) -> str:
    if before == after:
        return visit.say("changed {field}", field=label)
    return visit.say("changed {field}: {old} lines became {new}", field=label, old=before, new=after)


def value_text(visit: Visit, field: Any, value: Any, titles: Titles) -> str:
    """A value of the history, which is JSON, as text."""
    if value is None or value == "":
        return ""
    if field.target:
        return titles.get((field.target, str(value)), "…")
    if field.targets:
        return ", ".join(titles.get(place, "…") for place in pointed(field, value))
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


def titles_of(visit: Visit, definition: Object, history: Sequence[Change]) -> Titles:
    """Titles of all records that the history refers to, one question per object."""
    wanted: list[tuple[str, str]] = []
    for change in history:
        wanted += [(definition.name, one) for one in (change.into, *change.others) if one]
        for name, pair in change.changes.items():
            field = field_of(definition, name)
            if field is not None and (field.target or field.targets):
                wanted += [place for value in pair for place in pointed(field, value)]
    titles = dict(naming.titles_of(visit.records, wanted))
    left = [place for place in wanted if place not in titles]  # what was merged away, or deleted
    return {**titles, **naming.titles_of(visit.records, left, in_trash=True)}
