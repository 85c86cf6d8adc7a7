"""Jobs, for those who look after them."""

from typing import Any

from engine.api.account import at
from engine.api.answers import Answer, json_answer
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.api.reading import whole_number
from engine.jobs import admin

__all__ = ["OPERATIONS"]

MAX_LIMIT = 200


def list_jobs(call: Call) -> Answer:
    sent = call.values()
    found, following = admin.list_jobs(
        call.ctx, state=sent.get("state", ""), kind=sent.get("kind", ""),
        limit=whole_number(sent, "limit", 50, 1, MAX_LIMIT), cursor=sent.get("cursor", ""),
    )  # fmt: skip
    return json_answer({"jobs": [body_of(one) for one in found], "next": following or None})


def body_of(job: admin.JobSeen) -> dict[str, Any]:
    return {
        "id": job.id, "kind": job.kind, "key": job.key or None, "state": job.state, "due_at": at(job.due_at),
        "tries": job.tries, "error": job.error or None, "created_at": at(job.created_at), "by": job.by or None,
        "done_at": at(job.done_at),
    }  # fmt: skip


def replay(call: Call) -> Answer:
    admin.replay(call.ctx, call.args[0])
    return Answer(204)


def discard(call: Call) -> Answer:
    admin.discard(call.ctx, call.args[0])
    return Answer(204)


MANAGE = Permission("person", "the system permission manage_processes")
OPERATIONS = (
    Operation("GET", "/jobs", MANAGE, list_jobs, ("state", "kind", "limit", "cursor")),
    Operation("POST", "/jobs/{id}/replay", MANAGE, replay, body_is_optional=True),
    Operation("POST", "/jobs/{id}/discard", MANAGE, discard, body_is_optional=True),
)
