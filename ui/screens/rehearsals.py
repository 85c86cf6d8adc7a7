"""An automation tried on a record: what it would change, whom it would tell, what it would send. Nothing stays."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, EngineError, NotFound
from engine.process.automation.rehearsal import Rehearsed, rehearse
from metadata.model import Field
from metadata.processes import Automation
from ui.columns import field_of
from ui.process_words import option_text
from ui.screens.automations import automation_of
from ui.screens.refusals import sentence
from ui.screens.runs import plain
from ui.visit import Visit
from ui.widgets import widget_view

__all__ = ["rehearsal_page", "rehearse_on"]

RECORD, BODY = "record", "body"
QUIET = ("kind", "due_at", "object", "record", "language")  # of what would be sent
View = dict[str, Any]


def rehearsal_page(visit: Visit) -> Response:
    return show(visit, automation_of(visit))


def rehearse_on(visit: Visit) -> Response:
    rule = automation_of(visit)
    record, body = visit.sent(RECORD), None
    if rule.object and not record and not rule.has_body:
        return show(visit, rule, {RECORD: visit.say("Choose a record")}, 422)
    if rule.has_body:
        try:
            body = json.loads(visit.sent(BODY) or "null")
        except ValueError:
            return show(visit, rule, {BODY: visit.say("This is no JSON")}, 422)
    try:
        found = rehearse(visit.ctx, rule.name, record, body)
    except NotFound:
        return show(visit, rule, {RECORD: visit.say("There is no such record, or you may not see it")}, 422)
    except (BadInput, Conflict) as refusal:
        return show(visit, rule, {RECORD: sentence(visit, None, refusal)}, 422)
    return show(visit, rule, found=found)


def show(
    visit: Visit, rule: Automation, errors: Mapping[str, str] | None = None, status: int = 200,
    found: Rehearsed | None = None,
) -> Response:  # fmt: skip
    errors = errors or {}
    heading = visit.say("Rehearsal: {title}", title=visit.text(rule.label))
    return visit.render(
        "rehearsal.html" if visit.is_part else "rehearsal_page.html", status, title=heading, heading=heading,
        in_sheet=visit.is_part, current="setup", name=rule.name, w=picker(visit, rule, errors.get(RECORD, "")),
        has_body=rule.has_body, body=visit.sent(BODY), errors=errors,
        result=result_view(visit, rule, found) if found is not None else None,
    )  # fmt: skip


def picker(visit: Visit, rule: Automation, error: str) -> View | None:
    """The lookup of the record; None for an automation that is about none, or of an object that one may not read."""
    definition = visit.ctx.snapshot.definitions.objects.get(rule.object)
    if definition is None or not visit.ctx.scope.can("read", rule.object):
        return None
    field = Field(RECORD, "reference", definition.label, target=rule.object)
    sent = [visit.sent(RECORD)] if visit.sent(RECORD) else None
    view = widget_view(visit, rule.object, field, None, sent=sent, error=error)
    return {**view, "label": visit.text(definition.label), "new": "", "required": True}


def result_view(visit: Visit, rule: Automation, found: Rehearsed) -> View:
    people = visit.records.titles("user", [one["user"] for one in found.people])
    unknown = visit.say("A person that you cannot see")
    return {
        "holds": found.holds, "has_condition": bool(rule.when or rule.changed),
        "changes": [change_view(visit, one) for one in found.changes],
        "people": [
            {"name": people.get(one["user"]) or unknown,
             "text": one["subject"] or template_text(visit, one["template"])}
            for one in found.people
        ],
        "calls": [call_view(visit, one) for one in found.calls],
        "waits": found.waits_until, "refused": refusal_text(visit, rule, found.refused),
        "is_empty": not (found.changes or found.people or found.calls or found.refused or found.waits_until),
    }  # fmt: skip


def change_view(visit: Visit, one: Mapping[str, Any]) -> View:
    definition = visit.ctx.snapshot.definitions.objects.get(one["object"])
    say = visit.say
    words = {"create": say("Created"), "update": say("Changed"), "delete": say("Deleted")}
    label = visit.text(definition.label) if definition is not None else one["object"]
    title = titles_of(visit, one["object"], one["record"]) if one["record"] and one["action"] != "create" else ""
    fields = []
    for name, (old, new) in one["fields"].items():
        field = field_of(definition, name) if definition is not None else None
        labels = {choice.value: visit.text(choice.label) for choice in field.choices} if field is not None else {}
        shown = [
            titles_of(visit, field.target, value)
            if field is not None and field.target and isinstance(value, str)
            else value_text(visit, value, labels)
            for value in (old, new)
        ]
        fields.append({"label": visit.text(field.label) if field is not None else name, "old": shown[0],
                       "new": shown[1]})  # fmt: skip
    return {"what": words.get(one["action"], one["action"]), "object": label, "title": title, "fields": fields,
            "action": one["action"]}  # fmt: skip


def titles_of(visit: Visit, object_name: str, record: str) -> str:
    try:
        return visit.records.titles(object_name, [record]).get(record, "")
    except EngineError:
        return ""


def value_text(visit: Visit, value: Any, labels: Mapping[str, str]) -> str:
    if value in (None, "", []):
        return visit.say("empty")
    if isinstance(value, bool):
        return visit.say("Yes") if value else visit.say("No")
    return labels.get(value, plain(value)) if isinstance(value, str) else plain(value)


def template_text(visit: Visit, name: str | None) -> str:
    known = visit.ctx.snapshot.definitions.processes.templates.get(name or "")
    return visit.text(known.label) if known is not None else name or ""


def call_view(visit: Visit, one: Mapping[str, Any]) -> View:
    lines = []
    for name, said in one.items():
        if name in QUIET or said in (None, "", [], {}):
            continue
        text = template_text(visit, said) if name == "template" else plain(said)
        lines.append((option_text(visit, name), text))
    return {"kind": kind_of(visit, str(one["kind"])), "lines": lines}


def kind_of(visit: Visit, kind: str) -> str:
    texts = {"mail": visit.say("Mail"), "webhook": visit.say("Call of another system")}
    return texts.get(kind, kind)


def refusal_text(visit: Visit, rule: Automation, refused: Mapping[str, Any] | None) -> list[str]:
    if refused is None:
        return []
    definition = visit.ctx.snapshot.definitions.objects.get(rule.object)
    lines = []
    for problem in refused["problems"]:
        field = field_of(definition, problem["field"]) if definition is not None else None
        label = visit.text(field.label) if field is not None else ""
        lines.append(f"{label}: {problem['message']}" if label else problem["message"])
    return lines or [str(refused["message"])]
