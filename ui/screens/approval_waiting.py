"""What waits for an approval, on the record's page, in a task and in the inbox: as it is, and as it is to be."""

from collections.abc import Iterator
from typing import Any

from engine.process.approval.views import InboxRow, InstanceView
from engine.process.comparing import Difference
from engine.process.waiting import Waiting
from metadata.model import Field, Object
from ui.columns import field_of
from ui.naming import Titles
from ui.screens.approval_values import titles_in, value_text
from ui.visit import Visit

__all__ = ["few_changes", "waiting_mark", "waiting_view"]

FEW = 3  # changes in a row of the inbox


def waiting_view(visit: Visit, definition: Object, instance: InstanceView) -> dict[str, Any] | None:
    waits = instance.waits
    if waits is None:
        return None
    name = instance.submitter.name or visit.say("the system")
    ago = visit.formats.ago(waits.at, visit.ctx.now) if waits.at else ""
    return {
        "action": waits.action, "icon": icon_of(waits), "text": text_of(visit, waits, name, ago),
        "exact": visit.formats.datetime(waits.at) if waits.at else "",
        "conflict": conflict_text(visit, waits),
        "rows": list(rows_of(visit, definition, waits)) if waits.action != "create" else [],
    }  # fmt: skip


def icon_of(waits: Waiting) -> str:
    return {"create": "plus", "update": "pencil", "delete": "trash"}[waits.action]


def text_of(visit: Visit, waits: Waiting, name: str, ago: str) -> str:
    say = visit.say
    if waits.action == "create":
        return say("{name} entered this {ago}. The record is made when it is approved.", name=name, ago=ago)
    if waits.action == "delete":
        return say("{name} asked {ago} to delete this. It stays until that is approved.", name=name, ago=ago)
    return say("{name} asked for this {ago}. It is made when it is approved.", name=name, ago=ago)


def conflict_text(visit: Visit, waits: Waiting) -> str:
    return visit.say("It was approved, and could not be made.") if waits.is_conflict else ""


def rows_of(visit: Visit, definition: Object, waits: Waiting) -> Iterator[dict[str, str]]:
    """Titles of what it refers to are told by the person's own rights, unless they read through a step."""
    fields = {one.field: field_of(definition, one.field) for one in waits.fields if not one.line}
    titles: Titles = {}
    if waits.is_own:
        pairs = [(fields.get(one.field), value) for one in waits.fields for value in (one.before, one.after)]
        titles = titles_in(visit, pairs)
    for one in waits.fields:
        before, after = texts_of(visit, one, fields.get(one.field), waits.is_own, titles)
        label = visit.text(about.label) if (about := fields.get(one.field)) is not None else one.label
        if one.kind == "added":
            label = visit.say("{lines}: added", lines=one.label)
        elif one.kind == "removed":
            label = visit.say("{lines}: removed", lines=one.label)
        yield {"label": label, "before": before, "after": after}


def texts_of(
    visit: Visit, one: Difference, about: Field | None, is_own: bool, titles: Titles
) -> tuple[str, str]:  # fmt: skip
    refers = about is not None and bool(about.target or about.targets)
    if about is None or (refers and not is_own):
        return one.before_text, one.after_text
    return value_text(visit, about, one.before, titles), value_text(visit, about, one.after, titles)


def waiting_mark(visit: Visit, row: InboxRow) -> dict[str, str] | None:
    """What a row of the inbox is about, where it is no record as it is."""
    if row.waits is None:
        return None
    texts = {
        "create": visit.say("New record"), "update": visit.say("Change"), "delete": visit.say("Deletion"),
    }  # fmt: skip
    return {"text": texts[row.waits.action], "tone": "red" if row.waits.action == "delete" else "teal"}


def few_changes(visit: Visit, row: InboxRow) -> list[dict[str, str]]:
    if row.waits is None or row.waits.action != "update":
        return []
    definition = visit.ctx.snapshot.definitions.objects[row.object]
    return list(rows_of(visit, definition, row.waits))[:FEW]
