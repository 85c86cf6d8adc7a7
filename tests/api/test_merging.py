"""Duplicates and merges over HTTP: what is sent, what is answered, what is refused."""

import pytest
from starlette.testclient import TestClient

from engine.testing import Running

RECORDS = "/api/v1/records"


def create(client: TestClient, object_name: str, **values: object) -> str:
    made: str = client.post(f"{RECORDS}/{object_name}", json=values).json()["id"]
    return made


def test_a_warning_comes_with_the_record_and_a_list_tells_the_likeliest(shop: Running) -> None:
    client = shop.client("boss")
    acme = create(client, "account", name="Acme Co., Ltd.")
    answer = client.post(f"{RECORDS}/account", json={"name": "ACME"})
    assert answer.status_code == 201
    candidate = {"object": "account", "id": acme, "title": "Acme Co., Ltd."}
    assert answer.json()["_warnings"] == [{
        "path": "name", "code": "duplicate.possible", "candidates": [candidate],
        "message": "there may already be such a record: 'Acme Co., Ltd.'",
    }]  # fmt: skip
    found = client.get(f"/api/v1/duplicates/account/{answer.json()['id']}").json()
    assert found == {"candidates": [{**candidate, "rule": "same_company", "score": 100}]}
    assert shop.client("ray").get(f"/api/v1/duplicates/secret/{acme}").status_code == 404
    assert client.get(f"/api/v1/duplicates/deal/{acme}").status_code == 404


def test_a_refusal_names_the_candidates(shop: Running) -> None:
    client = shop.client("boss")
    acme = create(client, "account", name="Acme", code="ACME-2026-001")
    answer = client.post(f"{RECORDS}/account", json={"name": "Other", "code": "ACME-2026-0011"})
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate.found")
    (problem,) = answer.json()["problems"]
    assert (problem["path"], problem["code"]) == ("code", "duplicate.found")
    assert problem["candidates"] == [{"object": "account", "id": acme, "title": "Acme"}]


def test_each_record_of_a_batch_has_its_warnings(shop: Running) -> None:
    client = shop.client("boss")
    create(client, "account", name="Acme")
    creates = [{"action": "create", "values": {"name": name}} for name in ("Widgets", "Acme Ltd")]
    results = client.post(f"{RECORDS}/account/batch", json={"operations": creates}).json()["results"]
    assert ["_warnings" in result["record"] for result in results] == [False, True]


def test_records_are_merged_and_the_merge_taken_back(shop: Running) -> None:
    client = shop.client("boss")
    acme, other = create(client, "account", name="Acme"), create(client, "account", name="Acme Ltd", code="A1")
    deal = create(client, "deal", name="Pumps", account=other)
    sent = {"others": [other], "values": {"code": other}, "if_versions": {acme: 1, other: 1}}
    answer = client.post(f"{RECORDS}/account/{acme}/merge", json=sent)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert (answer.json()["code"], answer.json()["_merge"]) == (
        "A1", {"others": [other], "moved": [{"object": "deal", "field": "account", "count": 1}]},
    )  # fmt: skip
    assert client.get(f"{RECORDS}/deal/{deal}").json()["account"] == acme
    assert client.get(f"{RECORDS}/account/{other}").status_code == 404
    client.patch(f"{RECORDS}/account/{acme}", json={"code": "A2"})
    back = client.post(f"{RECORDS}/account/{acme}/unmerge").json()
    assert back["_unmerge"] == {
        "others": [other], "moved": [{"object": "deal", "field": "account", "count": 1}],
        "kept": [{"object": "account", "id": acme, "field": "code"}],
    }  # fmt: skip
    again = client.post(f"{RECORDS}/account/{acme}/unmerge")
    assert (again.status_code, again.json()["code"]) == (404, "merge.none")


def test_a_merge_that_is_sent_again_has_no_second_effect(shop: Running) -> None:
    client = shop.client("boss")
    acme, other = create(client, "account", name="Acme"), create(client, "account", name="Acme Ltd")
    answers = [
        client.post(f"{RECORDS}/account/{acme}/merge", json={"others": [other]}, headers={"idempotency-key": "k"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("sent", "path", "code"),
    [
        ({}, "others", "value.type"),
        ({"others": "x"}, "others", "value.type"),
        ({"others": [1]}, "others", "value.type"),
        ({"others": []}, "others", "merge.others"),
        ({"others": ["a", "b", "c"]}, "others", "merge.others"),
        ({"others": ["a"], "values": []}, "values", "value.type"),
        ({"others": ["a"], "values": {"name": 1}}, "values", "value.type"),
        ({"others": ["a"], "if_versions": {"a": True}}, "if_versions", "value.type"),
        ({"others": ["a"], "valeus": {}}, "valeus", "merge.key"),
        ({"others": ["a"], "values": {"nmae": "a"}}, "values.nmae", "field.unknown"),
    ],
)
def test_what_cannot_be_understood_is_refused(small_shop: Running, sent: object, path: str, code: str) -> None:
    client = small_shop.client("boss")
    acme = create(client, "account", name="Acme")
    answer = client.post(f"{RECORDS}/account/{acme}/merge", json=sent)
    assert answer.status_code == 422
    assert [(problem["path"], problem["code"]) for problem in answer.json()["problems"]] == [(path, code)]


def test_who_may_not_is_refused(small_shop: Running) -> None:
    acme = create(small_shop.client("boss"), "account", name="Acme")
    other = create(small_shop.client("boss"), "account", name="Other")
    for verb in ("merge", "unmerge"):
        answer = small_shop.client("ray").post(
            f"{RECORDS}/account/{acme}/{verb}", json={"others": [other]} if verb == "merge" else None
        )
        assert answer.status_code == 403


def test_the_document_offers_merging_to_those_who_may(small_shop: Running) -> None:
    def paths(username: str) -> set[str]:
        found = small_shop.client(username).get("/api/v1/openapi.json").json()["paths"]
        return {path for path in found if "merge" in path or "duplicates" in path}

    assert paths("boss") >= {"/duplicates/account/{id}", "/records/account/{id}/merge", "/records/account/{id}/unmerge"}
    assert paths("ray") == {"/duplicates/account/{id}", "/duplicates/deal/{id}"}
