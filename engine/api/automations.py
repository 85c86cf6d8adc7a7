"""Operations on automations: buttons, calls from outside, rehearsals, and what has run."""

from typing import Any

from engine.api.answers import Answer, json_answer
from engine.api.errors import bad_request, result_problem
from engine.api.operations import Call, Operation
from engine.api.permission import ANYONE, Permission
from engine.api.reading import whole_number
from engine.audit.refusals import Asked
from engine.errors import Forbidden
from engine.process.automation import desk, hooks, rehearsal
from engine.process.automation.runs import Run
from engine.process.workflow_path import paths
from engine.store.types import utc_text

__all__ = ["OPERATIONS"]

STATES = ("waiting", "running", "done", "failed")


def run_button(call: Call) -> Answer:
    object_name, record_id, name = call.args
    refuse_keys(call.json(), ())
    return json_answer(shown(desk.press(call.ctx, object_name, record_id, name)))


def run_many(call: Call) -> Answer:
    """Of the object that the automation is about; each record has its own result."""
    sent, name = call.json(), call.args[0]
    refuse_keys(sent, ("records",))
    records = sent.get("records")
    if not isinstance(records, list) or not all(isinstance(one, str) for one in records):
        raise bad_request("value.type", 'the body is {"records": [ids]}', path="records")
    rule = call.ctx.snapshot.definitions.processes.automations.get(name)
    found = desk.press_many(call.ctx, rule.object if rule is not None else "", records, name)
    refused = next((one.error for one in found if isinstance(one.error, Forbidden)), None)
    if refused is not None:  # the first stands for all of this request
        call.site.refusals.note(call.ctx, refused, Asked(f"POST {call.operation.path}"))
    return json_answer({"results": [pressed(one) for one in found]})


def pressed(one: desk.Pressed) -> dict[str, Any]:
    if one.error is not None:
        return {"record": one.record, **result_problem(one.error)}
    assert one.run is not None
    return {"record": one.record, "status": 200, "run": shown(one.run)}


def list_buttons(call: Call) -> Answer:
    object_name, record_id = call.args
    call.records.get(object_name, record_id, ("id",))  # of one that is hidden nothing is said
    found = desk.buttons(call.ctx, object_name, record_id)
    return json_answer({"buttons": [{"automation": one.name, "label": one.label} for one in found]})


def take_call(call: Call) -> Answer:
    run, is_new = hooks.call(call.ctx, call.args[0], call.json(), call.headers.get("x-delivery", ""))
    return json_answer({"run": run, "is_new": is_new}, 202 if is_new else 200)


def take_signed_call(call: Call) -> Answer:
    run, is_new = hooks.call_signed(
        call.ctx, call.args[0], call.headers, call.body, call.json,
        lambda user: call.site.pace.count(user, call.ctx.now),
    )  # fmt: skip
    return json_answer({"run": run, "is_new": is_new}, 202 if is_new else 200)


def set_secret(call: Call) -> Answer:
    sent = call.json()
    refuse_keys(sent, ("secret", "former_hours"))
    if not isinstance(sent.get("secret", ""), str):
        raise bad_request("value.type", 'the body is {"secret": "…"}, or {}', path="secret")
    hours = sent.get("former_hours", 0)
    if isinstance(hours, bool) or not isinstance(hours, int):
        raise bad_request("value.type", "former_hours is a whole number", path="former_hours")
    made = hooks.set_secret(call.ctx, call.args[0], sent.get("secret", ""), hours)
    return json_answer({"secret": made or None}, headers=((b"cache-control", b"no-store"),))


def list_runs(call: Call) -> Answer:
    sent = call.values()
    if (state := sent.get("state", "")) and state not in STATES:
        raise bad_request("query.value", f"state is one of {', '.join(STATES)}", path="state")
    found = desk.list_runs(
        call.ctx, automation=sent.get("automation", ""), state=state, record=sent.get("record", ""),
        before=sent.get("cursor", ""), limit=whole_number(sent, "limit", 50, 1, desk.MOST),
    )  # fmt: skip
    return json_answer({"runs": [shown(one) for one in found.runs], "next": found.next or None})


def get_run(call: Call) -> Answer:
    return json_answer(shown(desk.get_run(call.ctx, call.args[0])))


def replay(call: Call) -> Answer:
    sent = call.json()
    refuse_keys(sent, ("again",))
    return json_answer(shown(desk.replay(call.ctx, call.args[0], again=sent.get("again") is True)), 202)


def rehearse(call: Call) -> Answer:
    sent = call.json()
    refuse_keys(sent, ("record", "body"))
    found = rehearsal.rehearse(call.ctx, call.args[0], str(sent.get("record") or ""), sent.get("body"))
    return json_answer(found.told)


def show_path(call: Call) -> Answer:
    object_name, record_id = call.args
    path = paths(call.ctx, object_name, record_id)
    if path is None:
        return json_answer({"workflow": None, "field": None, "states": [], "moves": []})
    return json_answer({
        "workflow": path.workflow, "field": path.field,
        "states": [
            {"state": one.value, "label": one.label, "is": one.is_now, "guidance": one.guidance or None,
             "final": one.is_final, "won": one.is_won}
            for one in path.stages
        ],
        "moves": [
            {"to": one.target, "label": one.label, "transition": one.transition or None, "open": one.is_open,
             "missing": list(one.missing), "problems": [problem.message for problem in one.problems]}
            for one in path.moves
        ],
    })  # fmt: skip


def refuse_keys(sent: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in sent:
        if key not in known:
            raise bad_request("body.key", f"the body has no key '{key[:40]}'", path=key[:40])


def shown(run: Run) -> dict[str, Any]:
    return {
        "id": run.id, "automation": run.automation, "version": run.version, "object": run.object or None,
        "record": run.record or None, "cause": run.cause, "by": run.by or None, "state": run.state, "step": run.step,
        "tries": run.tries, "inputs": run.inputs, "outputs": run.outputs, "error": run.error or None,
        "created_at": utc_text(run.created_at), "started_at": moment(run.started_at), "ended_at": moment(run.ended_at),
        "due_at": moment(run.due_at),
    }  # fmt: skip


def moment(value: Any) -> str | None:
    return utc_text(value) if value is not None else None


def person(why: str) -> Permission:
    return Permission("person", why)


OPERATIONS = (
    Operation("GET", "/records/{object}/{id}/path", person("read of the record"), show_path),
    Operation("GET", "/records/{object}/{id}/run", person("read of the record, and the button's roles"), list_buttons),
    Operation(
        "POST", "/records/{object}/{id}/run/{automation}", person("the button's roles, else update of the record"),
        run_button, body_is_optional=True,
    ),
    Operation(
        "POST", "/automations/{automation}/run", person("the button's roles, else update of each record"), run_many
    ),
    Operation("POST", "/hooks/{automation}", person("what the automation's steps ask of whom it runs as"), take_call),
    Operation(
        "POST", "/hooks/{automation}/signed", Permission(ANYONE, "the signature is the proof"), take_signed_call,
        takes_key=False,
    ),
    Operation(
        "POST", "/automations/{automation}/secret", person("manage_processes"), set_secret, body_is_optional=True,
        takes_key=False,
    ),
    Operation(
        "GET", "/automations/runs", person("manage_processes"), list_runs,
        ("automation", "state", "record", "limit", "cursor"),
    ),
    Operation("GET", "/automations/runs/{id}", person("manage_processes"), get_run),
    Operation(
        "POST", "/automations/runs/{id}/replay", person("manage_processes"), replay, body_is_optional=True
    ),
    Operation(
        "POST", "/automations/{automation}/rehearse", person("manage_processes"), rehearse, body_is_optional=True,
        takes_key=False,
    ),
)  # fmt: skip
