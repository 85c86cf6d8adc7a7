"""Operations for those who look after processes: an approval is rehearsed, and how approvals went."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import orjson

from engine.api.answers import Answer
from engine.api.approvals_document import TAG, TEXT
from engine.api.errors import bad_request
from engine.api.openapi_parts import errors, json_of
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.api.rights_document import does
from engine.context import Context
from engine.errors import BadInput, Forbidden, InputProblem
from engine.process.approval.people import is_admin
from engine.process.approval.rehearsal import DECISIONS, Rehearsal, rehearse
from engine.process.approval.statistics import ApprovalFigures, statistics_of

__all__ = ["OPERATIONS", "figures_body", "rehearsal_body", "tool_paths"]

Json = dict[str, Any]
KEYS = ("object", "id", "approval", "as", "decide", "chosen")


def try_out(call: Call) -> Answer:
    need_right(call.ctx)
    sent = call.json()
    problems = [InputProblem(name, "value.unknown", f"'{name}' is not known here", f"one of {', '.join(KEYS)}")
                for name in sent if name not in KEYS]  # fmt: skip
    problems += [InputProblem(name, "value.type", f"'{name}' is a text") for name in ("object", "id", "approval", "as")
                 if not isinstance(sent.get(name, ""), str)]  # fmt: skip
    problems += [InputProblem(name, "value.required", f"'{name}' is missing") for name in ("object", "id")
                 if not sent.get(name)]  # fmt: skip
    decide, chosen = sent.get("decide") or {}, sent.get("chosen") or {}
    if not isinstance(decide, dict) or not all(isinstance(how, str) for how in decide.values()):
        problems.append(InputProblem("decide", "value.type", "'decide' is a map: node -> approve, reject or return"))
    if not isinstance(chosen, dict) or not all(is_list_of_texts(users) for users in chosen.values()):
        problems.append(InputProblem("chosen", "value.type", "'chosen' is a map: node -> a list of ids of users"))
    if problems:
        raise BadInput(problems[0].message, code=problems[0].code, problems=problems)
    found = rehearse(
        call.ctx, sent["object"], sent["id"], sent.get("approval", ""), submitter=sent.get("as", ""), decide=decide,
        chosen=chosen,
    )  # fmt: skip
    return Answer(200, dumped(rehearsal_body(found)))


def is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def tell(call: Call) -> Answer:
    need_right(call.ctx)
    sent = call.values()
    found = statistics_of(call.ctx, sent.get("approval", ""), moment_of(sent.get("since", "")))
    return Answer(200, dumped({"approvals": [figures_body(one) for one in found]}))


def moment_of(text: str) -> datetime | None:
    """A date, or a moment with its zone."""
    if not text:
        return None
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError("no zone")
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"since is a date or a moment, not '{text[:40]}'"
        raise bad_request("query.value", message, fix="write 2026-11-01", path="since") from error


def need_right(ctx: Context) -> None:
    if not is_admin(ctx):
        raise Forbidden("this needs the system permission manage_processes", code="processes.manage")


def dumped(body: Mapping[str, Any]) -> bytes:
    return orjson.dumps(body, default=str, option=orjson.OPT_UTC_Z)


def rehearsal_body(found: Rehearsal) -> Json:
    return {
        "approval": found.approval, "outcome": found.outcome, "reason": found.reason or None,
        "steps": [
            {
                "approval": one.approval, "node": one.node, "type": one.type, "label": dict(one.label),
                "state": one.state.lower(), "reason": one.reason or None,
                "asked": [
                    {"user": who.user or None, "name": who.name or None, "queue": list(who.queue),
                     "source": who.source or None, "instead_of": who.instead_of or None, "skipped": who.skipped or None}
                    for who in one.asked
                ],
                "decision": one.decision or None, "decided_by": list(one.decided_by), "branches": list(one.branches),
                "read": dict(one.read), "due": one.due, "until": one.until or None, "problem": one.problem or None,
            }
            for one in found.visits
        ],
        "changes": [
            {"object": one.object, "id": one.record, "action": one.action,
             "fields": {name: {"before": pair[0], "after": pair[1]} for name, pair in one.fields.items()}}
            for one in found.changes
        ],
        "sent": [{"kind": one.kind, "payload": dict(one.payload)} for one in found.sent],
        "notifications": [
            {"user": one.user, "name": one.name or None, "kind": one.kind, "template": one.template or None}
            for one in found.notices
        ],
    }  # fmt: skip


def figures_body(found: ApprovalFigures) -> Json:
    def duration(one: Any) -> Json:
        return {"median_s": one.median_s, "p90_s": one.p90_s}

    compression = found.compression
    return {
        "approval": found.approval, "count": found.count, "limited": found.is_limited,
        "states": {state.lower(): count for state, count in found.states.items()},
        "duration": duration(found.duration), "returned": found.returned, "rejected": found.rejected,
        "overdue": found.overdue, "rounds": found.rounds, "most_rounds": found.most_rounds,
        "compression": {
            "defined": compression.defined, "skipped": compression.skipped, "single": compression.single,
            "rate": compression.rate,
        },
        "nodes": [
            {
                "node": one.node, "entered": one.entered,
                "states": {state.lower(): count for state, count in one.states.items()},
                "duration": duration(one.duration), "returned": one.returned, "rejected": one.rejected,
                "overdue": one.overdue,
            }
            for one in found.nodes
        ],
    }  # fmt: skip


def tool_paths() -> Json:
    """In the OpenAPI document."""
    refusals = errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
    texts = {"type": "object", "additionalProperties": {"type": "array", "items": TEXT}}
    body = {"type": "object", "required": ["object", "id"], "additionalProperties": False, "properties": {
        "object": TEXT, "id": TEXT, "approval": TEXT, "as": {**TEXT, "description": "The id of who submits it"},
        "decide": {"type": "object", "additionalProperties": {"enum": list(DECISIONS)}}, "chosen": texts,
    }}  # fmt: skip
    rehearsed = {"type": "object", "required": ["approval", "outcome", "steps", "changes", "sent", "notifications"]}
    told = {"type": "object", "required": ["approvals"]}
    asked = [{"name": name, "in": "query", "required": False, "schema": TEXT} for name in ("approval", "since")]
    return {
        "/approvals/rehearse": {"post": does(
            "rehearseApproval", "Try an approval on a record; nothing is kept",
            {"200": json_of(rehearsed), **refusals}, TAG, body,
        )},
        "/approvals/statistics": {"get": does(
            "approvalStatistics", "How approvals went", {"200": json_of(told), **errors(400, 401, 403, 404, 429, 503)},
            TAG, None, asked,
        )},
    }  # fmt: skip


MANAGE = Permission("person", "the system permission manage_processes")
OPERATIONS = (
    Operation("POST", "/approvals/rehearse", MANAGE, try_out, takes_key=False),  # what is rolled back has no key
    Operation("GET", "/approvals/statistics", MANAGE, tell, ("approval", "since")),
)
