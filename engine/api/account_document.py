"""The operations of accounts (account.py) in the OpenAPI document."""

from typing import Any

from engine.api.openapi_parts import errors, json_of

__all__ = ["account_paths"]

Json = dict[str, Any]


def account_paths(manages: bool) -> Json:
    moment = {"type": ["string", "null"], "format": "date-time"}
    text, flag = {"type": "string"}, {"type": "boolean"}
    names = {"type": "array", "items": text}
    token = {"type": "object", "properties": {
        "id": text, "name": text, "created_at": moment, "expires_at": moment, "used_at": moment, "read_only": flag,
        "objects": names, "automations": names,
    }}  # fmt: skip
    made = {"type": "object", "properties": {**token["properties"], "token": text}}  # type: ignore[dict-item]
    wanted = {"type": "object", "additionalProperties": False, "properties": {
        "name": {"type": "string", "maxLength": 100}, "days": {"type": "integer", "minimum": 1, "maximum": 3650},
        "read_only": flag, "objects": names, "automations": names,
    }}  # fmt: skip
    session = {"type": "object", "properties": {
        "id": text, "agent": text, "address": text, "created_at": moment, "seen_at": moment, "is_current": flag,
    }}  # fmt: skip

    def listed(name: str, one: Json) -> Json:
        return json_of({"type": "object", "properties": {name: {"type": "array", "items": one}}})

    def does(identity: str, summary: str, responses: Json, body: Json | None = None) -> Json:
        found: Json = {"operationId": identity, "summary": summary, "responses": responses, "tags": ["account"]}
        return found | ({"requestBody": {"content": {"application/json": {"schema": body}}}} if body else {})

    key = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": text}]}
    done, wrong = {"204": {"description": "Done"}}, errors(400, 401, 403, 404, 429)
    paths: Json = {
        "/tokens": {
            "get": does("listTokens", "Your tokens", {"200": listed("tokens", token), **errors(400, 401, 403, 429)}),
            "post": does("makeToken", "Make a token, which is told this once", {
                "201": json_of(made), **errors(400, 401, 403, 413, 415, 422, 429),
            }, wanted),
        },
        "/tokens/{id}": {**key, "delete": does("revokeToken", "Revoke a token", {**done, **wrong})},
        "/sessions": {"get": does("listSessions", "Your sessions", {
            "200": listed("sessions", session), **errors(400, 401, 403, 429),
        })},
        "/sessions/{id}": {**key, "delete": does("endSession", "End a session", {**done, **wrong})},
    }  # fmt: skip
    if manages:
        sent = json_of({"type": "object", "properties": {"sent_to": text}})
        paths["/users/{id}/invite"] = {**key, "post": does("invite", "Send a link to choose a password", {
            "200": sent, **errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 502),
        })}  # fmt: skip
        paths["/users/{id}/sessions"] = {**key, "delete": does("endSessions", "End a user's sessions", {
            **done, **wrong,
        })}  # fmt: skip
    return paths
