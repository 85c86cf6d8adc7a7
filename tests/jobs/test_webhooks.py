"""Webhooks to a real server on this machine."""

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from engine.jobs.port import enqueue
from engine.outbound import Outbound
from engine.testing import Running
from tests.jobs.conftest import NOW

STAMP = "1795313700"  # 2026-11-22 02:15 UTC


class Sink(BaseHTTPRequestHandler):
    seen: list[tuple[str, dict[str, str], bytes]] = []
    answers: list[int] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        Sink.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(Sink.answers.pop(0) if Sink.answers else 204)
        self.send_header("location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"no, and here is why " * 500)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def sink(site: Running) -> Iterator[str]:
    Sink.seen, Sink.answers = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.site.outbound = Outbound(("127.0.0.0/8",))
    site.user("boss", "admin")
    site.user("ray", "reader")
    yield f"http://127.0.0.1:{server.server_port}/hook?token=1"
    server.shutdown()
    server.server_close()


def put(site: Running, url: str) -> str | None:
    payload = {"url": url, "event": "deal.won", "body": {"name": "Pumps"}, "object": "note", "record": ""}
    with site.tenant.database.write() as connection:
        return enqueue(connection, "webhook", payload, now=NOW)


def jobs(site: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.client("boss").get("/api/v1/jobs").json()["jobs"]
    return found


def test_a_call_is_signed_as_standard_webhooks_are(site: Running, sink: str) -> None:
    made = put(site, sink)
    site.work()
    [(path, headers, body)] = Sink.seen
    assert path == "/hook?token=1"
    assert json.loads(body) == {"type": "deal.won", "object": "note", "data": {"name": "Pumps"}}
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (made, STAMP)
    assert headers["content-type"] == "application/json"
    answer = site.client("boss").post("/api/v1/webhooks/secret", json={"url": sink})
    secret = base64.b64decode(answer.json()["secret"].removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(secret, f"{made}.{STAMP}.".encode() + body, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert [one["state"] for one in jobs(site)] == ["done"]


def test_what_is_not_taken_comes_again_with_the_same_id(site: Running, sink: str) -> None:
    Sink.answers = [500, 302, 200]
    site.site.outbound = Outbound(("127.0.0.0/8",), most_bytes=2000)  # less than what is answered: the status counts
    made = put(site, sink)
    for seconds in (0, 10, 70):
        site.work(NOW + timedelta(seconds=seconds))
    assert [headers["webhook-id"] for _, headers, _ in Sink.seen] == [made] * 3
    assert [path for path, _, _ in Sink.seen] == ["/hook?token=1"] * 3  # no redirect is followed
    assert [headers["webhook-timestamp"] for _, headers, _ in Sink.seen] == [STAMP, "1795313710", "1795313770"]
    assert [one["state"] for one in jobs(site)] == ["done"]


def test_little_of_an_answer_is_kept(site: Running, sink: str) -> None:
    Sink.answers = [500]
    put(site, sink)
    site.work()
    [found] = jobs(site)
    assert found["state"] == "waiting"
    assert found["error"].startswith("127.0.0.1 answered 500: no, and here is why")
    assert len(found["error"]) < 400


def test_who_is_gone_is_not_called_again(site: Running, sink: str) -> None:
    Sink.answers = [410]
    put(site, sink)
    site.work()
    assert [(one["state"], one["tries"]) for one in jobs(site)] == [("parked", 1)]


def test_nobody_inside_is_called(site: Running, sink: str) -> None:
    site.site.outbound = Outbound()
    put(site, sink)
    site.work()
    assert [(one["state"], one["error"]) for one in jobs(site)] == [("parked", "127.0.0.1 is an address inside")]
    assert Sink.seen == []


def test_a_secret_belongs_to_one_endpoint_and_is_shown_to_few(site: Running, sink: str) -> None:
    def asked(name: str, url: object) -> Any:
        return site.client(name).post("/api/v1/webhooks/secret", json={"url": url})

    first, second = asked("boss", sink).json()["secret"], asked("boss", sink.replace("hook", "other")).json()["secret"]
    assert first != second
    assert asked("boss", sink.replace("token=1", "token=2")).json()["secret"] == first
    pair = {asked("boss", f"https://{host}").json()["secret"] for host in ("a.example.com", "A.example.com/")}
    assert len(pair) == 1
    assert asked("ray", sink).status_code == 403
    assert asked("boss", "ftp://x").status_code == 422
    assert asked("boss", 7).status_code == 400
    kinds = [one["kind"] for one in site.client("boss").get("/api/v1/audit").json()["entries"]]
    assert kinds.count("webhook.secret.shown") == 5
