"""Operations on approvals: submit a record, boxes, tasks, histories, and what is done to them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson

from engine.api.answers import Answer
from engine.api.errors import bad_request, result_problem
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.api.reading import whole_number
from engine.audit.refusals import Asked
from engine.errors import BadInput, Forbidden, InputProblem
from engine.process.approval.actions import ACTIONS
from engine.process.approval.service import Approvals, Done, Result

__all__ = ["OPERATIONS"]

MOST = 200
TRUTH = {"true": True, "false": False}


def submit(call: Call) -> Answer:
    given = read(call, {"approval": text, "chosen": chosen, "comment": text, "attachments": texts})
    object_name, record_id = call.args
    return shown(Approvals(call.ctx).submit(object_name, record_id, **given), 201)


def list_box(call: Call) -> Answer:
    sent = call.values()
    overdue = sent.get("overdue", "")
    if overdue and overdue not in TRUTH:
        raise bad_request("query.value", f"overdue is true or false, not '{overdue[:40]}'", path="overdue")
    found = Approvals(call.ctx).inbox(
        sent.get("box", "todo"), object_name=sent.get("object", ""), approval=sent.get("approval", ""),  # type: ignore[arg-type]  # it looks
        submitter=sent.get("submitter", ""), due=sent.get("due", ""), sort=sent.get("sort", "newest"),  # type: ignore[arg-type]  # it looks
        overdue=TRUTH.get(overdue), text=sent.get("text", ""), limit=whole_number(sent, "limit", 50, 1, MOST),
        cursor=sent.get("cursor", ""),
    )  # fmt: skip
    return shown(found)


def count_boxes(call: Call) -> Answer:
    return shown(Approvals(call.ctx).counts())


def get_task(call: Call) -> Answer:
    return shown(Approvals(call.ctx).task(call.args[0]))


def act_on_task(call: Call) -> Answer:
    given = read(call, {
        "comment": text, "attachments": texts, "users": texts, "target": text, "values": values, "chosen": chosen,
        "method": text, "password": text,
    })  # fmt: skip
    refuse_idle(call.args[1], given)
    if "password" in given and "idempotency-key" in call.headers:
        message = "what is signed takes no Idempotency-Key: wrong passwords are counted whatever becomes of the request"
        raise bad_request("idempotency.unsupported", message, fix="leave the header out")
    with placed(given):
        return shown(Approvals(call.ctx).act(*call.args, **given))


def decide_several(call: Call) -> Answer:
    given = read(call, {"tasks": texts, "action": text, "comment": text})
    if "tasks" not in given:
        raise wrong("tasks", "value.required", "tasks is a list of ids")
    results = Approvals(call.ctx).bulk(**given)
    refused = next((one.error for one in results if isinstance(one.error, Forbidden)), None)
    if refused is not None:  # the first stands for all of this request
        call.site.refusals.note(call.ctx, refused, Asked(f"POST {call.operation.path}"))
    return shown({"results": [result_body(one) for one in results]})


def get_instance(call: Call) -> Answer:
    return shown(Approvals(call.ctx).instance(call.args[0]))


def act_on_instance(call: Call) -> Answer:
    given = read(call, {
        "comment": text, "attachments": texts, "users": texts, "target": text, "chosen": chosen, "decision": text,
        "task": text, "values": values,
    })  # fmt: skip
    refuse_idle(call.args[1], given)
    with placed(given):
        return shown(Approvals(call.ctx).act_on(*call.args, **given))


def list_of_record(call: Call) -> Answer:
    return shown({"approvals": Approvals(call.ctx).of_record(*call.args)})


@contextmanager
def placed(given: Mapping[str, Any]) -> Iterator[None]:
    """What is wrong with a value that was sent stands at `values.NAME`."""
    try:
        yield
    except BadInput as error:
        sent = given.get("values", {})
        error.problems = tuple(
            replace(one, path=f"values.{one.path}") if one.path.partition(".")[0] in sent else one
            for one in error.problems
        )
        raise


def shown(found: Any, status: int = 200) -> Answer:
    return Answer(status, orjson.dumps(found, option=orjson.OPT_UTC_Z))


def result_body(one: Result) -> dict[str, Any]:
    if one.error is not None:
        return {"task": one.task, **result_problem(one.error)}
    done: Done | None = one.done
    assert done is not None
    return {"task": one.task, "status": 200, "state": done.state, "task_state": done.task_state}


# -- what was sent

Reader = Callable[[str, Any], Any]


def read(call: Call, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The body's keys. Raises BadInput for one that is not known, or not of its kind."""
    sent = call.json()
    for name in sent:
        if name not in readers:
            raise wrong(name, "body.unknown", f"'{name[:60]}' is not known here", f"known are: {', '.join(readers)}")
    return {name: readers[name](name, value) for name, value in sent.items() if value is not None}


def refuse_idle(action: str, given: Mapping[str, Any]) -> None:
    """Raises BadInput for a key that the action would pass over: whoever sent it meant something by it, unless it is
    empty."""
    known = ACTIONS.get(action)
    if known is None:
        return
    takes = dict.fromkeys(("comment", "attachments", *known.asks, *(("task",) if known.on == "instance" else ())))
    for name, value in given.items():
        if name not in takes and value:
            raise wrong(name, "body.unknown", f"'{action}' takes no '{name}'", f"it takes: {', '.join(takes)}")


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(name, "value.type", f"{name} is a text")
    if "\0" in value:
        message = f"{name} has the character U+0000, which cannot be stored"
        raise wrong(name, "value.text.character", message, "leave it out")
    return value


def texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise wrong(name, "value.type", f"{name} is a list of texts")
    return tuple(text(f"{name}.{index}", one) for index, one in enumerate(value))


def values(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(name, "value.type", f"{name} holds values by field")
    return value


def chosen(name: str, value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise wrong(name, "value.type", f"{name} holds lists of ids of users, by step")
    return {step: texts(f"{name}.{step}", users) for step, users in value.items()}


def wrong(path: str, code: str, message: str, fix: str = "") -> BadInput:
    return BadInput(message, code=code, fix=fix, problems=[InputProblem(path, code, message, fix)])


def person(why: str) -> Permission:
    return Permission("person", why)


PART = "taking part in the approval, reading its record, or manage_processes"
BOX = ("box", "object", "approval", "submitter", "overdue", "due", "sort", "text", "limit", "cursor")
OPERATIONS = (
    Operation(
        "POST", "/records/{object}/{id}/submit", person("read of the record, and what the approval says of submitters"),
        submit, body_is_optional=True,
    ),
    Operation("GET", "/records/{object}/{id}/approvals", person(PART), list_of_record),
    Operation("GET", "/approvals", person("own tasks"), list_box, parameters=BOX),
    Operation("GET", "/approvals/counts", person("own tasks"), count_boxes),
    Operation("GET", "/approvals/tasks/{id}", person("taking part in the approval"), get_task),
    Operation(
        "POST", "/approvals/tasks/{id}/{action}", person("the task, or what the action says"), act_on_task,
        body_is_optional=True,
    ),
    Operation("POST", "/approvals/bulk", person("each task"), decide_several),
    Operation("GET", "/approvals/{id}", person(PART), get_instance),
    Operation(
        "POST", "/approvals/{id}/{action}", person("what the action says"), act_on_instance, body_is_optional=True
    ),
)  # fmt: skip
