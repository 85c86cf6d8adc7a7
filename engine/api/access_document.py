"""The operations that say who may do what, and why, in the OpenAPI document: for who has manage_rights."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from engine.access.explain_fields import FIELD_ACTIONS
from engine.access.inquiry import ACTIONS, may_ask
from engine.api.openapi_parts import KEY, REPLAYED, json_of, ours, reference
from engine.api.rights_document import READ, RECORD, TEXT, WRITTEN, does
from engine.context import Context
from metadata.model import Object, say

__all__ = ["access_paths", "access_schemas", "preview_paths"]

Json = dict[str, Any]
TAG = "access"
FLAG, COUNT = {"type": "boolean"}, {"type": "integer"}
NAME: Json = {"type": ["string", "null"]}
REASON, EXPLAINED = {"$ref": reference(ours("Reason"))}, {"$ref": reference(ours("Explanation"))}
REASONS: Json = {"type": "array", "items": REASON}
WAYS: Json = {"type": "array", "items": REASONS, "description": "Any of them suffices"}
RECORDS: Json = {"type": "array", "items": {"type": "object", "properties": {"id": TEXT, "title": TEXT}}}
PEOPLE: Json = {"type": "array", "items": {"type": "object", "properties": {"id": TEXT, "name": TEXT}}}
SCHEMAS: Json = {
    ours("Reason"): {
        "type": "object", "required": ["code", "text", "values", "links"],
        "properties": {
            "code": TEXT, "text": TEXT, "values": {"type": "object"},
            "links": {"type": "array", "items": {"type": "object", "properties": {"kind": TEXT, "id": TEXT}}},
        },
    },
    ours("Explanation"): {
        "type": "object", "required": ["allowed"],
        "description": "Of a field: `field`, `reasons`, and `record`, the answer about the record",
        "properties": {
            "person": TEXT, "action": TEXT, "allowed": FLAG, "ways": WAYS, "missing": REASONS, "field": TEXT,
            "reasons": REASONS, "needs": {"type": "array", "items": EXPLAINED}, "record": EXPLAINED,
        },
    },
}  # fmt: skip
EFFECT: Json = {"type": "object", "properties": {
    "people": PEOPLE, "count": COUNT, "object": TEXT, "action": TEXT, "gained": COUNT, "lost": COUNT, "gains": RECORDS,
    "losses": RECORDS,
}}  # fmt: skip
UNCOUNTED: Json = {"type": "object", "properties": {"object": NAME, "why": TEXT, "people": COUNT}}
PREVIEW: Json = {
    "type": "object", "required": ["people", "effects", "more", "uncounted"],
    "properties": {
        "people": COUNT, "effects": {"type": "array", "items": EFFECT}, "more": COUNT,
        "uncounted": {"type": "array", "items": UNCOUNTED},
    },
}  # fmt: skip
WANTED: Json = {
    "type": "object", "required": ["user"], "additionalProperties": False,
    "properties": {
        "user": TEXT, "roles": {"type": "array", "items": TEXT}, "department": NAME, "manager": NAME,
    },
}  # fmt: skip
VIEWER: Json = {"type": "object", "properties": {"id": TEXT, "name": TEXT, "reasons": REASONS, "update": FLAG}}


def access_schemas(ctx: Context) -> Json:
    return SCHEMAS if may_ask(ctx) else {}


def preview_paths(ctx: Context) -> Iterator[tuple[str, Json]]:
    if may_ask(ctx):
        answers = {"200": json_of(PREVIEW, REPLAYED), **WRITTEN}
        yield "/access/preview", {
            "post": does("previewAccess", "What other roles of a person would do", answers, TAG, WANTED, [KEY]),
        }  # fmt: skip


def access_paths(ctx: Context, definition: Object) -> Iterator[tuple[str, Json]]:
    """Of one object and of its records."""
    if not may_ask(ctx):
        return
    name, label = definition.name, say(definition.label, ctx.language)
    actions = {"enum": list(dict.fromkeys((*ACTIONS, *FIELD_ACTIONS)))}
    asked = [
        {"name": "person", "in": "query", "required": True, "description": "The id of a user", "schema": TEXT},
        {"name": "action", "in": "query", "required": False, "schema": actions},
        {"name": "field", "in": "query", "required": False, "schema": TEXT},
    ]
    answers = {"200": json_of(EXPLAINED), **READ}
    yield f"/objects/{quote(name)}/access", {
        "get": does(f"objectAccess.{name}", f"Why a person may do it: {label}", answers, TAG, None, asked),
    }  # fmt: skip
    base = f"/records/{quote(name)}/{{id}}"
    yield f"{base}/access", {
        "parameters": RECORD,
        "get": does(f"access.{name}", f"Why a person may do it to this one: {label}", answers, TAG, None, asked),
    }  # fmt: skip
    seen = {"type": "object", "required": ["people", "after"], "properties": {
        "people": {"type": "array", "items": VIEWER}, "after": NAME,
    }}  # fmt: skip
    after = [{"name": "after", "in": "query", "required": False, "schema": TEXT}]
    yield f"{base}/viewers", {
        "parameters": RECORD,
        "get": does(f"viewers.{name}", f"Who sees it: {label}", {"200": json_of(seen), **READ}, TAG, None, after),
    }  # fmt: skip
