from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from engine.people.users import set_roles
from engine.testing import Running, running


def test_same_key_and_request_has_one_effect_and_the_same_answer(shop: Running) -> None:
    client = shop.client("boss")
    key = {"idempotency-key": "5f9c"}
    first = client.post("/api/v1/records/deal", json={"name": "Pumps"}, headers=key)
    second = client.post("/api/v1/records/deal", json={"name": "Pumps"}, headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["etag"] == '"1"'
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(client.get("/api/v1/records/deal").json()["records"]) == 1


def test_same_key_for_another_request_is_a_conflict(shop: Running) -> None:
    client = shop.client("boss")
    client.post("/api/v1/records/deal", json={"name": "Pumps"}, headers={"idempotency-key": "k"})
    answer = client.post("/api/v1/records/deal", json={"name": "Valves"}, headers={"idempotency-key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency.reused")
    answer = client.post("/api/v1/records/account", json={"name": "Pumps"}, headers={"idempotency-key": "k"})
    assert answer.status_code == 409


def test_keys_of_different_people_do_not_meet(shop: Running) -> None:
    key = {"idempotency-key": "k"}
    assert shop.client("boss").post("/api/v1/records/deal", json={"name": "a"}, headers=key).status_code == 201
    answer = shop.client("lin").post("/api/v1/records/deal", json={"name": "b"}, headers=key)
    assert (answer.status_code, answer.json()["name"]) == (201, "b")


def test_refusal_leaves_the_key_free(shop: Running) -> None:
    client = shop.client("boss")
    key = {"idempotency-key": "k"}
    assert client.post("/api/v1/records/deal", json={"amount": -1}, headers=key).status_code == 422
    assert client.post("/api/v1/records/deal", json={"name": "a", "amount": 1}, headers=key).status_code == 201


def test_batch_and_restore_take_a_key_too(shop: Running) -> None:
    client = shop.client("boss")
    body = {"operations": [{"action": "create", "values": {"name": "a"}}]}
    first = client.post("/api/v1/records/deal/batch", json=body, headers={"idempotency-key": "b"})
    second = client.post("/api/v1/records/deal/batch", json=body, headers={"idempotency-key": "b"})
    assert first.status_code == 200
    assert second.json() == first.json()
    record_id = first.json()["results"][0]["id"]
    client.delete(f"/api/v1/records/deal/{record_id}")
    again = f"/api/v1/records/deal/{record_id}/restore"
    assert client.post(again, headers={"idempotency-key": "r"}).status_code == 200
    assert client.post(again, headers={"idempotency-key": "r"}).status_code == 200


def test_batch_that_is_not_atomic_keeps_its_good_rows_under_a_key(shop: Running) -> None:
    client = shop.client("boss")
    operations = [{"action": "create", "values": {"amount": -1}}, {"action": "create", "values": {"name": "a"}}]
    body = {"operations": operations, "atomic": False}
    for _ in range(2):
        answer = client.post("/api/v1/records/deal/batch", json=body, headers={"idempotency-key": "b"})
        assert [result["status"] for result in answer.json()["results"]] == [422, 201]
    assert len(client.get("/api/v1/records/deal").json()["records"]) == 1


def test_many_at_once_with_one_key_have_one_effect(shop: Running) -> None:
    with shop.client("boss") as client, ThreadPoolExecutor(4) as pool:

        def send(_: int) -> int:
            return client.post("/api/v1/records/deal", json={"name": "a"}, headers={"idempotency-key": "k"}).status_code

        assert list(pool.map(send, range(8))) == [201] * 8
        assert len(client.get("/api/v1/records/deal").json()["records"]) == 1


def test_key_is_free_again_after_a_day(shop: Running) -> None:
    client = shop.client("boss")
    key = {"idempotency-key": "k"}
    first = client.post("/api/v1/records/deal", json={"name": "a"}, headers=key).json()
    shop.fixed_now = shop.now + timedelta(hours=25)
    second = client.post("/api/v1/records/deal", json={"name": "a"}, headers=key).json()
    assert first["id"] != second["id"]


@pytest.mark.parametrize("key", ["", "a b", "k" * 201, "clé"])
def test_malformed_key_is_refused(small_shop: Running, key: str) -> None:
    headers = {"idempotency-key": key.encode("latin-1")}
    answer = small_shop.client("boss").post("/api/v1/records/deal", json={"name": "a"}, headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.key")


def test_a_kept_answer_tells_nothing_that_its_person_may_not_see_any_more(database_url: str) -> None:
    text = """
package: p
version: 1.0.0
label: P
---
object: lead
label: Lead
sharing: private
fields:
  name: {type: text, label: Name, required: true}
---
role: seller
objects: {lead: [create, read, update]}
---
role: reader
objects: {lead: {can: [create, read, update], fields: {name: hidden}, reach: all}}
"""
    with running(database_url, [text]) as site:
        site.user("boss", "admin")
        site.user("lin", "seller")
        client, boss, path = site.client("lin"), site.client("boss"), "/api/v1/records/lead"
        body = {"operations": [{"action": "create", "values": {"name": "Beta"}}]}

        def send() -> tuple[dict, dict]:
            one = client.post(path, json={"name": "Acme"}, headers={"idempotency-key": "a"})
            several = client.post(f"{path}/batch", json=body, headers={"idempotency-key": "b"})
            assert (one.status_code, several.status_code) == (201, 200)
            return one.json(), several.json()

        first, results = send()
        assert send() == (first, results)
        made = results["results"][0]["id"]
        for one in (first["id"], made):
            assert boss.patch(f"{path}/{one}", json={"owner": site.user("boss")}).status_code == 200
        told = {"id": first["id"], "version": 1}, {
            "results": [{"index": 0, "action": "create", "status": 201, "id": made}]
        }  # fmt: skip
        assert send() == told
        for one in (first["id"], made):
            boss.patch(f"{path}/{one}", json={"owner": site.user("lin")})
        assert send() == (first, results)
        set_roles(site.tenant, "lin", ["reader"])
        assert send() == told
        assert len(boss.get(path).json()["records"]) == 2


def test_what_is_unmasked_or_exported_is_not_kept(shop: Running) -> None:
    client, key = shop.client("boss"), {"idempotency-key": "k"}
    deal = client.post("/api/v1/records/deal", json={"name": "Pumps"}).json()["id"]
    for path in (f"/api/v1/records/deal/{deal}/unmask", f"/api/v1/privacy/deal/{deal}/export"):
        answer = client.post(path, json={}, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.unsupported")
