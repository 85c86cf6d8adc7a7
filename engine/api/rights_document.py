"""The operations on shares, masks, the audit log and personal data in the OpenAPI document, for who may use them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from engine.api.openapi_parts import KEY, REPLAYED, errors, json_of
from engine.audit.search import may_view_audit
from engine.context import Context
from engine.privacy.subject import may_handle_privacy, subjects
from engine.service_shares import ACCESSES, KINDS, REASON_MOST
from metadata.model import Object, say

__all__ = ["READ", "RECORD", "TEXT", "WRITTEN", "does", "rights_paths", "share_paths"]

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
NAME: Json = {"type": ["string", "null"]}
RECORD: list[Json] = [{"$ref": "#/components/parameters/id"}]
READ, WRITTEN = errors(400, 401, 403, 404, 429, 503), errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
SHARE: Json = {"type": "object", "properties": {
    "id": TEXT, "kind": {"enum": list(KINDS)}, "to": TEXT, "access": {"enum": list(ACCESSES)}, "expires_at": MOMENT,
    "reason": TEXT, "at": MOMENT, "by": NAME,
}}  # fmt: skip
WANTED: Json = {
    "type": "object", "required": ["kind", "to"], "additionalProperties": False,
    "properties": {
        "kind": {"enum": list(KINDS)}, "to": {**TEXT, "description": "An id, or the name of a role"},
        "access": {"enum": list(ACCESSES), "default": "read"}, "expires_at": MOMENT,
        "reason": {"type": ["string", "null"], "maxLength": REASON_MOST},
    },
}  # fmt: skip
PERSON: Json = {"type": ["object", "null"], "properties": {"id": TEXT, "name": TEXT}}
ENTRY: Json = {"type": "object", "properties": {
    "id": TEXT, "at": MOMENT, "kind": TEXT, "by": PERSON, "on_behalf_of": PERSON, "channel": NAME, "address": NAME,
    "request": NAME, "object": NAME, "record": NAME, "title": NAME, "details": {"type": "object"},
}}  # fmt: skip


def share_paths(ctx: Context, definition: Object) -> Iterator[tuple[str, Json]]:
    """Of one object: its records' shares, and their masked values."""
    name, can = definition.name, ctx.scope.can
    label, base = say(definition.label, ctx.language), f"/records/{quote(definition.name)}/{{id}}"
    if can("share", name) and can("update", name):
        listed = {"type": "object", "properties": {"shares": {"type": "array", "items": SHARE}}}
        yield f"{base}/shares", {
            "parameters": RECORD,
            "get": does(f"shares.{name}", f"With whom it is shared: {label}", {"200": json_of(listed), **READ}, name),
            "post": does(
                f"share.{name}", f"Share: {label}", {"201": json_of(SHARE, REPLAYED), **WRITTEN}, name, WANTED, [KEY]
            ),
        }  # fmt: skip
        key = {"name": "share", "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
        done = {"204": {"description": "Ended"}, **READ}
        yield f"{base}/shares/{{share}}", {
            "parameters": [*RECORD, key], "delete": does(f"unshare.{name}", f"End a share: {label}", done, name),
        }  # fmt: skip
    masked = [field.name for field in ctx.scope.readable(name).values() if field.is_masked]
    if masked and (ctx.scope.has("unmask") or can("unmask", name)):
        shown = {"type": "object", "properties": {"field": TEXT, "value": {}}}
        wanted = {
            "type": "object", "required": ["field"], "additionalProperties": False,
            "properties": {"field": {"enum": masked}},
        }  # fmt: skip
        answers = {"200": json_of(shown), **WRITTEN}
        yield f"{base}/unmask", {
            "parameters": RECORD, "post": does(f"unmask.{name}", f"A masked value: {label}", answers, name, wanted),
        }  # fmt: skip


def rights_paths(ctx: Context) -> Iterator[tuple[str, Json]]:
    """Of the tenant: the audit log, and what is kept of people."""
    if may_view_audit(ctx):
        entries = {"type": "object", "properties": {"entries": {"type": "array", "items": ENTRY}, "next": NAME}}
        asked = [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in (
                ("kind", TEXT), ("by", TEXT), ("object", TEXT), ("record", TEXT), ("since", TEXT), ("until", TEXT),
                ("limit", {"type": "integer", "minimum": 1, "maximum": 200}), ("cursor", TEXT),
            )
        ]  # fmt: skip
        found = {"200": json_of(entries), **READ}
        yield "/audit", {"get": does("listAudit", "The audit log, newest first", found, "audit", None, asked)}
    if not may_handle_privacy(ctx):
        return
    for name in subjects(ctx.snapshot):
        label = say(ctx.snapshot.definitions.objects[name].label, ctx.language)
        base = f"/privacy/{quote(name)}/{{id}}"
        content = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
        exported = {"200": {"description": "A zip file", "content": content}, **WRITTEN}
        yield f"{base}/export", {
            "parameters": RECORD,
            "post": does(f"exportPerson.{name}", f"All that is kept: {label}", exported, "privacy"),
        }  # fmt: skip
        erased = {"type": "object", "properties": {
            "records": {"type": "integer"}, "fields": {"type": "object"}, "kept": {"type": "array", "items": TEXT},
            "comments": {"type": "integer"},
        }}  # fmt: skip
        confirm = {
            "type": "object", "required": ["confirm"], "additionalProperties": False,
            "properties": {"confirm": {**TEXT, "description": "The id of the record once more"}},
        }  # fmt: skip
        answers = {"200": json_of(erased, REPLAYED), **WRITTEN}
        yield f"{base}/erase", {
            "parameters": RECORD,
            "post": does(f"erasePerson.{name}", f"Erase what is personal: {label}", answers, "privacy", confirm, [KEY]),
        }  # fmt: skip


def does(
    identity: str, summary: str, responses: Json, tag: str, body: Json | None = None,
    parameters: list[Json] | None = None, *, may_be_empty: bool = False,
) -> Json:  # fmt: skip
    made: Json = {"operationId": identity, "summary": summary, "responses": responses, "tags": [tag]}
    if body is not None:
        made["requestBody"] = {"required": not may_be_empty, "content": {"application/json": {"schema": body}}}
    return made | ({"parameters": parameters} if parameters else {})
