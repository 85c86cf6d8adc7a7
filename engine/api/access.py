"""Operations that say why somebody may do something, and what a change of rights would do."""

from collections.abc import Iterable
from typing import Any

from engine.access.explain import Explanation
from engine.access.explain_fields import FieldExplanation
from engine.access.inquiry import ask, ask_field, need_right, who_sees
from engine.access.preview_people import preview_person
from engine.access.preview_told import preview_body
from engine.access.reasons import Reason
from engine.api.answers import Answer, json_answer
from engine.api.errors import bad_request
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.errors import BadInput, InputProblem

__all__ = ["OPERATIONS", "field_body", "record_body", "sentences"]

Json = dict[str, Any]


def of_object(call: Call) -> Answer:
    return told(call, call.args[0], "")


def of_record(call: Call) -> Answer:
    return told(call, call.args[0], call.args[1])


def told(call: Call, object_name: str, record_id: str) -> Answer:
    sent = call.values()
    need_right(call.ctx)
    user, field = sent.get("person", ""), sent.get("field", "")
    if not user:
        raise bad_request("query.value", "person is the id of a user", path="person")
    if field:
        action = sent.get("action", "see")
        found = ask_field(call.ctx, user, object_name, record_id, action, field)
        return json_answer({"person": user, "action": action, "field": field, **field_body(found)})
    return json_answer({"person": user, **record_body(ask(call.ctx, user, object_name, record_id,
                                                          sent.get("action", "read")))})  # fmt: skip


def viewers(call: Call) -> Answer:
    found = who_sees(call.ctx, call.args[0], call.args[1], call.values().get("after", ""))
    people = [
        {"id": one.user, "name": one.name, "reasons": sentences(one.reasons), "update": one.may_update}
        for one in found.viewers
    ]
    return json_answer({"people": people, "after": found.after or None})


def preview(call: Call) -> Answer:
    sent = call.json()
    need_right(call.ctx)
    user = sent.pop("user", None)
    if not isinstance(user, str) or not user:
        message = "'user' is the id of a user"
        raise BadInput(message, code="value.type", problems=[InputProblem("user", "value.type", message)])
    return json_answer(preview_body(preview_person(call.ctx, user, sent)))


def record_body(found: Explanation) -> Json:
    return {
        "action": found.action, "allowed": found.is_allowed, "ways": [sentences(way.steps) for way in found.ways],
        "missing": sentences(found.missing), "needs": [record_body(one) for one in found.needs],
    }  # fmt: skip


def field_body(found: FieldExplanation) -> Json:
    return {"allowed": found.is_allowed, "reasons": sentences(found.reasons), "record": record_body(found.record)}


def sentences(reasons: Iterable[Reason]) -> list[Json]:
    return [sentence(one) for one in reasons]


def sentence(one: Reason) -> Json:
    links = [{"kind": link.kind, "id": link.id} for link in one.links]
    return {"code": one.code, "text": one.text, "values": dict(one.values), "links": links}


ASKING = Permission("person", "the system permission manage_rights; the person and the record as for read")
OPERATIONS = (
    Operation("GET", "/objects/{object}/access", ASKING, of_object, ("person", "action", "field")),
    Operation("GET", "/records/{object}/{id}/access", ASKING, of_record, ("person", "action", "field")),
    Operation("GET", "/records/{object}/{id}/viewers", ASKING, viewers, ("after",)),
    Operation("POST", "/access/preview", ASKING, preview),
)
