from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from engine.testing import Running


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
