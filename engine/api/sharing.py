"""Operations on who has a record, and on values that are masked."""

from typing import Any

from engine.api.answers import Answer, json_answer
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.errors import BadInput, InputProblem
from engine.service import Records, Share

__all__ = ["OPERATIONS"]


def list_shares(call: Call) -> Answer:
    object_name, record_id = call.args
    return json_answer({"shares": [shown(one) for one in Records(call.ctx).shares(object_name, record_id)]})


def share_record(call: Call) -> Answer:
    object_name, record_id = call.args
    return json_answer(shown(Records(call.ctx).share(object_name, record_id, call.json())), 201)


def unshare_record(call: Call) -> Answer:
    object_name, record_id, share = call.args
    Records(call.ctx).unshare(object_name, record_id, share)
    return Answer(204)


def unmask_field(call: Call) -> Answer:
    object_name, record_id = call.args
    sent = call.json()
    name = sent.get("field")
    if sent.keys() != {"field"} or not isinstance(name, str):
        message = "the body holds one key, field: the name of a field"
        raise BadInput(message, code="unmask.field", problems=[InputProblem("field", "unmask.field", message)])
    return json_answer({"field": name, "value": Records(call.ctx).unmask(object_name, record_id, name)})


def shown(one: Share) -> dict[str, Any]:
    return {
        "id": one.id, "kind": one.kind, "to": one.to, "access": one.access, "expires_at": one.expires_at,
        "reason": one.reason, "at": one.at, "by": one.by or None,
    }  # fmt: skip


def person(why: str) -> Permission:
    return Permission("person", why)


OPERATIONS = (
    Operation("GET", "/records/{object}/{id}/shares", person("share and update of the record"), list_shares),
    Operation("POST", "/records/{object}/{id}/shares", person("share and update of the record"), share_record),
    Operation(
        "DELETE", "/records/{object}/{id}/shares/{share}", person("share and update of the record"), unshare_record
    ),
    Operation(
        "POST", "/records/{object}/{id}/unmask", person("unmask, and read of the record"), unmask_field, takes_key=False
    ),
)
