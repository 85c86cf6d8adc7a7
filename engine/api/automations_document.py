"""The operations of automations, templates and webhooks in the OpenAPI document."""

from typing import Any

from engine.api.jobs_document import ASKED, COUNT, LIMIT, MOMENT, NAME, READ, TEXT, does, listed
from engine.api.openapi_parts import KEY, json_of

__all__ = ["process_paths", "webhook_paths"]

Json = dict[str, Any]
STATES = ("waiting", "running", "done", "failed")
MAP: Json = {"type": "object"}
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
            body=closed({"again": {"type": "boolean"}}), parameters=[KEY],
        )},
        "/automations/{automation}/rehearse": {**named("automation"), "post": own(
            "rehearseAutomation", "What it would do to a record; all of it is taken back", {
                "200": json_of(made), **ASKED,
            }, body=closed({"record": TEXT, "body": {}}),
        )},
        "/automations/{automation}/secret": {**named("automation"), "post": own(
            "setWebhookSecret", "With what calls of a signed webhook are signed; one is made where none is sent",
            {"200": json_of(SECRET), **ASKED},
            body=closed({"secret": {"type": "string", "minLength": 16, "maxLength": 500}}),
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
