"""Operations on people that are more than their records."""

from typing import Any

from engine.api.answers import Answer, json_answer
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.errors import BadInput, InputProblem
from engine.people.handover import Report, hand_over

__all__ = ["OPERATIONS", "told"]

TAKES = {"to": str, "objects": list, "dry_run": bool, "deactivate": bool}
TYPES = {"to": "the id of a user", "objects": "a list of names", "dry_run": "true or false",
         "deactivate": "true or false"}  # fmt: skip


def hand_over_all(call: Call) -> Answer:
    sent = call.json()
    problems = [
        InputProblem(key[:60], "handover.key", f"a handover has no '{key[:60]}'", f"write one of {', '.join(TAKES)}")
        for key in sent.keys() - TAKES.keys()
    ]
    problems += [
        InputProblem(key, "value.type", f"'{key}' is {TYPES[key]}")
        for key, value in sent.items()
        if key in TAKES and type(value) is not TAKES[key]
    ]
    if "to" not in sent:
        problems.append(InputProblem("to", "value.required", "'to' must have a value", "write the id of a user"))
    if not problems and any(not isinstance(one, str) for one in sent.get("objects") or ()):
        problems.append(InputProblem("objects", "value.type", f"'objects' is {TYPES['objects']}"))
    if problems:
        raise BadInput(problems[0].message, code=problems[0].code, fix=problems[0].fix, problems=problems)
    is_dry_run = sent.get("dry_run", False)
    report = hand_over(
        call.ctx, call.args[0], sent["to"], objects=sent.get("objects"), is_dry_run=is_dry_run,
        deactivates=sent.get("deactivate", False),
    )  # fmt: skip
    return json_answer({"dry_run": is_dry_run, **told(report)})


def told(report: Report) -> dict[str, Any]:
    return {
        "count": report.count,
        "moved": [
            {
                "kind": one.kind, "object": one.object, "field": one.field, "count": one.count,
                "examples": [{"id": record, "title": title} for record, title in one.examples],
            }
            for one in report.moved
        ],
        "left": [
            {"kind": one.kind, "object": one.object, "field": one.field, "count": one.count, "code": one.code,
             "message": one.message}
            for one in report.left
        ],
    }  # fmt: skip


HANDOVER = Permission("person", "update of the user and of all records of what is handed over; all rights of the user")
OPERATIONS = (Operation("POST", "/users/{id}/handover", HANDOVER, hand_over_all),)
