"""Around every request: hosts, headers, request ids, health, metrics."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.testing import Running, running
from tests.api.shop import SHOP


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "crm.example.com"])
def test_configured_hosts_are_answered(sqlite_url: str, host: str) -> None:
    with running(sqlite_url, [SHOP], base_url="https://crm.example.com") as site:
        assert site.client().get("/api/v1/objects", headers={"host": host}).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "crm.example.com.evil.example", "localhost.evil.example", ""])
def test_other_hosts_are_refused(sqlite_url: str, host: str) -> None:
    with running(sqlite_url, [SHOP], base_url="https://crm.example.com") as site:
        answer = site.client().get("/api/v1/objects", headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (400, "host")


def test_any_host_is_answered_only_when_that_is_said(sqlite_url: str) -> None:
    with running(sqlite_url, [SHOP], hosts=("*",)) as site:
        assert site.client().get("/api/v1/objects", headers={"host": "evil.example"}).status_code == 401


def test_answers_carry_the_security_headers(small_shop: Running) -> None:
    for path in ("/api/v1/objects", "/api/v1/nothing", "/healthz", "/nothing"):
        headers = small_shop.client("boss").get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert len(headers["x-request-id"]) == 16
    assert small_shop.client("boss").get("/api/v1/objects").headers["cache-control"] == "private, no-cache"


def test_https_is_insisted_on_where_it_is_used(sqlite_url: str) -> None:
    with running(sqlite_url, [SHOP], base_url="https://crm.example.com") as site:
        assert site.client().get("/healthz").headers["strict-transport-security"] == "max-age=31536000"
        assert site.site.cookie()["secure"] is True
    with running(sqlite_url) as site:
        assert "strict-transport-security" not in site.client().get("/healthz").headers
        assert site.site.cookie()["secure"] is False


def test_a_person_who_asks_too_often_waits_for_the_next_minute(sqlite_url: str) -> None:
    began = datetime(2026, 11, 28, 9, 0, 50, tzinfo=UTC)
    with running(sqlite_url, [SHOP], now=began, requests_per_minute=3, tenant_requests_per_minute=5) as site:
        site.user("boss", "admin")
        site.user("lin", "seller")
        boss, lin = site.client("boss"), site.client("lin")
        ask = "/api/v1/objects"
        assert [boss.get(ask).status_code for _ in range(3)] == [200, 200, 200]
        refused = boss.get(ask)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
        assert refused.json()["code"] == "request.many"
        assert refused.json()["detail"] == "more than 3 requests in a minute"
        assert lin.get(ask).status_code == 200
        assert lin.get(ask).json()["detail"] == "all together made more than 5 requests in a minute"
        site.app.state.site.clock = lambda: began + timedelta(seconds=10)
        assert (boss.get(ask).status_code, lin.get(ask).status_code) == (200, 200)


def test_request_id_is_kept_when_it_is_one(small_shop: Running) -> None:
    client = small_shop.client()
    assert client.get("/healthz", headers={"x-request-id": "abc-123"}).headers["x-request-id"] == "abc-123"
    assert client.get("/healthz", headers={"x-request-id": "a b\tc"}).headers["x-request-id"] != "a b\tc"


def test_health_answers_whatever_the_host(small_shop: Running) -> None:
    client = small_shop.client()
    assert client.get("/healthz", headers={"host": "10.0.0.7:8000"}).json() == {"status": "ok"}
    assert client.get("/readyz", headers={"host": "10.0.0.7:8000"}).json() == {"status": "ok"}


def test_not_ready_before_anything_is_published(database_url: str) -> None:
    with running(database_url) as site:
        answer = site.client().get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "nothing published"})
        assert site.client().get("/api/v1/objects").status_code == 401


def test_metrics_count_by_route_and_never_by_path(small_shop: Running) -> None:
    client = small_shop.client("boss")
    client.get("/api/v1/records/deal/019ab000-0000-7000-8000-000000000000")
    client.get("/api/v1/records/deal")
    client.get("/api/v1/wp-admin")
    text = client.get("/metrics").text
    assert 'fieldstone_requests_total{method="GET",route="/api/v1/records/{object}/{id}",status="404"} 1\n' in text
    assert 'fieldstone_requests_total{method="GET",route="/api/v1/records/{object}",status="200"} 1\n' in text
    assert 'fieldstone_request_seconds_count{route="/api/v1/records/{object}"} 1\n' in text
    assert "019ab000" not in text
    assert "wp-admin" not in text


def test_metrics_can_be_closed(sqlite_url: str) -> None:
    with running(sqlite_url, [SHOP], metrics_token="m3trics") as site:
        assert site.client().get("/metrics").status_code == 401
        assert site.client().get("/metrics", headers={"authorization": "Bearer m3trics"}).status_code == 200
