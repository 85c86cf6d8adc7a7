"""The operations of automations, templates and webhooks in the OpenAPI document."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from engine.api.jobs_document import ASKED, COUNT, LIMIT, MOMENT, NAME, READ, TEXT, does, listed
from engine.api.openapi_parts import KEY, json_of
from engine.context import Context
from engine.process.automation.hooks import LONGEST, LONGEST_FORMER, SHORTEST
from metadata.model import Object, say

__all__ = ["button_paths", "process_paths", "webhook_paths"]

Json = dict[str, Any]
STATES = ("waiting", "running", "done", "failed")
MAP: Json = {"type": "object"}
FLAG: Json = {"type": "boolean"}
RUN: Json = {"type": "object", "properties": {
    "id": TEXT, "automation": TEXT, "version": COUNT, "object": NAME, "record": NAME, "cause": TEXT, "by": NAME,
    "state": {"enum": list(STATES)}, "step": COUNT, "tries": COUNT, "inputs": MAP, "outputs": MAP, "error": NAME,
    "created_at": MOMENT, "started_at": MOMENT, "ended_at": MOMENT, "due_at": MOMENT,
}}  # fmt: skip
PRESSED: Json = {"type": "object", "properties": {"results": {"type": "array", "items": {
    "type": "object", "properties": {
        "record": TEXT, "status": COUNT, "run": RUN, "code": TEXT, "detail": TEXT, "fix": TEXT,
        "problems": {"type": "array", "items": MAP},
    },
}}}}  # fmt: skip
TAKEN: Json = {"type": "object", "properties": {"run": TEXT, "is_new": {"type": "boolean"}}}
SECRET: Json = {"type": "object", "properties": {"secret": NAME}}
STAGE: Json = {"type": "object", "properties": {
    "state": TEXT, "label": TEXT, "is": FLAG, "guidance": NAME, "final": FLAG, "won": {"type": ["boolean", "null"]},
}}  # fmt: skip
TEXTS: Json = {"type": "array", "items": TEXT}
MOVE: Json = {"type": "object", "properties": {
    "to": TEXT, "label": TEXT, "transition": NAME, "open": FLAG, "missing": TEXTS, "problems": TEXTS,
}}  # fmt: skip
PATH: Json = {"type": "object", "required": ["workflow", "field", "states", "moves"], "properties": {
    "workflow": NAME, "field": NAME, "states": {"type": "array", "items": STAGE},
    "moves": {"type": "array", "items": MOVE},
}}  # fmt: skip


def webhook_paths() -> Json:
    """For everybody who may be asked of a record, or calls."""
    taken = {"200": json_of(TAKEN), "202": json_of(TAKEN)}
    delivery = {"name": "X-Delivery", "in": "header", "schema": TEXT}
    signed = does("callSigned", "Call an automation, signed as its definition says", {**taken, **ASKED}, body=MAP,
                  tag="automations")  # fmt: skip
    read = {"type": "object", "properties": {"subject": TEXT, "text": TEXT, "html": NAME}}
    return {
        "/automations/{automation}/run": {**named("automation"), "post": does(
            "runButtonOfSeveral", "Press a button for several records", {"200": json_of(PRESSED), **ASKED},
            body=closed({"records": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 200}}, "records"),
            parameters=[KEY], tag="automations",
        )},
        "/hooks/{automation}": {**named("automation"), "post": does(
            "callAutomation", "Call an automation from outside, with a token", {**taken, **ASKED}, body=MAP,
            parameters=[KEY, delivery], tag="automations",
        )},
        "/hooks/{automation}/signed": {**named("automation"), "post": signed | {"security": []}},
        "/templates/{name}/preview": {**named("name"), "post": does(
            "previewTemplate", "How a template comes out, as you would read it", {"200": json_of(read), **ASKED},
            body=closed({"record": TEXT, "values": MAP}), tag="templates",
        )},
    }  # fmt: skip


def button_paths(ctx: Context, definition: Object) -> Iterator[tuple[str, Json]]:
    """Of an object: what its records' buttons set off, and the way of its workflow, where there are any."""
    name, processes = definition.name, ctx.snapshot.definitions.processes
    label, base = say(definition.label, ctx.language), f"/records/{quote(name)}/{{id}}"
    record = {"$ref": "#/components/parameters/id"}
    if any(one.phase == "button" and one.object == name for one in processes.automations.values()):
        button = {"type": "object", "properties": {"automation": TEXT, "label": TEXT}}
        found = {
            "type": "object",
            "required": ["buttons"],
            "properties": {"buttons": {"type": "array", "items": button}},
        }
        yield f"{base}/run", {"parameters": [record], "get": does(
            f"buttons.{name}", f"What one may set off: {label}", {"200": json_of(found), **READ}, tag=name,
        )}  # fmt: skip
        key = {"name": "automation", "in": "path", "required": True, "schema": TEXT}
        yield f"{base}/run/{{automation}}", {"parameters": [record, key], "post": does(
            f"press.{name}", f"Set it off: {label}", {"200": json_of(RUN), **ASKED}, tag=name, parameters=[KEY],
        )}  # fmt: skip
    if any(one.object == name for one in processes.workflows.values()):
        yield f"{base}/path", {"parameters": [record], "get": does(
            f"path.{name}", f"How far it is, and where to from here: {label}", {"200": json_of(PATH), **READ}, tag=name,
        )}  # fmt: skip


def process_paths() -> Json:
    """For who has manage_processes."""
    state = {"name": "state", "in": "query", "schema": {"enum": list(STATES)}}
    asked = [*({"name": name, "in": "query", "schema": TEXT} for name in ("automation", "record")), state, *LIMIT]
    made = {"type": "object", "properties": {"automation": TEXT, "holds": {"type": "boolean"}}}
    run = json_of(RUN)

    def own(identity: str, summary: str, responses: Json, **more: Any) -> Json:
        return does(identity, summary, responses, tag="automations", **more)

    return {
        "/automations/runs": {"get": own("listRuns", "Runs of automations, newest first", {
            "200": json_of(listed("runs", RUN)), **READ,
        }, parameters=asked)},
        "/automations/runs/{id}": {**named("id"), "get": own("getRun", "A run", {"200": run, **READ})},
        "/automations/runs/{id}/replay": {**named("id"), "post": own(
            "replayRun", "Do a run again: from where it failed, or all that it did", {"202": run, **ASKED},
            body=closed({"again": {"type": "boolean"}}), parameters=[KEY], may_be_empty=True,
        )},
        "/automations/{automation}/rehearse": {**named("automation"), "post": own(
            "rehearseAutomation", "What it would do to a record; all of it is taken back", {
                "200": json_of(made), **ASKED,
            }, body=closed({"record": TEXT, "body": {}}), may_be_empty=True,
        )},
        "/automations/{automation}/secret": {**named("automation"), "post": own(
            "setWebhookSecret", "With what calls of a signed webhook are signed; one is made where none is sent",
            {"200": json_of(SECRET), **ASKED},
            body=closed({
                "secret": {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST},
                "former_hours": {"type": "integer", "minimum": 0, "maximum": LONGEST_FORMER, "default": 0},
            }), may_be_empty=True,
        )},
        "/webhooks/secret": {"post": own(
            "getWebhookSecret", "With what our calls of an address are signed", {
                "200": json_of({"type": "object", "properties": {"secret": TEXT}}), **ASKED,
            }, body=closed({"url": {"type": "string", "format": "uri"}}, "url"),
        )},
    }  # fmt: skip


def named(name: str) -> Json:
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": TEXT}]}


def closed(properties: Json, *required: str) -> Json:
    made: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | ({"required": list(required)} if required else {})
