"""Tokens that may do less than their user, on every path; and what ends with a user."""

import inspect
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from engine.access.narrow import NarrowScope, TokenScope
from engine.access.scope import Scope
from engine.people import tokens, users
from engine.testing import Running
from tests.signing.conftest import BASE

API = "/api/v1"


def client_of(site: Running, username: str, read_only: bool = False, objects: tuple[str, ...] = ()) -> TestClient:
    user = users.find_user(site.tenant, username).id
    scope = TokenScope(read_only, frozenset(objects))
    token = tokens.make_token(site.tenant, user, now=site.now, name="script", scope=scope)
    client = TestClient(site.app, base_url=BASE, follow_redirects=False)
    client.headers["authorization"] = f"Bearer {token}"
    return client


def test_a_token_for_reading_reads_and_changes_nothing_by_any_method(office: Running) -> None:
    client = client_of(office, "boss", read_only=True)
    deal = office.records().create("deal", {"name": "Pumps"})["id"]
    assert client.get(f"{API}/records/deal").json()["records"][0]["name"] == "Pumps"
    for method, path, body in (
        ("POST", "/records/deal", {"name": "x"}),
        ("PATCH", f"/records/deal/{deal}", {"name": "x"}),
        ("DELETE", f"/records/deal/{deal}", None),
        ("POST", "/records/deal/batch", {"operations": [{"action": "create", "values": {"name": "x"}}]}),
        ("PUT", "/records/account/by/code/A1", {"name": "x"}),
        ("POST", "/tokens", {}),
    ):
        answer = client.request(method, API + path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "token.read_only"), path
    assert client.post(f"/o/deal/{deal}/delete").status_code == 403
    assert [one["name"] for one in office.records().list(query("deal")).records] == ["Pumps"]
    assert [client.get(f"{API}/{one}").status_code for one in ("audit", "automations/runs", "jobs")] == [200, 403, 403]
    actions = client.get(f"{API}/objects/deal").json()["actions"]
    assert actions == ["read"]


def query(name: str):  # type: ignore[no-untyped-def]
    from engine.service import Query

    return Query(name)


def test_a_token_for_some_objects_knows_no_other(office: Running) -> None:
    account = office.records().create("account", {"name": "Acme"})["id"]
    office.records().create("deal", {"name": "Pumps", "account": account})
    client = client_of(office, "boss", objects=("deal",))
    assert [one["name"] for one in client.get(f"{API}/objects").json()["objects"]] == ["deal"]
    assert client.get(f"{API}/records/account").status_code == 404
    assert client.get(f"{API}/records/account/{account}").status_code == 404
    assert client.get(f"{API}/aggregate/account?measures=count()").status_code == 404
    assert client.post(f"{API}/records/account", json={"name": "x"}).status_code == 404
    assert client.get(f"{API}/records/deal?fields=name,account.name").status_code == 400
    assert client.get(f"{API}/records/deal?filter=account.name == 'Acme'").status_code == 400
    assert client.get(f"{API}/records/deal?sort=account.name").status_code == 400
    assert "account" not in client.get(f"{API}/openapi.json").json()["paths"]
    assert client.post(f"{API}/records/deal", json={"name": "Valves"}).status_code == 201


def test_a_token_never_adds_to_what_its_user_may(office: Running) -> None:
    client = client_of(office, "ray", objects=("deal", "secret"))
    assert [one["name"] for one in client.get(f"{API}/objects").json()["objects"]] == ["deal"]
    assert client.post(f"{API}/records/deal", json={"name": "x"}).status_code == 403


def test_a_limited_token_tells_and_makes_no_tokens_and_opens_no_account_page(office: Running) -> None:
    client = client_of(office, "boss", objects=("deal",))
    for method, path in (("GET", "/tokens"), ("POST", "/tokens"), ("GET", "/sessions")):
        assert client.request(method, API + path).status_code == 403
    assert client.get("/me").status_code == 403
    assert client_of(office, "boss").post("/me/tokens", data={"name": "x", "days": "7"}).status_code == 403


def test_narrowing_answers_for_all_that_a_scope_is_asked() -> None:
    """A new question of Scope is to be answered in NarrowScope, or be made of what is."""
    asked = {name for name, _ in inspect.getmembers(Scope, inspect.isfunction) if not name.startswith("_")}
    answered = {name for name in vars(NarrowScope) if not name.startswith("_")}
    assert asked - answered == {"actions", "fields", "masks", "objects", "title"}


def test_a_token_is_made_told_once_listed_and_revoked_by_the_api(office: Running) -> None:
    client = client_of(office, "boss")
    made = client.post(f"{API}/tokens", json={"name": "import", "days": 30, "read_only": True, "objects": ["deal"]})
    assert made.status_code == 201
    token, token_id = made.json()["token"], made.json()["id"]
    assert made.json()["expires_at"] == "2026-12-22T02:15:00.000Z"
    listed = client.get(f"{API}/tokens").json()["tokens"]
    assert [(one["name"], one["read_only"], one["objects"]) for one in listed] == [
        ("script", False, []), ("import", True, ["deal"]),
    ]  # fmt: skip
    assert token not in client.get(f"{API}/tokens").text
    with office.tenant.database.read() as connection:
        assert token not in repr(connection.rows("SELECT * FROM fs_token"))
    other = TestClient(office.app, base_url=BASE, headers={"authorization": f"Bearer {token}"})
    assert other.get(f"{API}/records/deal").status_code == 200
    assert client_of(office, "kim").delete(f"{API}/tokens/{token_id}").status_code == 404
    assert client.delete(f"{API}/tokens/{token_id}").status_code == 204
    assert other.get(f"{API}/records/deal").status_code == 401


def test_the_answer_with_a_token_is_not_kept(office: Running) -> None:
    answer = client_of(office, "boss").post(f"{API}/tokens", headers={"idempotency-key": "one"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.unsupported")


def test_a_limited_token_gets_no_answer_that_is_kept_for_another_one(office: Running) -> None:
    headers = {"idempotency-key": "one"}
    made = client_of(office, "boss").post(f"{API}/records/account", json={"name": "Acme"}, headers=headers)
    assert made.status_code == 201
    limited = client_of(office, "boss", objects=("deal",))
    again = limited.post(f"{API}/records/account", json={"name": "Acme"}, headers=headers)
    assert (again.status_code, "Acme" in again.text) == (409, False)


@pytest.mark.parametrize(
    "sent", [{"days": 0}, {"days": True}, {"objects": ["nothing"]}, {"objects": "deal"}, {"read_only": 1}, {"x": 1}]
)
def test_a_token_that_cannot_be_is_refused(office: Running, sent: dict[str, object]) -> None:
    client = client_of(office, "boss")
    assert client.post(f"{API}/tokens", json=sent).status_code == 422
    assert len(client.get(f"{API}/tokens").json()["tokens"]) == 1


@pytest.mark.parametrize("way", ["command", "api", "batch", "delete"])
def test_what_a_user_held_does_not_live_again_with_the_user(office: Running, way: str) -> None:
    boss, kim = client_of(office, "boss"), users.find_user(office.tenant, "kim").id
    token, session = client_of(office, "kim"), office.session("kim")
    path = f"{API}/records/user/{kim}"
    if way == "command":
        users.set_active(office.tenant, "kim", False, office.now)
        users.set_active(office.tenant, "kim", True, office.now)
    elif way == "api":
        assert boss.patch(path, json={"is_active": False}).status_code == 200
        assert boss.patch(path, json={"is_active": True}).status_code == 200
    elif way == "batch":
        for value in (False, True):
            one = {"action": "update", "id": kim, "values": {"is_active": value}}
            assert boss.post(f"{API}/records/user/batch", json={"operations": [one]}).status_code == 200
    else:
        assert boss.delete(path).status_code == 204
        assert boss.post(f"{path}/restore").status_code == 200
    assert token.get(f"{API}/objects").status_code == 401
    with office.tenant.database.read() as connection:
        assert connection.rows("SELECT * FROM fs_session") == []
    assert session.secret


def test_a_user_whose_other_fields_change_stays_signed_in(office: Running) -> None:
    token, kim = client_of(office, "kim"), users.find_user(office.tenant, "kim").id
    client_of(office, "boss").patch(f"{API}/records/user/{kim}", json={"name": "Kim Li"})
    assert token.get(f"{API}/objects").status_code == 200


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Asia/Shanghia", "../etc/passwd", "utc "])
def test_a_time_zone_that_is_none_is_refused(office: Running, zone: str) -> None:
    kim = users.find_user(office.tenant, "kim").id
    answer = client_of(office, "boss").patch(f"{API}/records/user/{kim}", json={"time_zone": zone})
    assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "time_zone")
    answer = client_of(office, "boss").patch(f"{API}/records/user/{kim}", json={"time_zone": "Asia/Shanghai"})
    assert answer.json()["time_zone"] == "Asia/Shanghai"


def test_sessions_are_listed_and_ended_one_by_one(office: Running) -> None:
    mine, other = office.session("kim"), office.session("kim")
    client = TestClient(office.app, base_url=BASE, headers={
        "cookie": f"fieldstone_session={mine.secret}", "x-csrf-token": mine.csrf,
    })  # fmt: skip
    listed = client.get(f"{API}/sessions").json()["sessions"]
    assert sorted(one["is_current"] for one in listed) == [False, True]
    [ended] = [one["id"] for one in listed if not one["is_current"]]
    assert client_of(office, "boss").delete(f"{API}/sessions/{ended}").status_code == 404
    assert client.delete(f"{API}/sessions/{ended}").status_code == 204
    assert len(client.get(f"{API}/sessions").json()["sessions"]) == 1
    assert other.secret not in client.get(f"{API}/sessions").text


def test_sessions_of_others_are_ended_by_who_manages_users(office: Running) -> None:
    kim = users.find_user(office.tenant, "kim").id
    office.session("kim")
    assert client_of(office, "ray").delete(f"{API}/users/{kim}/sessions").status_code in (403, 404)
    assert client_of(office, "boss").delete(f"{API}/users/{kim}/sessions").status_code == 204
    with office.tenant.database.read() as connection:
        assert connection.rows("SELECT * FROM fs_session") == []


def test_the_time_of_a_session_that_was_idle_too_long_is_over_in_the_list_too(office: Running) -> None:
    office.session("kim")
    office.fixed_now = office.now + timedelta(hours=13)
    client = client_of(office, "kim")
    assert client.get(f"{API}/sessions").json()["sessions"] == []
