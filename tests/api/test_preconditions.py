"""ETag, If-Match and If-None-Match: RFC 9110, 13."""

import pytest

from engine.testing import Running


@pytest.fixture
def place(small_shop: Running) -> str:
    """A deal at version 2."""
    client = small_shop.client("boss")
    deal = client.post("/api/v1/records/deal", json={"name": "Pumps"}).json()
    client.patch(f"/api/v1/records/deal/{deal['id']}", json={"amount": 1})
    return f"/api/v1/records/deal/{deal['id']}"


@pytest.mark.parametrize("tag", ['"2"', "*", ' "2" ', '"1", "2"', 'W/"2", "2"', '"x","2"'])
def test_patch_goes_through_at_the_version_named(small_shop: Running, place: str, tag: str) -> None:
    answer = small_shop.client("boss").patch(place, json={"amount": 7}, headers={"if-match": tag})
    assert (answer.status_code, answer.json()["amount"], answer.headers["etag"]) == (200, 7, '"3"')


@pytest.mark.parametrize("tag", ['"1"', 'W/"2"', '"1", "3"', '"x"', '""', '"99999999999999999999999"'])
def test_patch_is_refused_at_another_version(small_shop: Running, place: str, tag: str) -> None:
    answer = small_shop.client("boss").patch(place, json={"amount": 7}, headers={"if-match": tag})
    assert (answer.status_code, answer.json()["code"]) == (412, "record.stale")
    told = "not 1: it was changed meanwhile" if tag == '"1"' else "which If-Match does not name"
    assert answer.json()["detail"] == f"the record is at version 2, {told}"


@pytest.mark.parametrize("tag", ["2", '"2', "", "'2'", '"2" "3"'])
def test_malformed_tag_is_a_bad_request(small_shop: Running, place: str, tag: str) -> None:
    answer = small_shop.client("boss").patch(place, json={"amount": 7}, headers={"if-match": tag})
    assert (answer.status_code, answer.json()["code"]) == (400, "precondition.malformed")


def test_delete_honours_if_match(small_shop: Running, place: str) -> None:
    client = small_shop.client("boss")
    assert client.delete(place, headers={"if-match": '"1"'}).status_code == 412
    assert client.delete(place, headers={"if-match": '"2"'}).status_code == 204


def test_missing_record_is_not_found_whatever_the_precondition(small_shop: Running) -> None:
    gone = "/api/v1/records/deal/019ab000-0000-7000-8000-000000000000"
    for tag in ("*", '"1"', '"1", "2"'):
        answer = small_shop.client("boss").patch(gone, json={"amount": 7}, headers={"if-match": tag})
        assert (answer.status_code, answer.json()["code"]) == (404, "record.unknown")


def test_precondition_where_it_is_not_taken_is_refused_rather_than_ignored(small_shop: Running) -> None:
    client = small_shop.client("boss")
    put = client.put("/api/v1/records/account/by/code/A", json={"name": "x"}, headers={"if-match": '"1"'})
    assert (put.status_code, put.json()["code"]) == (400, "precondition.unsupported")
    put = client.put("/api/v1/records/account/by/code/A", json={"name": "x"}, headers={"if-none-match": "*"})
    assert (put.status_code, put.json()["code"]) == (400, "precondition.unsupported")


@pytest.mark.parametrize("tag", ['"2"', 'W/"2"', "*", '"1", "2"'])
def test_get_sends_nothing_that_the_client_has(small_shop: Running, place: str, tag: str) -> None:
    answer = small_shop.client("boss").get(place, headers={"if-none-match": tag})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"2"')


def test_get_sends_a_record_that_has_changed(small_shop: Running, place: str) -> None:
    assert small_shop.client("boss").get(place, headers={"if-none-match": '"1"'}).status_code == 200


@pytest.mark.parametrize("query", ["", "?fields=account.name"])
def test_a_malformed_tag_is_told_whatever_is_read(small_shop: Running, place: str, query: str) -> None:
    answer = small_shop.client("boss").get(place + query, headers={"if-none-match": "2"})
    assert (answer.status_code, answer.json()["code"]) == (400, "precondition.malformed")


def test_get_through_a_reference_is_always_sent(small_shop: Running, place: str) -> None:
    answer = small_shop.client("boss").get(place + "?fields=account.name", headers={"if-none-match": '"2"'})
    assert answer.status_code == 200
