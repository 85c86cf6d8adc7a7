"""Operations on records: each reads what was sent, asks the record service, and writes the answer."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from engine.api.answers import Answer, etag, json_answer
from engine.api.errors import bad_request, result_problem, warning_body
from engine.api.operations import ROOT, Call, Operation
from engine.api.permission import Permission
from engine.api.reading import is_unchanged, version_wanted, whole_number
from engine.audit.refusals import Asked
from engine.context import Context
from engine.errors import BadInput, Forbidden, InputProblem
from engine.process.requests import Request
from engine.service import Query, Records, Result, SortKey
from metadata.problem import nearest

__all__ = ["MAX_LIMIT", "MAX_OPERATIONS", "OPERATIONS"]

WARNINGS = "_warnings"  # no field's name begins with _
MAX_LIMIT = 1000
MAX_OPERATIONS = 1000
COUNTS = ("none", "capped", "exact")
ACTIONS = {  # of a batch, with what each takes
    "create": {"values"},
    "update": {"id", "values", "if_version"},
    "delete": {"id", "if_version"},
    "restore": {"id"},
    "upsert": {"field", "value", "values"},
}


def list_records(call: Call) -> Answer:
    sent = call.values()
    count = sent.get("count", "none")
    if count not in COUNTS:
        fix = f"write '{nearest(count, COUNTS) or 'capped'}'?"
        raise bad_request("query.value", f"count is none, capped or exact, not '{count[:40]}'", fix=fix, path="count")
    limit = whole_number(sent, "limit", 50, 1, MAX_LIMIT) if "limit" in sent else 50
    query = Query(
        object=call.args[0], fields=names(sent, "fields"), filter=sent.get("filter", ""), sort=sort_keys(sent),
        limit=limit, cursor=sent.get("cursor", ""), count=count, search=sent.get("search", ""),
    )  # fmt: skip
    listing = Records(call.ctx).list(query)
    body: dict[str, Any] = {"records": listing.records, "next": listing.next}
    if listing.count is not None:
        body["count"] = listing.count
        if listing.count_is_capped:
            body["count_is_capped"] = True
    return Answer(200, orjson.dumps(body))


def create_record(call: Call) -> Answer:
    record = Records(call.ctx).create(call.args[0], call.json())
    if waits(call, record["id"]):
        return waiting(call, record["id"])
    return written(call, record, is_new=True)


def get_record(call: Call) -> Answer:
    fields = names(call.values(), "fields") if call.query else ()
    record = Records(call.ctx).get(call.args[0], call.args[1], fields)
    wanted = call.headers.get("if-none-match")
    if is_unchanged(wanted, record["version"]) and is_told_by_version(call.ctx, call.args[0], record):
        return Answer(304, headers=etag(record))
    return Answer(200, orjson.dumps(record), etag(record))


def is_told_by_version(ctx: Context, object_name: str, record: Mapping[str, Any]) -> bool:
    """Whether an answer can change only when the record's version does: not so what a path leads to, what is worked out
    and lists of other records."""
    readable = ctx.scope.readable(object_name)
    return all((field := readable.get(name)) is not None and field.is_written for name in record)


def update_record(call: Call) -> Answer:
    object_name, record_id = call.args
    record = Records(call.ctx).update(object_name, record_id, call.json(), if_version=version(call))
    return waiting(call, record_id, record) if waits(call, record_id) else written(call, record)


def delete_record(call: Call) -> Answer:
    object_name, record_id = call.args
    Records(call.ctx).delete(object_name, record_id, if_version=version(call))
    return waiting(call, record_id) if waits(call, record_id) else Answer(204)


def restore_record(call: Call) -> Answer:
    if call.body and call.json():
        raise bad_request("body.unexpected", "restoring takes no values", fix="send an empty body")
    object_name, record_id = call.args
    return written(call, Records(call.ctx).restore(object_name, record_id))


def upsert_record(call: Call) -> Answer:
    object_name, field, value = call.args
    if "if-none-match" in call.headers:
        raise bad_request("precondition.unsupported", "an upsert takes no If-None-Match", fix="leave the header out")
    record, is_new = Records(call.ctx).upsert(object_name, field, value, call.json())
    if waits(call, record["id"]):
        return waiting(call, record["id"], None if is_new else record)
    return written(call, record, is_new=is_new)


def batch_records(call: Call) -> Answer:
    sent = call.json()
    operations, is_atomic = sent.get("operations"), sent.get("atomic", True)
    problems = list(wrong_in_batch(sent, operations, is_atomic))
    if problems:
        raise BadInput("the batch cannot be understood", code="batch.malformed", problems=problems)
    results = Records(call.ctx).batch(call.args[0], operations, atomic=is_atomic)  # type: ignore[arg-type]  # checked
    refused = [one.error for one in results if isinstance(one.error, Forbidden)]
    if refused:  # the first stands for all of this request
        call.site.refusals.note(call.ctx, refused[0], Asked(f"POST {call.operation.path}", call.args[0]))
    kept = {one.record: one for one in call.ctx.requests}
    return json_answer({"results": [told_waiting(kept, one, result_body(one)) for one in results]})


def written(call: Call, record: dict[str, Any], *, is_new: bool = False) -> Answer:
    headers = etag(record)
    if is_new:
        location = f"{ROOT}/records/{quote(call.args[0])}/{record['id']}"
        headers = (*headers, (b"location", location.encode("ascii")))
    if call.ctx.warnings:
        record = {**record, WARNINGS: [warning_body(warning) for warning in call.ctx.warnings]}
    return Answer(201 if is_new else 200, orjson.dumps(record), headers)


def waits(call: Call, record_id: str) -> bool:
    """Whether what was sent of this record is kept until it is approved. Automations may have asked for others."""
    return any(one.record == record_id for one in call.ctx.requests)


def waiting(call: Call, record_id: str, record: dict[str, Any] | None = None) -> Answer:
    """The change is kept until it is approved; the record is as it was, or not there yet."""
    body = request_body(next(one for one in reversed(call.ctx.requests) if one.record == record_id))
    return json_answer(body if record is None else {**body, "record": record}, 202)


def request_body(request: Request) -> dict[str, Any]:
    return {"request": request.id, "instance": request.instance, "approval": request.approval}


def told_waiting(kept: Mapping[str, Request], result: Result, body: dict[str, Any]) -> dict[str, Any]:
    if result.error is not None or result.id is None or result.id not in kept:
        return body
    request = kept[result.id]
    if request.action == "create":  # there is none yet
        body = {name: value for name, value in body.items() if name not in ("id", "record")}
    return body | {"status": 202, "waiting": request_body(request)}


def version(call: Call) -> int | None:
    header = call.headers.get("if-match")
    if header is None:
        return None
    object_name, record_id = call.args
    return version_wanted(header, lambda: int(Records(call.ctx).get(object_name, record_id, ("version",))["version"]))


def names(sent: dict[str, str], parameter: str) -> tuple[str, ...]:
    """`name,account.name` -> its parts."""
    if parameter not in sent:
        return ()
    parts = tuple(part.strip() for part in split(sent[parameter]))
    if not all(parts):
        message = f"{parameter} is names with commas between them, not '{sent[parameter][:60]}'"
        raise bad_request("query.value", message, path=parameter)
    return parts


def split(text: str) -> list[str]:
    """At commas outside of brackets and quotes: formulas have commas of their own."""
    parts, start, depth, quote = [], 0, 0, ""
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote and text[at - 1] != "\\" else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == "," and depth <= 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def sort_keys(sent: dict[str, str]) -> tuple[SortKey, ...]:
    """`-close_date,name` -> its keys."""
    return tuple(SortKey(part.removeprefix("-"), part.startswith("-")) for part in names(sent, "sort"))


def wrong_in_batch(sent: dict[str, Any], operations: Any, is_atomic: Any) -> "list[InputProblem]":
    problems = [
        InputProblem(key, "batch.key", f"a batch has no '{key}'", "write 'operations' or 'atomic'")
        for key in sent.keys() - {"operations", "atomic"}
    ]
    if not isinstance(is_atomic, bool):
        problems.append(InputProblem("atomic", "value.type", "atomic is true or false"))
    if not isinstance(operations, list) or not 1 <= len(operations) <= MAX_OPERATIONS:
        message = f"operations is a list of 1 to {MAX_OPERATIONS} objects"
        return [*problems, InputProblem("operations", "batch.operations", message)]
    for index, operation in enumerate(operations):
        if (problem := wrong_operation(f"operations.{index}", operation)) is not None:
            problems.append(problem)
    return problems


def wrong_operation(path: str, operation: Any) -> InputProblem | None:
    action = operation.get("action") if isinstance(operation, dict) else None
    if not isinstance(action, str) or action not in ACTIONS:
        known = ", ".join(ACTIONS)
        return InputProblem(path, "batch.action", f"an operation is an object whose action is one of {known}")
    takes = ACTIONS[operation["action"]]
    if extra := sorted(operation.keys() - takes - {"action"}):
        return InputProblem(f"{path}.{extra[0]}", "batch.key", f"{operation['action']} takes no '{extra[0]}'")
    if missing := sorted(takes - operation.keys() - {"if_version"}):
        return InputProblem(f"{path}.{missing[0]}", "value.required", f"{operation['action']} needs '{missing[0]}'")
    for key, is_right, kind in (
        ("id", isinstance(operation.get("id", ""), str), "a text"),
        ("field", isinstance(operation.get("field", ""), str), "a text"),
        ("values", isinstance(operation.get("values", {}), dict), "an object of fields"),
        ("if_version", type(operation.get("if_version", 1)) is int, "a whole number"),
        ("value", not isinstance(operation.get("value", ""), dict | list), "a single value"),
    ):
        if not is_right:
            return InputProblem(f"{path}.{key}", "value.type", f"{key} is {kind}")
    return None


def result_body(result: Result) -> dict[str, Any]:
    body: dict[str, Any] = {"index": result.index, "action": result.action}
    if result.error is not None:
        problem = result_problem(result.error)
        return body | {"status": problem["status"], "problem": problem}
    is_new = result.action == "create" or result.created
    body |= {"status": 201 if is_new else 204 if result.record is None else 200, "id": result.id}
    if result.record is None:
        return body
    if not result.warnings:
        return body | {"record": result.record}
    return body | {"record": {**result.record, WARNINGS: [warning_body(warning) for warning in result.warnings]}}


def person(why: str) -> Permission:
    return Permission("person", why)


LISTING = ("filter", "sort", "fields", "limit", "cursor", "count", "search")
OPERATIONS = (
    Operation("GET", "/records/{object}", person("read"), list_records, LISTING),
    Operation("GET", "/records/{object}/{id}", person("read"), get_record, ("fields",)),
    Operation("POST", "/records/{object}", person("create"), create_record),
    Operation("PATCH", "/records/{object}/{id}", person("update"), update_record, has_preconditions=True),
    Operation("DELETE", "/records/{object}/{id}", person("delete"), delete_record, has_preconditions=True),
    Operation("POST", "/records/{object}/{id}/restore", person("delete"), restore_record, body_is_optional=True),
    Operation("PUT", "/records/{object}/by/{field}/{value}", person("create, update"), upsert_record),
    Operation("POST", "/records/{object}/batch", person("each operation's own"), batch_records),
)
