"""Requests that no browser and no honest script sends: refused with a reason, never a failure of ours."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.store.query import Query, SortKey, _cursor_shape
from engine.store.query_keyset import write_cursor
from engine.testing import Running, running
from tests.review.kit import KIT

PARTS = "/api/v1/records/part"
ID = "01a20167-f40a-774b-abbe-59005cae514f"


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [KIT], ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        yield site


@pytest.mark.parametrize(
    ("field", "value", "record"),
    [
        ("size", "a", ID), ("size", 1.5, ID), ("size", True, ID), ("size", 2**63, ID), ("size", 1, "x"),
        ("name", "\0", ID), ("name", 5, ID), ("name", "a", "\0"), ("weight", "NaN", ID), ("weight", "Infinity", ID),
        ("weight", "1e99999999", ID), ("is_new", "x", ID), ("is_new", 2, ID), ("made_on", 5, ID),
        ("sold_at", "2026-01-01", ID), ("opens", "12:00+01:00", ID),
    ],
)  # fmt: skip
def test_a_forged_cursor(site: Running, field: str, value: object, record: object) -> None:
    query = Query("part", sort=(SortKey(field),))
    cursor = write_cursor(_cursor_shape(query), [value, record])
    answer = site.client("boss").get(PARTS, params={"sort": field, "cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor.bad")


@pytest.mark.parametrize("action", [[], {}, None, 1, "steal"])
def test_an_action_of_a_batch_that_is_no_name(site: Running, action: Any) -> None:
    answer = site.client("boss").post(f"{PARTS}/batch", json={"operations": [{"action": action}]})
    assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "operations.0")


@pytest.mark.parametrize("onward", ["//[", "http://[", "//\u2100x"])
def test_an_onward_address_that_is_none(site: Running, onward: str) -> None:
    page = site.client().get("/login", params={"next": onward})
    assert page.status_code == 200
    assert '<input type="hidden" name="next" value="/">' in page.text
    boss = site.client("boss", by="session")
    answer = boss.post("/preferences", data={"csrf": boss.headers["x-csrf-token"], "back": onward})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_user_name_that_cannot_be_stored(site: Running) -> None:
    client = site.client()
    client.get("/login")
    form = {"csrf": client.cookies["fieldstone_door"], "username": "bo\0ss", "password": "x\0"}
    assert client.post("/login", data=form).status_code == 401


@pytest.mark.parametrize("charset", ["unicode_escape", "raw_unicode_escape", "punycode"])
def test_a_form_in_an_encoding_that_hides_characters(site: Running, charset: str) -> None:
    boss = site.client("boss", by="session")
    part = b'--X\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    token = boss.headers["x-csrf-token"].encode()
    form = part % (b"name", b"\\ud800") + part % (b"_csrf", token) + b"--X--\r\n"
    for path in ("/o/part/new", "/login"):
        kind = f"multipart/form-data; boundary=X; charset={charset}"
        assert boss.post(path, content=form, headers={"content-type": kind}).status_code == 415
    assert boss.get(PARTS).json()["records"] == []


@pytest.mark.parametrize("username", ["BOSS", "ＡＮＡ", "bo ss", "<b>", "-ana", "ana."])
def test_a_user_name_that_looks_like_another(site: Running, username: str) -> None:
    answer = site.client("boss").post("/api/v1/records/user", json={"username": username, "name": "Ana"})
    assert answer.status_code == 422
    assert [problem["path"] for problem in answer.json()["problems"]] == ["username"]
