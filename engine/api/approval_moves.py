"""The operation that moves running approvals onto the version that runs, rehearsed unless one says otherwise."""

from typing import Any, get_args

from engine.api.answers import Answer, json_answer
from engine.api.approvals_document import TAG, TEXT
from engine.api.openapi_parts import errors, json_of
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.api.rights_document import does
from engine.errors import BadInput, Forbidden, InputProblem
from engine.process.approval.moving import How, Moved
from engine.process.approval.people import is_admin
from engine.process.approval.service import Approvals

__all__ = ["OPERATIONS", "move_paths", "moved_body"]

Json = dict[str, Any]
HOWS: tuple[str, ...] = get_args(How)
KEYS = {"approval": str, "how": str, "mapping": dict, "reason": str, "rehearse": bool}


def move(call: Call) -> Answer:
    if not is_admin(call.ctx):
        raise Forbidden("this needs the system permission manage_processes", code="processes.manage")
    sent = call.json()
    problems = [InputProblem(name, "value.unknown", f"'{name}' is not known here", f"one of {', '.join(KEYS)}")
                for name in sent if name not in KEYS]  # fmt: skip
    problems += [InputProblem(name, "value.type", f"'{name}' is of another type", f"a {kind.__name__}")
                 for name, kind in KEYS.items() if name in sent and not isinstance(sent[name], kind)]  # fmt: skip
    problems += [InputProblem(name, "value.required", f"'{name}' is missing")
                 for name in ("approval", "how") if not sent.get(name)]  # fmt: skip
    if not problems and sent["how"] not in HOWS:
        problems.append(InputProblem("how", "value.unknown", "'how' is unknown", f"one of {', '.join(HOWS)}"))
    mapping = sent.get("mapping", {})
    if isinstance(mapping, dict) and not all(isinstance(one, str) for one in mapping.values()):
        problems.append(InputProblem("mapping", "value.type", "'mapping' is a map: old node -> new node"))
    if problems:
        raise BadInput(problems[0].message, code=problems[0].code, problems=problems)
    approvals = Approvals(call.ctx)
    rehearses = sent.get("rehearse", True)
    found = approvals.move(
        approvals.running_before(sent["approval"]), sent["how"], sent.get("mapping") or {},
        reason=sent.get("reason", "") or ("rehearsal" if rehearses else ""), rehearse=rehearses,
    )  # fmt: skip
    return json_answer({"rehearsed": rehearses, "instances": [moved_body(one) for one in found]})


def moved_body(one: Moved) -> Json:
    return {
        "id": one.instance, "record": one.record, "version": one.version, "how": one.how, "code": one.code or None,
        "reason": one.reason or None, "submitted": one.submitted or None,
    }  # fmt: skip


def move_paths() -> Json:
    """In the OpenAPI document."""
    body = {"type": "object", "required": ["approval", "how"], "additionalProperties": False, "properties": {
        "approval": TEXT, "how": {"enum": list(HOWS)}, "mapping": {"type": "object", "additionalProperties": TEXT},
        "reason": TEXT, "rehearse": {"type": "boolean", "default": True},
    }}  # fmt: skip
    told = {"type": "object", "required": ["rehearsed", "instances"]}
    return {"/approvals/move": {"post": does(
        "moveApprovals", "Move running approvals onto the version that runs",
        {"200": json_of(told), **errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)}, TAG, body,
    )}}  # fmt: skip


OPERATIONS = (
    Operation(
        "POST", "/approvals/move", Permission("person", "the system permission manage_processes"), move, takes_key=False
    ),
)
