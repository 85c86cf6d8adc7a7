"""Lines over HTTP: in one request with their record, in the answer, in the description of the API."""

from collections.abc import Iterator

import jsonschema
import pytest

from engine.testing import Running, running
from tests.records.conftest import NOW
from tests.records.test_lines import QUOTES


@pytest.fixture
def shop(sqlite_url: str) -> Iterator[Running]:
    with running(sqlite_url, [QUOTES], now=NOW) as site:
        site.user("boss", "admin")
        site.user("ann", "reader")
        yield site


def test_lines_are_sent_and_answered_with_their_record(shop: Running) -> None:
    client = shop.client("boss")
    made = client.post("/api/v1/records/quote", json={"name": "Q", "lines": [{"text": "a", "parts": [{"name": "p"}]}]})
    assert (made.status_code, [line["text"] for line in made.json()["lines"]]) == (201, ["a"])
    place, line = f"/api/v1/records/quote/{made.json()['id']}", made.json()["lines"][0]["id"]
    changed = client.patch(
        place, json={"lines": [{"text": "b"}, {"id": line, "quantity": 3}]}, headers={"if-match": '"1"'}
    )
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert [(one["text"], one["quantity"]) for one in client.get(place).json()["lines"]] == [("b", 1), ("a", 3)]
    stale = client.patch(place, json={"lines": []}, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    wrong = client.patch(place, json={"lines": [{"quantity": "x"}, {"id": place}]})
    assert (wrong.status_code, [one["path"] for one in wrong.json()["problems"]]) == (
        422,
        ["lines.0.quantity", "lines.1.id"],
    )
    listed = client.get("/api/v1/records/quote?fields=name,lines").json()["records"]
    assert [len(record["lines"]) for record in listed] == [2]
    assert client.get("/api/v1/records/quote?fields=lines&limit=201").json()["code"] == "query.limit"
    batch = client.post("/api/v1/records/quote/batch", json={"operations": [
        {"action": "update", "id": made.json()["id"], "values": {"lines": [{"id": line}]}},
        {"action": "create", "values": {"name": "R", "lines": [{"parts": [{"name": "p"}]}]}},
    ]})  # fmt: skip
    assert [result["status"] for result in batch.json()["results"]] == [200, 201]


def test_an_answer_with_lines_is_never_unchanged(shop: Running) -> None:
    client = shop.client("boss")
    made = client.post("/api/v1/records/quote", json={"name": "Q", "lines": [{"text": "a"}]}).json()
    line = client.get(
        f"/api/v1/records/quote_line/{made['lines'][0]['id']}?fields=text", headers={"if-none-match": '"1"'}
    )
    assert line.status_code == 304
    place = f"/api/v1/records/quote/{made['id']}"
    for fields, status in (("", 200), ("?fields=name", 304), ("?fields=total", 200), ("?fields=name,lines", 200)):
        assert client.get(place + fields, headers={"if-none-match": '"1"'}).status_code == status


def test_the_description_says_what_lines_are(shop: Running) -> None:
    client = shop.client("boss")
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    lines = schemas["quote.create"]["properties"]["lines"]
    assert lines["items"] == {"$ref": "#/components/schemas/quote_line.line"}
    assert set(schemas["quote_line.line"]["properties"]) == {
        "id", "text", "product", "quantity", "code", "position", "owner", "parts",
    }  # fmt: skip
    record = client.post("/api/v1/records/quote", json={"name": "Q", "lines": [{"text": "a", "parts": []}]}).json()
    jsonschema.validate(record, {**schemas["quote"], "components": {"schemas": schemas}})
    fields = client.get("/api/v1/objects/quote").json()["fields"]
    assert next(field for field in fields if field["name"] == "lines")["of"] == "quote_line"
