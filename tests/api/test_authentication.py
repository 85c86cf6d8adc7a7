from datetime import timedelta

import pytest

from engine.people import tokens, users
from engine.testing import Running
from tests.api.shop import SHOP

HERE = "/api/v1/objects"


def test_without_token_or_session_nothing_is_told(shop: Running) -> None:
    answer = shop.client().get(HERE)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.required")
    assert answer.headers["www-authenticate"] == 'Bearer realm="fieldstone"'


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic YTpi", "bearer", "Bearer é"])
def test_wrong_authorization_is_refused_even_beside_a_good_cookie(shop: Running, header: str) -> None:
    client = shop.client("boss", by="session")
    assert client.get(HERE).status_code == 200
    assert client.get(HERE, headers={"authorization": header.encode("latin-1")}).status_code == 401  # type: ignore[dict-item]


def test_token_ends_at_its_time(shop: Running) -> None:
    token = tokens.make_token(shop.tenant, shop.user("boss"), now=shop.now, days=2)
    client = shop.client()
    client.headers["authorization"] = f"Bearer {token}"
    began = shop.now
    shop.fixed_now = began + timedelta(days=2, seconds=-1)
    assert client.get(HERE).status_code == 200
    shop.fixed_now = began + timedelta(days=2)
    assert client.get(HERE).status_code == 401


def test_revoked_token_is_refused_at_once(shop: Running) -> None:
    client, boss = shop.client("boss"), shop.user("boss")
    assert client.get(HERE).status_code == 200
    (token,) = tokens.list_tokens(shop.tenant, boss)
    assert (token.name, token.used_at) == ("test", shop.now)
    tokens.revoke_token(shop.tenant, boss, token.id)
    assert client.get(HERE).status_code == 401


def test_deactivated_user_is_refused_at_once_by_token_and_by_session(shop: Running) -> None:
    by_token, by_session = shop.client("lin"), shop.client("lin", by="session")
    users.set_active(shop.tenant, "lin", False, shop.now)
    assert (by_token.get(HERE).status_code, by_session.get(HERE).status_code) == (401, 401)


def test_role_that_is_taken_away_stops_working_at_once(shop: Running) -> None:
    client = shop.client("ray")
    assert client.get("/api/v1/records/deal").status_code == 200
    users.set_roles(shop.tenant, "ray", [])
    assert client.get("/api/v1/records/deal").status_code == 404


def test_session_needs_its_csrf_token_to_change_anything(shop: Running) -> None:
    client = shop.client("boss", by="session")
    assert client.post("/api/v1/records/deal", json={"name": "a"}).status_code == 201
    other = shop.session("boss")
    for csrf in ("", "wrong", other.csrf, "é"):
        headers = {"x-csrf-token": csrf.encode("latin-1")}
        answer = client.post("/api/v1/records/deal", json={"name": "b"}, headers=headers)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert len(client.get("/api/v1/records/deal", headers={"x-csrf-token": ""}).json()["records"]) == 1


def test_session_slides_with_use_and_ends_when_idle(shop: Running) -> None:
    client, began = shop.client("boss", by="session"), shop.now
    for hours in (11, 22, 33):
        shop.fixed_now = began + timedelta(hours=hours)
        assert client.get(HERE).status_code == 200
    shop.fixed_now = began + timedelta(hours=46)
    assert client.get(HERE).status_code == 401


def test_session_ends_after_a_week_however_much_it_is_used(shop: Running) -> None:
    client, began = shop.client("boss", by="session"), shop.now
    for hours in range(8, 168, 8):
        shop.fixed_now = began + timedelta(hours=hours)
        assert client.get(HERE).status_code == 200
    shop.fixed_now = began + timedelta(days=7)
    assert client.get(HERE).status_code == 401


def test_publish_is_noticed_by_the_next_request(shop: Running) -> None:
    client = shop.client("boss")
    names = {field["name"] for field in client.get("/api/v1/objects/secret").json()["fields"]}
    assert "level" not in names
    shop.publish(
        SHOP.replace("label: Secret\nfields:", "label: Secret\nfields:\n  level: {type: integer, label: Level}")
    )
    names = {field["name"] for field in client.get("/api/v1/objects/secret").json()["fields"]}
    assert "level" in names
    assert client.post("/api/v1/records/secret", json={"name": "a", "level": 3}).json()["level"] == 3
