"""What is refused: the status and the code, as problem+json, with nothing changed."""

import pytest

from engine.api.errors import STATUSES
from engine.errors import EngineError
from engine.testing import Running
from tests.state import state

DEAL = "/api/v1/records/deal"
JSON = {"content-type": "application/json"}
GONE = "019ab000-0000-7000-8000-000000000000"

REFUSED = [
    # method, path, headers, body, status, code
    ("GET", "/api/v1", {}, b"", 404, "path.unknown"),
    ("GET", "/api/v1/", {}, b"", 404, "path.unknown"),
    ("GET", "/api/v1/recods/deal", {}, b"", 404, "path.unknown"),
    ("GET", f"{DEAL}/", {}, b"", 404, "path.unknown"),
    ("GET", f"{DEAL}/{GONE}/restore/x", {}, b"", 404, "path.unknown"),
    ("GET", "/api/v1/records/%ff", {}, b"", 400, "path.malformed"),
    ("GET", "/api/v1/records/a%00b", {}, b"", 400, "path.malformed"),
    ("PUT", DEAL, JSON, b"{}", 405, "method"),
    ("POST", f"{DEAL}/{GONE}", JSON, b"{}", 405, "method"),
    ("TRACE", DEAL, {}, b"", 405, "method"),
    ("GET", "/api/v1/records/deel", {}, b"", 404, "object.unknown"),
    ("GET", f"{DEAL}/{GONE}", {}, b"", 404, "record.unknown"),
    ("GET", f"{DEAL}/1", {}, b"", 404, "record.unknown"),
    ("GET", f"{DEAL}?limt=5", {}, b"", 400, "query.unknown"),
    ("GET", f"{DEAL}?limit=5&limit=6", {}, b"", 400, "query.twice"),
    ("GET", f"{DEAL}?limit=0", {}, b"", 400, "query.value"),
    ("GET", f"{DEAL}?limit=1001", {}, b"", 400, "query.value"),
    ("GET", f"{DEAL}?limit=five", {}, b"", 400, "query.value"),
    ("GET", f"{DEAL}?limit=%D9%A5", {}, b"", 400, "query.value"),
    ("GET", f"{DEAL}?limit=", {}, b"", 400, "query.value"),
    ("GET", f"{DEAL}?count=yes", {}, b"", 400, "query.value"),
    ("GET", f"{DEAL}?fields=name,,amount", {}, b"", 400, "query.value"),
    ("GET", f"{DEAL}?filter=%00", {}, b"", 400, "query.malformed"),
    ("GET", f"{DEAL}?filter=%ff", {}, b"", 400, "query.malformed"),
    ("GET", f"{DEAL}?" + "&".join(f"a{n}=1" for n in range(60)), {}, b"", 400, "query.malformed"),
    ("GET", f"{DEAL}?fields=nmae", {}, b"", 400, "field.unknown"),
    ("GET", f"{DEAL}?sort=-nmae", {}, b"", 400, "field.unknown"),
    ("GET", f"{DEAL}?filter=nmae%20==%20'x'", {}, b"", 400, "formula.name.unknown"),
    ("GET", f"{DEAL}?filter=name%20==", {}, b"", 400, "formula.syntax"),
    ("GET", f"{DEAL}?cursor=nonsense", {}, b"", 400, "cursor.bad"),
    ("GET", "/api/v1/objects?limit=5", {}, b"", 400, "query.unknown"),
    ("POST", f"{DEAL}?x=1", JSON, b'{"name": "a"}', 400, "query.unknown"),
    ("POST", DEAL, {"content-type": "text/plain"}, b'{"name": "a"}', 415, "body.type"),
    ("POST", DEAL, {"content-type": "application/x-www-form-urlencoded"}, b"name=a", 415, "body.type"),
    ("POST", DEAL, {"content-type": "application/json; charset=gbk"}, b'{"name": "a"}', 415, "body.type"),
    ("POST", DEAL, {**JSON, "content-encoding": "gzip"}, b"\x1f\x8b", 415, "body.encoding"),
    ("POST", DEAL, {}, b"", 415, "body.type"),
    ("POST", DEAL, JSON, b"", 400, "body.malformed"),
    ("POST", DEAL, JSON, b"{", 400, "body.malformed"),
    ("POST", DEAL, JSON, b"[]", 400, "body.malformed"),
    ("POST", DEAL, JSON, b"null", 400, "body.malformed"),
    ("POST", DEAL, JSON, b'{"amount": NaN}', 400, "body.malformed"),
    ("POST", DEAL, JSON, b'{"amount": NaN, "x": 1234567890123456789}', 400, "body.malformed"),
    ("POST", DEAL, JSON, b'{"name": "\xff"}', 400, "body.malformed"),
    ("POST", DEAL, JSON, b'{"name": "\\ud800"}', 400, "body.malformed"),
    ("POST", DEAL, JSON, b'{"name": ' + b"[" * 9 + b"]" * 9 + b"}", 400, "body.depth"),
    ("POST", DEAL, JSON, b'{"name": ' + b"[" * 2000 + b"]" * 2000 + b"}", 400, "body.malformed"),
    ("POST", DEAL, JSON, b'{"name": "' + b"x" * (8 << 20) + b'"}', 413, "body.large"),
    ("POST", DEAL, JSON, b"{}", 422, "value.required"),
    ("POST", DEAL, JSON, b'{"name": "a", "nmae": 1}', 422, "field.unknown"),
    ("POST", DEAL, JSON, b'{"name": "a", "amount": -1}', 422, "value.number.min"),
    ("POST", DEAL, JSON, b'{"name": "a", "id": "x"}', 422, ""),
    ("POST", DEAL, JSON, b'{"name": "a\\u0000"}', 422, "value.text.character"),
    ("POST", f"{DEAL}/{GONE}/restore", {}, b"", 404, "record.unknown"),
    ("POST", f"{DEAL}/{GONE}/restore", JSON, b'{"a": 1}', 400, "body.unexpected"),
    ("POST", f"{DEAL}/batch", JSON, b"{}", 422, "batch.malformed"),
    ("POST", f"{DEAL}/batch", JSON, b'{"operations": []}', 422, "batch.malformed"),
    ("POST", f"{DEAL}/batch", JSON, b'{"operations": [7]}', 422, "batch.malformed"),
    ("POST", f"{DEAL}/batch", JSON, b'{"operations": [{"action": "drop"}]}', 422, "batch.malformed"),
    ("POST", f"{DEAL}/batch", JSON, b'{"operations": [{"action": "delete"}]}', 422, "batch.malformed"),
    ("POST", f"{DEAL}/batch", JSON, b'{"operations": [{"action": "delete", "id": 7}]}', 422, "batch.malformed"),
    ("PATCH", f"{DEAL}/{GONE}", JSON, b'{"name": "a"}', 404, "record.unknown"),
    ("DELETE", f"{DEAL}/{GONE}", {}, b"", 404, "record.unknown"),
    ("PUT", f"{DEAL}/by/name/x", JSON, b"{}", 422, ""),
    ("PUT", f"{DEAL}/by/nmae/x", JSON, b"{}", 422, ""),
]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    REFUSED,
    ids=[f"{r[0]} {r[1][8:60]} {r[5]}" for r in REFUSED],
)
def test_refusal_says_what_is_wrong_and_changes_nothing(
    small_shop: Running, method: str, path: str, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    client = small_shop.client("boss")
    client.get("/api/v1/objects")  # notes the use of the token
    before = state(small_shop)
    answer = client.request(method, path, headers=headers, content=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    codes = {problem["code"], *(each["code"] for each in problem["problems"])}
    assert not code or code in codes, problem
    assert (problem["status"], bool(problem["title"]), bool(problem["detail"])) == (status, True, True)
    assert state(small_shop) == before


def test_what_the_database_refuses_is_refused_on_both(shop: Running) -> None:
    client = shop.client("boss")
    first = client.post("/api/v1/records/account", json={"name": "Acme", "code": "A1"}).json()
    twice = client.post("/api/v1/records/account", json={"name": "Other", "code": "A1"})
    assert (twice.status_code, [problem["path"] for problem in twice.json()["problems"]]) == (409, ["code"])
    deal = client.post(DEAL, json={"name": "Pumps", "account": first["id"]})
    assert deal.status_code == 201
    restricted = client.delete(f"/api/v1/records/account/{first['id']}")
    assert restricted.status_code == 409
    nowhere = client.post(DEAL, json={"name": "Pumps", "account": GONE})
    assert (nowhere.status_code, nowhere.json()["problems"][0]["path"]) == (422, "account")


def test_unknown_names_come_with_the_nearest(small_shop: Running) -> None:
    client = small_shop.client("boss")
    assert client.get(f"{DEAL}?limt=5").json()["fix"] == "write 'limit'?"
    assert client.get("/api/v1/records/deel").json()["fix"] == "write 'deal'?"
    problem = client.post(DEAL, json={"name": "a", "amout": 1}).json()["problems"][0]
    assert (problem["path"], problem["fix"]) == ("amout", "write 'amount'?")


def test_method_that_is_not_possible_names_those_that_are(small_shop: Running) -> None:
    client = small_shop.client("boss")
    assert client.put(DEAL, json={}).headers["allow"] == "GET, HEAD, OPTIONS, POST"
    options = client.options(f"{DEAL}/{GONE}")
    assert (options.status_code, options.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH")


def test_head_is_get_without_the_body(small_shop: Running) -> None:
    client = small_shop.client("boss")
    head, get = client.head(DEAL), client.get(DEAL)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_what_nobody_foresaw_tells_nothing_of_its_inside(
    small_shop: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = small_shop.client("boss")

    def fail(*_: object) -> None:
        raise RuntimeError("the canary sings")

    monkeypatch.setattr("engine.service.Records.list", fail)
    answer = client.get(DEAL, headers={"x-request-id": "abc-1"})
    assert (answer.status_code, answer.json()["code"], answer.headers["x-request-id"]) == (500, "internal", "abc-1")
    assert "canary" not in answer.text
    assert "abc-1" in caplog.text
    assert "the canary sings" in caplog.text


def test_every_refusal_of_the_engine_has_its_status() -> None:
    kinds = set(EngineError.__subclasses__()) - {
        kind for kind in EngineError.__subclasses__() if kind.__name__ == "HttpRefusal"
    }
    assert kinds <= set(STATUSES)
