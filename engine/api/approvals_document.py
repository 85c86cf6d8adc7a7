"""The operations on approvals in the OpenAPI document."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from engine.api.openapi_parts import KEY, LOCATION, REPLAYED, errors, json_of
from engine.api.rights_document import does
from engine.api.view_schemas import schemas_of_views, view
from engine.context import Context
from engine.process.approval.actions import ACTIONS
from engine.process.approval.inbox import BOXES, DUE, SORTS
from engine.process.approval.service import Done
from engine.process.approval.views import Counts, Inbox, InstanceView, TaskView
from metadata.model import say

__all__ = ["TAG", "TEXT", "approval_paths", "approval_schemas"]

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
IDS: Json = {"type": "array", "items": TEXT, "maxItems": 200}
TRUTH: Json = {"type": "boolean"}
CHOSEN: Json = {"type": "object", "additionalProperties": IDS, "description": "Step -> ids of users"}
READ, WRITTEN = errors(400, 401, 403, 404, 429, 503), errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
GROUP = "Approval"
ASKED: Json = {
    "comment": TEXT, "attachments": IDS, "users": IDS, "target": {**TEXT, "description": "A step, or start"},
    "values": {"type": "object"}, "chosen": CHOSEN, "method": {"enum": ["all", "any", "sequence"]},
    "password": {**TEXT, "description": "Where the step is signed"},
}  # fmt: skip
WHOLE: Json = {
    "comment": TEXT, "attachments": IDS, "users": IDS, "target": TEXT, "chosen": CHOSEN, "task": TEXT,
    "decision": {"enum": ["approved", "rejected"]},
    "values": {"type": "object", "description": "resubmit: what is changed of a new record that waits"},
}  # fmt: skip


def approval_paths(ctx: Context) -> Iterator[tuple[str, Json]]:
    """Nothing where the tenant has no approval."""
    approvals = ctx.snapshot.definitions.processes.approvals.values()
    if not approvals:
        return
    for name in dict.fromkeys(one.object for one in approvals):
        if ctx.scope.can("read", name):
            yield from of_object(ctx, name)
    kinds = {
        "box": {"enum": list(BOXES), "default": "todo"}, "object": TEXT, "approval": TEXT, "submitter": TEXT,
        "overdue": TRUTH, "due": {"enum": list(DUE)}, "sort": {"enum": list(SORTS), "default": "newest"}, "text": TEXT,
        "limit": {"type": "integer", "minimum": 1, "maximum": 200}, "cursor": TEXT,
    }  # fmt: skip
    asked = [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in kinds.items()]
    box, counted = view(GROUP, Inbox), view(GROUP, Counts)
    yield "/approvals", {"get": does("listApprovals", "A box of the inbox", found(box), TAG, None, asked)}
    yield "/approvals/counts", {"get": does("countApprovals", "How many are in each box", found(counted), TAG)}
    task, instance = found(view(GROUP, TaskView)), found(view(GROUP, InstanceView))
    yield "/approvals/tasks/{id}", {
        "parameters": [of_path("id")], "get": does("getTask", "A task, as its person sees it", task, TAG),
    }  # fmt: skip
    yield "/approvals/tasks/{id}/{action}", {
        "parameters": [of_path("id"), of_path("action", [one.name for one in ACTIONS.values() if one.on == "task"])],
        "post": does(
            "actOnTask", "Decide, or ask others", done(200), TAG, body(ASKED), [KEY], may_be_empty=True
        ),
    }  # fmt: skip
    several = {"type": "object", "required": ["tasks"], "additionalProperties": False, "properties": {
        "tasks": IDS, "action": {"enum": ["approve", "complete", "reject"], "default": "approve"}, "comment": TEXT,
    }}  # fmt: skip
    decided = {"type": "object", "required": ["task", "status"], "properties": {
        "task": TEXT, "status": {"type": "integer"}, "state": TEXT, "task_state": TEXT, "title": TEXT, "code": TEXT,
        "detail": TEXT, "fix": TEXT, "problems": {"type": "array", "items": {"type": "object"}},
    }}  # fmt: skip
    results = {"type": "object", "required": ["results"], "properties": {
        "results": {"type": "array", "items": decided},
    }}  # fmt: skip
    answers = {"200": json_of(results, REPLAYED), **WRITTEN}
    yield "/approvals/bulk", {"post": does("decideSeveral", "Each by itself", answers, TAG, several, [KEY])}
    yield "/approvals/{id}", {
        "parameters": [of_path("id")],
        "get": does("getApproval", "Its history, what comes next and what one may do", instance, TAG),
    }  # fmt: skip
    yield from agent_paths()
    of_whole = [one.name for one in ACTIONS.values() if one.on == "instance"]
    yield "/approvals/{id}/{action}", {
        "parameters": [of_path("id"), of_path("action", of_whole)],
        "post": does(
            "actOnApproval", "Done to the whole of it", done(200), TAG, body(WHOLE), [KEY], may_be_empty=True
        ),
    }  # fmt: skip


TAG = "approvals"
AGENT: Json = {
    "user": TEXT, "agent": TEXT, "from": {**TEXT, "format": "date-time"}, "to": {**TEXT, "format": "date-time"},
    "approvals": IDS, "objects": IDS, "reason": TEXT,
}  # fmt: skip


def approval_schemas(ctx: Context) -> Json:
    """What the answers are made of."""
    has_any = bool(ctx.snapshot.definitions.processes.approvals)
    return schemas_of_views(GROUP, Inbox, Counts, TaskView, InstanceView, Done) if has_any else {}


def agent_paths() -> Iterator[tuple[str, Json]]:
    told = {
        "type": "object",
        "required": ["id", *AGENT, "is_now"],
        "properties": {"id": TEXT, **AGENT, "is_now": TRUTH},
    }
    listed = {"type": "object", "required": ["agents"], "properties": {"agents": {"type": "array", "items": told}}}
    made = {"201": json_of(told, LOCATION | REPLAYED), **WRITTEN}
    of = [{"name": "of", "in": "query", "required": False, "schema": {"enum": ["mine", "all"], "default": "mine"}}]
    yield "/agents", {
        "get": does("listAgents", "Who stands in for whom", found(listed), TAG, None, of),
        "post": does("appointAgent", "Somebody stands in for a while", made, TAG,
                     {**body(AGENT), "required": ["agent", "from", "to"]}, [KEY]),
    }  # fmt: skip
    yield "/agents/{id}", {
        "parameters": [of_path("id")],
        "delete": does("takeBackAgent", "It ends", {"204": {"description": "Ended"}, **WRITTEN}, TAG),
    }  # fmt: skip


def of_object(ctx: Context, name: str) -> Iterator[tuple[str, Json]]:
    label, base = say(ctx.snapshot.definitions.objects[name].label, ctx.language), f"/records/{quote(name)}/{{id}}"
    record = [{"$ref": "#/components/parameters/id"}]
    wanted = body({"approval": TEXT, "chosen": CHOSEN, "comment": TEXT, "attachments": IDS})
    yield f"{base}/submit", {
        "parameters": record,
        "post": does(
            f"submit.{name}", f"Submit for approval: {label}", done(201), name, wanted, [KEY], may_be_empty=True
        ),
    }  # fmt: skip
    listed = {"type": "object", "properties": {"approvals": {"type": "array", "items": view(GROUP, InstanceView)}}}
    yield f"{base}/approvals", {
        "parameters": record, "get": does(f"approvals.{name}", f"Approvals of it: {label}", found(listed), name),
    }  # fmt: skip


def of_path(name: str, values: list[str] | None = None) -> Json:
    schema: Json = {"enum": values} if values else {**TEXT, "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def body(properties: Json) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def found(schema: Json) -> Json:
    return {"200": json_of(schema), **READ}


def done(status: int) -> Json:
    return {str(status): json_of(view(GROUP, Done), REPLAYED), **WRITTEN}
