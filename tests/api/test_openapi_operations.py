"""The document says of each operation what the operation itself takes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from engine.api.operations import Api, Operation
from engine.testing import Running, running
from tests.api.conftest import NOW, people
from tests.api.shop import SHOP

METHODS = ("get", "post", "put", "patch", "delete")
PROCESSES = """
---
approval: discount
label: Discount
object: deal
flow:
  - {approve: boss, label: Boss, approvers: [{role: admin}], empty: admin}
---
automation: call_back
label: Call back
object: deal
button: {label: Call back}
do: [{set: {is_hot: true}}]
---
workflow: stages
label: Stages
object: deal
field: stage
moves: [forward, skip, back]
states: [{state: new}, {state: won, final: true}, {state: lost, final: true}]
---
permission_set: auditor
label: Auditor
system: [view_audit, manage_privacy, manage_rights, manage_processes]
"""


@pytest.fixture
def processed(sqlite_url: str) -> Iterator[Running]:
    with running(sqlite_url, [SHOP + PROCESSES], now=NOW, fill=people) as site:
        yield site


def api_of(site: Running) -> Api:
    return next(app for route in site.app.routes if isinstance(app := getattr(route, "app", None), Api))


def told(site: Running) -> Iterator[tuple[str, dict[str, Any], Operation]]:
    """(name, what the document says, the operation) of each."""
    made, api = site.client("boss").get("/api/v1/openapi.json").json(), api_of(site)
    for path, operations in made["paths"].items():
        node, _ = api.find({"path": "", "raw_path": f"/api/v1{re.sub('{.*?}', 'x', path)}".encode()})
        for method in operations.keys() & set(METHODS):
            said = operations[method]
            given = [*operations.get("parameters", ()), *said.get("parameters", ())]
            said["parameters"] = [
                made["components"]["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
                for one in given
            ]
            yield f"{method.upper()} {path}", said, node.operations[method.upper()]


def named(said: dict[str, Any], place: str) -> set[str]:
    return {one["name"] for one in said["parameters"] if one["in"] == place}


def test_every_operation_is_told(processed: Running) -> None:
    known = {f"{one.method} {one.path}" for one in api_of(processed).operations}
    there = {f"{operation.method} {operation.path}" for _, _, operation in told(processed)}
    assert known - there == {"POST /records/{object}/{id}/unmask"}  # no field of the shop is masked


def test_parameters_and_bodies_are_those_that_are_taken(processed: Running) -> None:
    wrong = []
    for name, said, operation in told(processed):
        body = said.get("requestBody")
        told_of = (
            named(said, "query"), "If-Match" in named(said, "header"), "Idempotency-Key" in named(said, "header"),
            bool(body and body.get("required", False)), named(said, "path"),
        )  # fmt: skip
        takes = (
            set(operation.parameters), operation.has_preconditions,
            operation.method == "POST" and operation.takes_key,
            operation.method in ("POST", "PUT", "PATCH") and not operation.body_is_optional,
            set(re.findall(r"{(\w+)}", name)),
        )  # fmt: skip
        if told_of != takes:
            wrong.append((name, told_of, takes))
    assert wrong == []


def test_no_class_of_a_client_is_made_of_two_schemas(processed: Running) -> None:
    made = processed.client("boss").get("/api/v1/openapi.json").json()
    names = [re.sub("[^a-z]", "", name.lower()) for name in made["components"]["schemas"]]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert {name for name in made["components"]["schemas"] if "." not in name} == set(made_objects(made))


def made_objects(made: dict[str, Any]) -> Iterator[str]:
    for path in made["paths"]:
        if found := re.fullmatch(r"/records/(\w+)", path):
            yield found[1]
