"""Whoever knows nothing of us: ids that cannot be, and values of another kind under each key of each body."""

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from engine.testing import Running, running
from tests.api.conftest import NOW, people
from tests.api.shop import SHOP
from tests.api.test_routes import declared
from tests.depth import at_depth

GONE = "019ab000-0000-7000-8000-000000000000"
DEAL = "/api/v1/records/deal"
VALUES = {"object": "deal", "field": "name", "value": "x", "action": "approve"}
BEFORE_ALL = "0001-01-01T00:00:00+14:00"  # in UTC it is in no year
LONG, HUGE = orjson.Fragment(b"1.2345678901234567890123"), orjson.Fragment(b"123456789012345678901234567890")
JUNK: list[Any] = [[7], BEFORE_ALL, {"a": LONG}, LONG, {"a": HUGE}, HUGE, True, 7, "", "a\0b", {"a": [{}]}]
SIGNED_OFF = """
---
approval: discount
label: Discount
object: deal
flow:
  - {approve: boss, label: Boss, approvers: [{role: admin}], empty: admin}
"""


@pytest.fixture
def approving(sqlite_url: str) -> Iterator[Running]:
    with running(sqlite_url, [SHOP + SIGNED_OFF], now=NOW, fill=people) as site:
        yield site


def test_an_id_that_cannot_be_is_unknown_on_both_databases(shop: Running) -> None:
    client = shop.client("boss")
    found: dict[str, int] = {}
    for name, permission in declared(shop.app.routes):
        if permission.who != "person" or "{" not in name or "{object}/{id}/erase" in name:  # type: ignore[attr-defined]
            continue
        method, path = name.split(" ")
        path = re.sub(r"{(\w+)}", lambda part: VALUES.get(part[1], "x'"), path)
        content = {"json": {}} if method in ("POST", "PATCH", "PUT") else {}
        found[name] = client.request(method, path, **content).status_code  # type: ignore[arg-type]
    assert len(found) > 40
    assert {name: status for name, status in found.items() if not 400 <= status < 500} == {
        "GET /api/v1/aggregate/{object}": 200,
        "GET /api/v1/objects/{object}": 200,
        "GET /api/v1/records/{object}": 200,
    }


def sample(schema: dict[str, Any]) -> Any:
    """A value of a kind that the schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    return {"array": [], "object": {}, "boolean": True, "integer": 1}.get(schema.get("type", ""), GONE)  # type: ignore[arg-type]


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, the body's schema) of the operations on deals and of all that are of no object."""
    for path, operations in document["paths"].items():
        if re.match(r"/(records|privacy)/(?!deal)", path):
            continue
        for method in operations.keys() & {"post", "patch", "put"}:
            content = operations[method].get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = content.get("schema", {})
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            yield method.upper(), re.sub(r"{(\w+)}", lambda part: VALUES.get(part[1], GONE), path), schema


def test_a_value_of_another_kind_is_never_an_error_of_ours(approving: Running) -> None:
    client = approving.client("boss")
    document, asked, failed = client.get("/api/v1/openapi.json").json(), 0, []
    client.headers["content-type"] = "application/json"
    for method, path, schema in bodies(document):
        needed = {key: sample(schema["properties"][key]) for key in schema.get("required", ())}
        for key in schema.get("properties", {}):
            for junk in JUNK[: at_depth(1, len(JUNK))]:
                user = approving.user("ray") if path.startswith("/users/") else GONE
                body = orjson.dumps({**needed, key: junk})
                answer = client.request(method, f"/api/v1{path.replace(GONE, user)}", content=body)
                asked += 1
                if answer.status_code >= 500:
                    failed.append(f"{method} {path} {key}: {orjson.dumps(junk)!r}")
                elif answer.status_code in (400, 422):
                    problem = answer.json()
                    if not problem["problems"] or not problem["detail"]:
                        failed.append(f"{method} {path} {key}: {orjson.dumps(junk)!r} is refused without a place")
    assert (failed, asked > 60) == ([], True)


WRONG = [
    # method, path, body, status, code, place
    ("POST", "/agents", {"user": {"a": 1}, "agent": GONE}, 422, "agent.person", "user"),
    ("POST", "/agents", {"agent": [], "from": "2027-01-01T00:00:00Z"}, 422, "agent.person", "agent"),
    ("POST", "/agents", {"agent": GONE, "from": BEFORE_ALL}, 422, "value.datetime", "from"),
    ("GET", "/agents?of=everybody", None, 400, "query.value", "of"),
    ("POST", "/approvals/move", {"approval": "discount", "how": "keep", "mapping": "x"}, 422, "value.type", "mapping"),
    ("POST", f"/users/{GONE}/handover", {"to": GONE, "objects": 7}, 422, "value.type", "objects"),
    ("POST", "{deal}/shares", {"kind": "role", "to": "seller", "expires_at": BEFORE_ALL}, 422, "share.expires",
     "expires_at"),
    ("POST", "/tokens", {"name": "x" * 101}, 422, "token.label", "name"),
    ("POST", "/webhooks/secret", {"url": "http://["}, 422, "webhook.url", "url"),
    ("POST", "/webhooks/secret", {"url": "https://example.com", "uri": 1}, 400, "value.type", "url"),
    ("POST", "/notifications/read-all", {"upto": "x"}, 422, "value.type", "upto"),
    ("POST", "/notifications/read-all", {"upto": False}, 400, "value.type", "upto"),
    ("GET", "/notifications?cursor=x", None, 400, "cursor.invalid", "cursor"),
    ("GET", f"/approvals?cursor={BEFORE_ALL.replace('+', '%2B')}%7C{GONE}", None, 400, "query.value", "cursor"),
    ("GET", "/jobs?cursor=x", None, 400, "cursor.invalid", "cursor"),
    ("GET", "/jobs?state=x", None, 400, "query.value", "state"),
    ("GET", "/automations/runs?record=x", None, 400, "query.value", "record"),
    ("GET", "/automations/runs?cursor=x", None, 400, "query.value", "cursor"),
    ("GET", "{deal}/viewers?after=x", None, 400, "access.after", "after"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "place"), WRONG, ids=[f"{one[1][:20]} {one[5]}" for one in WRONG]
)
def test_a_refusal_says_where(
    small_shop: Running, method: str, path: str, body: Any, status: int, code: str, place: str
) -> None:
    client = small_shop.client("boss")
    deal = client.post(DEAL, json={"name": "Pumps"}).json()["id"]
    answer = client.request(method, f"/api/v1{path.replace('{deal}', f'/records/deal/{deal}')}", json=body)
    assert answer.status_code == status, answer.text
    assert (place, code) in [(one["path"], one["code"]) for one in answer.json()["problems"]]


def test_a_body_that_is_wrong_in_very_many_places_costs_little(small_shop: Running) -> None:
    client = small_shop.client("boss")
    problem = client.post(DEAL, json={f"nmae{number}": 1 for number in range(1500)}).json()
    assert (problem["detail"], len(problem["problems"])) == ("no field 'nmae0' in 'deal' (and 1500 more)", 1000)
    fixes = [one["fix"] for one in problem["problems"]]
    assert (fixes[:20], set(fixes[20:])) == (["write 'name'?"] * 20, {""})
    batch = {"atomic": False, "operations": [{"action": "create", "values": {f"nmae{n}": 1}} for n in range(30)] * 2}
    results = client.post(f"{DEAL}/batch", json=batch).json()["results"]
    fixes = [one["problem"]["problems"][0]["fix"] for one in results]
    assert fixes == [*["write 'name'?"] * 20, *[""] * 10] * 2
    [first, _] = client.post(DEAL, json={"x" * 5000: 1}).json()["problems"]
    assert (first["path"], first["message"]) == ("x" * 100, f"no field '{'x' * 100}' in 'deal'")


def test_a_query_of_a_screen_that_no_database_takes_is_refused(sqlite_url: str) -> None:
    with running(sqlite_url, [SHOP], now=NOW, fill=people, ui="ui.pages:mount") as site:
        answer = site.client("boss", by="session").get("/audit?kind=%00")
        assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")


def test_a_method_that_is_not_possible_names_those_that_are(small_shop: Running) -> None:
    refusal = small_shop.client("boss").put(DEAL, json={}).json()
    assert (refusal["code"], refusal["fix"]) == ("method", "possible are GET, HEAD, OPTIONS, POST")
