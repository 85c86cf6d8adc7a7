import sqlite3

import pytest

from engine.service import Listing, Query, Records
from engine.testing import Running


def test_create_answers_with_the_record_its_place_and_its_version(shop: Running) -> None:
    answer = shop.client("boss").post("/api/v1/records/deal", json={"name": "Pumps", "amount": 1200.5})
    assert answer.status_code == 201
    record = answer.json()
    assert answer.headers["location"] == f"/api/v1/records/deal/{record['id']}"
    assert answer.headers["etag"] == '"1"'
    assert {name: record[name] for name in ("name", "stage", "amount", "version", "created_at", "account")} == {
        "name": "Pumps", "stage": "new", "amount": 1200.5, "version": 1, "created_at": "2026-11-22T02:15:00.000Z",
        "account": None,
    }  # fmt: skip
    assert record["owner"] == shop.user("boss")


def test_get_gives_the_fields_that_are_named(shop: Running) -> None:
    client = shop.client("boss")
    account = client.post("/api/v1/records/account", json={"name": "华东精密机械"}).json()
    deal = client.post("/api/v1/records/deal", json={"name": "Pumps", "account": account["id"]}).json()
    answer = client.get(f"/api/v1/records/deal/{deal['id']}", params={"fields": "name,account.name"})
    assert answer.status_code == 200
    assert answer.json() == {"id": deal["id"], "version": 1, "name": "Pumps", "account.name": "华东精密机械"}


def test_list_filters_sorts_counts_and_pages(shop: Running) -> None:
    client = shop.client("boss")
    for name, amount in (("a", 10), ("b", 20), ("c", 30), ("d", 40)):
        assert client.post("/api/v1/records/deal", json={"name": name, "amount": amount}).status_code == 201
    query = {"filter": "amount >= 20", "sort": "-amount", "fields": "name", "limit": "2", "count": "exact"}
    first = client.get("/api/v1/records/deal", params=query).json()
    assert [record["name"] for record in first["records"]] == ["d", "c"]
    assert first["count"] == 3
    second = client.get("/api/v1/records/deal", params={**query, "cursor": first["next"]}).json()
    assert [record["name"] for record in second["records"]] == ["b"]
    assert second["next"] is None


def test_list_without_count_says_none(shop: Running) -> None:
    assert shop.client("boss").get("/api/v1/records/deal").json() == {"records": [], "next": None}


def test_search_finds_by_title(shop: Running) -> None:
    client = shop.client("boss")
    client.post("/api/v1/records/account", json={"name": "华东精密机械"})
    client.post("/api/v1/records/account", json={"name": "Acme"})
    found = client.get("/api/v1/records/account", params={"search": "精密", "fields": "name"}).json()
    assert [record["name"] for record in found["records"]] == ["华东精密机械"]


def test_patch_changes_what_is_sent_and_counts_the_version(shop: Running) -> None:
    client = shop.client("boss")
    deal = client.post("/api/v1/records/deal", json={"name": "Pumps", "amount": 5}).json()
    answer = client.patch(f"/api/v1/records/deal/{deal['id']}", json={"stage": "won"})
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    assert (answer.json()["stage"], answer.json()["amount"], answer.json()["version"]) == ("won", 5, 2)


def test_deleted_record_is_gone_until_it_is_restored(shop: Running) -> None:
    client = shop.client("boss")
    deal = client.post("/api/v1/records/deal", json={"name": "Pumps"}).json()
    here = f"/api/v1/records/deal/{deal['id']}"
    answer = client.delete(here)
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(here).status_code == 404
    restored = client.post(f"{here}/restore")
    assert restored.status_code == 200
    assert restored.json()["name"] == "Pumps"
    assert client.get(here).status_code == 200


def test_upsert_creates_then_changes(shop: Running) -> None:
    client = shop.client("boss")
    first = client.put("/api/v1/records/account/by/code/A%2F1", json={"name": "Acme"})
    assert (first.status_code, first.json()["code"]) == (201, "A/1")
    assert first.headers["location"] == f"/api/v1/records/account/{first.json()['id']}"
    second = client.put("/api/v1/records/account/by/code/A%2F1", json={"name": "Acme Ltd"})
    assert (second.status_code, second.json()["id"], second.json()["name"]) == (200, first.json()["id"], "Acme Ltd")


def test_atomic_batch_writes_all_or_nothing(shop: Running) -> None:
    client = shop.client("boss")
    operations = [{"action": "create", "values": {"name": "a"}}, {"action": "create", "values": {"amount": -1}}]
    answer = client.post("/api/v1/records/deal/batch", json={"operations": operations})
    assert answer.status_code == 422
    assert {problem["path"] for problem in answer.json()["problems"]} == {
        "operations.1.values.amount", "operations.1.values.name",
    }  # fmt: skip
    assert client.get("/api/v1/records/deal").json()["records"] == []


def test_batch_that_is_not_atomic_tells_what_became_of_each(shop: Running) -> None:
    client = shop.client("boss")
    operations = [{"action": "create", "values": {"name": "a"}}, {"action": "create", "values": {"amount": -1}}]
    answer = client.post("/api/v1/records/deal/batch", json={"operations": operations, "atomic": False})
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert (first["index"], first["action"], first["status"], first["record"]["name"]) == (0, "create", 201, "a")
    assert (second["index"], second["action"], second["status"]) == (1, "create", 422)
    assert [record["name"] for record in client.get("/api/v1/records/deal").json()["records"]] == ["a"]


def test_long_numbers_stay_exact(shop: Running) -> None:
    client = shop.client("boss")
    body = b'{"name": "Large", "credit": 1234567890123456.78}'
    answer = client.post("/api/v1/records/account", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 201
    assert b'"credit":1234567890123456.78' in answer.content


def test_row_rule_hides_the_records_of_others(shop: Running) -> None:
    of_boss = shop.client("boss").post("/api/v1/records/deal", json={"name": "Secret"}).json()
    lin = shop.client("lin")
    own = lin.post("/api/v1/records/deal", json={"name": "Mine"}).json()
    assert [record["id"] for record in lin.get("/api/v1/records/deal").json()["records"]] == [own["id"]]
    for answer in (
        lin.get(f"/api/v1/records/deal/{of_boss['id']}"),
        lin.patch(f"/api/v1/records/deal/{of_boss['id']}", json={"name": "x"}),
        lin.delete(f"/api/v1/records/deal/{of_boss['id']}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "record.unknown")


def test_object_that_may_not_be_read_is_as_if_it_did_not_exist(shop: Running) -> None:
    lin = shop.client("lin")
    hidden, missing = lin.get("/api/v1/records/secret"), lin.get("/api/v1/records/secrxt")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.json()["code"] == missing.json()["code"]
    assert hidden.json()["detail"].replace("secret", "X") == missing.json()["detail"].replace("secrxt", "X")


def test_reader_may_not_write(shop: Running) -> None:
    answer = shop.client("ray").post("/api/v1/records/deal", json={"name": "x"})
    assert (answer.status_code, answer.json()["status"]) == (403, 403)


def test_request_that_a_publish_overtook_is_done_again(small_shop: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = Records.list, []

    def overtaken(records: Records, query: Query) -> Listing:
        calls.append(query.object)
        if len(calls) == 1:
            raise sqlite3.OperationalError("no such column: deal.gone")
        return real(records, query)

    monkeypatch.setattr(Records, "list", overtaken)
    assert small_shop.client("boss").get("/api/v1/records/deal").status_code == 200
    assert calls == ["deal", "deal"]
