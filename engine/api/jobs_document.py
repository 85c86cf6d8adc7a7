"""The operations of notifications and of jobs in the OpenAPI document."""

from typing import Any

from engine.api.openapi_parts import KEY, errors, json_of
from engine.jobs.admin import STATES
from engine.process.preferences import MAILED

__all__ = ["job_paths", "notification_paths"]

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
NAME: Json = {"type": ["string", "null"]}
MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
COUNT: Json = {"type": "integer"}
ID: Json = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}]}
READ, ASKED = errors(400, 401, 403, 404, 429, 503), errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
DONE: Json = {"204": {"description": "Done"}}
NOTICE: Json = {"type": "object", "properties": {
    "id": TEXT, "kind": TEXT, "object": NAME, "record": NAME, "link": NAME, "subject": TEXT, "body": TEXT,
    "created_at": MOMENT, "read_at": MOMENT,
}}  # fmt: skip
JOB: Json = {"type": "object", "properties": {
    "id": TEXT, "kind": TEXT, "key": NAME, "state": {"enum": list(STATES)}, "due_at": MOMENT, "tries": COUNT,
    "error": NAME, "created_at": MOMENT, "by": NAME, "done_at": MOMENT,
}}  # fmt: skip
LIMIT: list[Json] = [
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
    {"name": "cursor", "in": "query", "schema": TEXT},
]


def notification_paths() -> Json:
    wanted = {kind: {"type": "boolean"} for kind in MAILED}
    kinds = {"type": "object", "properties": wanted, "additionalProperties": False}
    mail = {"type": "object", "required": ["mail"], "properties": {"mail": kinds}}
    state = {"type": "object", "properties": {
        "unread": COUNT, "newest": NAME, "todo": COUNT, "overdue": COUNT,
    }}  # fmt: skip
    unread = {"name": "unread", "in": "query", "schema": {"type": "boolean"}}
    upto = {"type": "object", "properties": {"upto": TEXT}, "additionalProperties": False}
    same = {"304": {"description": "Unchanged"}}
    return {
        "/notifications": {"get": does("listNotifications", "Your notifications, newest first", {
            "200": json_of(listed("notifications", NOTICE, unread=COUNT)), **READ,
        }, parameters=[unread, *LIMIT])},
        "/notifications/state": {"get": does("notificationState", "How many are unread and wait, and the newest", {
            "200": json_of(state), **same, **READ,
        })},
        "/notifications/preferences": {
            "get": does("getPreferences", "With which notifications you get a mail", {"200": json_of(mail), **READ}),
            "patch": does("changePreferences", "Say so", {"200": json_of(mail), **ASKED}, body=mail),
        },
        "/notifications/read-all": {"post": does("readAllNotifications", "All of them were read", {
            "200": json_of({"type": "object", "properties": {"read": COUNT}}), **ASKED,
        }, body=upto, parameters=[KEY], may_be_empty=True)},
        "/notifications/{id}/read": {**ID, "post": does("readNotification", "It was read", {**DONE, **ASKED},
                                                        parameters=[KEY])},
    }  # fmt: skip


def job_paths() -> Json:
    """For who has manage_processes."""
    asked = [{"name": "state", "in": "query", "schema": {"enum": list(STATES)}},
             {"name": "kind", "in": "query", "schema": TEXT}, *LIMIT]  # fmt: skip
    return {
        "/jobs": {"get": does("listJobs", "Jobs, newest first", {"200": json_of(listed("jobs", JOB)), **READ},
                              parameters=asked, tag="jobs")},
        "/jobs/{id}/replay": {**ID, "post": does("replayJob", "Do a job again", {**DONE, **ASKED}, parameters=[KEY],
                                                 tag="jobs")},
        "/jobs/{id}/discard": {**ID, "post": does("discardJob", "Give a job up", {**DONE, **ASKED}, parameters=[KEY],
                                                  tag="jobs")},
    }  # fmt: skip


def listed(name: str, one: Json, **more: Json) -> Json:
    return {"type": "object", "properties": {name: {"type": "array", "items": one}, "next": NAME, **more}}


def does(
    identity: str, summary: str, responses: Json, *, body: Json | None = None, parameters: list[Json] | None = None,
    tag: str = "notifications", may_be_empty: bool = False,
) -> Json:  # fmt: skip
    made: Json = {"operationId": identity, "summary": summary, "responses": responses, "tags": [tag]}
    if parameters:
        made["parameters"] = parameters
    if body:
        made["requestBody"] = {"required": not may_be_empty, "content": {"application/json": {"schema": body}}}
    return made
