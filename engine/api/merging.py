"""Operations on records that may be the same thing: which there are, make one of them, and take that back."""

from collections.abc import Iterator
from typing import Any

from engine.api.answers import Answer, etag, json_answer
from engine.api.errors import bad_request
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.errors import BadInput, InputProblem
from engine.service import Merged, Records

__all__ = ["OPERATIONS"]

TAKES = ("others", "values", "if_versions")


def list_duplicates(call: Call) -> Answer:
    object_name, record_id = call.args
    found = Records(call.ctx).duplicates(object_name, record_id)
    candidates = [
        {"object": object_name, "id": one.id, "title": one.title, "rule": one.rule, "score": one.score} for one in found
    ]
    return json_answer({"candidates": candidates})


def merge_records(call: Call) -> Answer:
    sent = call.json()
    problems = list(wrong(sent))
    if problems:
        raise BadInput(problems[0].message, code=problems[0].code, fix=problems[0].fix, problems=problems)
    object_name, master = call.args
    merged = Records(call.ctx).merge(
        object_name, master, sent["others"], sent.get("values", {}), sent.get("if_versions", {})
    )
    return written(merged, "_merge")


def unmerge_records(call: Call) -> Answer:
    if call.body and call.json():
        raise bad_request("body.unexpected", "taking a merge back takes no values", fix="send an empty body")
    object_name, master = call.args
    return written(Records(call.ctx).unmerge(object_name, master), "_unmerge")


def wrong(sent: dict[str, Any]) -> Iterator[InputProblem]:
    for key in sent.keys() - set(TAKES):
        yield InputProblem(key[:60], "merge.key", f"a merge has no '{key[:60]}'", f"write one of {', '.join(TAKES)}")
    others, values, versions = sent.get("others"), sent.get("values", {}), sent.get("if_versions", {})
    if not isinstance(others, list) or not all(isinstance(one, str) for one in others):
        yield InputProblem("others", "value.type", "others is a list of ids")
    if not isinstance(values, dict) or not all(isinstance(one, str) for one in values.values()):
        message = "values is an object: field -> the id of the record whose value is taken"
        yield InputProblem("values", "value.type", message)
    if not isinstance(versions, dict) or not all(type(one) is int for one in versions.values()):
        yield InputProblem("if_versions", "value.type", "if_versions is an object: id -> version")


def written(merged: Merged, key: str) -> Answer:
    """The record that was kept, and under `key` what else was done, as far as the person may see it."""
    told: dict[str, Any] = {
        "others": list(merged.others),
        "moved": [{"object": name, "field": field, "count": n} for (name, field), n in merged.moved.items()],
    }
    if key == "_unmerge":
        told["kept"] = [{"object": one.object, "id": one.id, "field": one.field} for one in merged.kept]
    return json_answer({**merged.record, key: told}, headers=etag(merged.record))


def person(why: str) -> Permission:
    return Permission("person", why)


MERGE = person("update of the record, delete of the others")
OPERATIONS = (
    Operation("GET", "/duplicates/{object}/{id}", person("read"), list_duplicates),
    Operation("POST", "/records/{object}/{id}/merge", MERGE, merge_records),
    Operation("POST", "/records/{object}/{id}/unmerge", MERGE, unmerge_records, body_is_optional=True),
)
