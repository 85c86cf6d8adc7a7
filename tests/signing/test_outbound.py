"""The client that calls other servers goes nowhere inside, and takes neither long nor much."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest

from engine import outbound
from engine.outbound import Outbound, OutboundFailed, OutboundRefused, Reply, is_inside


class Server(BaseHTTPRequestHandler):
    seen: list[tuple[str, dict[str, str]]] = []
    onward = ""

    def do_GET(self) -> None:
        Server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if self.path == "/onward":
            self.send_response(302)
            self.send_header("location", Server.onward)
            self.end_headers()
        elif self.path == "/round":
            self.send_response(302)
            self.send_header("location", "/round")
            self.end_headers()
        elif self.path == "/large":
            self.send_response(200)
            self.end_headers()
            for _ in range(40):
                self.wfile.write(b"x" * 65536)
        elif self.path == "/drips":
            self.send_response(200)
            self.end_headers()
            for _ in range(40):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"ok": true}')

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()


@pytest.fixture
def port() -> Iterator[int]:
    Server.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


ALLOWED = ("127.0.0.1/32",)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0177.0.0.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]",
     "0.0.0.0", "[::]", "127.0.0.1."],
)  # fmt: skip
def test_this_machine_is_not_called_however_it_is_written(port: int, host: str) -> None:
    with pytest.raises((OutboundRefused, OutboundFailed)):
        Outbound().get(f"http://{host}:{port}/")
    assert Server.seen == []


@pytest.mark.parametrize("url", [
    "http://①②⑦.⓪.⓪.①/", "file:///x", "ftp://example.com/", "http://", "http://a:b@example.com/", "http://a b/",
    "http://example.com\\@127.0.0.1/", "http://example.com:99999/", "http://example.com/\r\nx: y", "gopher://x", "",
])  # fmt: skip
def test_what_is_no_plain_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(OutboundRefused):
        Outbound(ALLOWED).get(url)


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "127.8.8.8", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "240.0.0.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "::ffff:0:7f00:1", "fec0::1", "2002:7f00:1::", "2001:db8::1"],
)  # fmt: skip
def test_addresses_inside_are_known(address: str) -> None:
    assert is_inside(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_outside_are_known(address: str) -> None:
    assert not is_inside(ip_address(address))


def test_what_is_allowed_is_called(port: int) -> None:
    reply = Outbound(ALLOWED).get(f"http://127.0.0.1:{port}/", {"authorization": "Bearer x"})
    assert (reply.status, reply.json()) == (200, {"ok": True})
    assert Server.seen[0][1]["authorization"] == "Bearer x"
    assert Server.seen[0][1]["accept-encoding"] == "identity"


def test_a_name_is_resolved_once_and_what_was_checked_is_called(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def changing(host: str, *args: Any, **more: Any) -> list[Any]:
        if host != "shop.example":
            return real(host, *args, **more)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", changing)
    assert Outbound(ALLOWED).get(f"http://shop.example:{port}/").status == 200
    assert asked.count("shop.example") == 1
    assert Server.seen[0][1]["host"] == f"shop.example:{port}"


def test_a_name_with_one_address_inside_is_refused_as_a_whole(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in ("127.0.0.1", "10.0.0.1")]
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *args, **more: found)
    with pytest.raises(OutboundRefused):
        Outbound(ALLOWED).get(f"http://shop.example:{port}/")
    assert Server.seen == []


@pytest.mark.parametrize("place", ["http://localhost:{port}/", "http://[::1]:{port}/", "http://10.0.0.1/", "file:///x"])
def test_a_redirect_to_the_inside_is_not_followed(port: int, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def resolve(host: str, *args: Any, **more: Any) -> list[Any]:
        return real("127.0.0.2" if host == "localhost" else host, *args, **more)

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)
    Server.onward = place.format(port=port)
    with pytest.raises(OutboundRefused):
        Outbound(ALLOWED).get(f"http://127.0.0.1:{port}/onward")
    assert [path for path, _ in Server.seen] == ["/onward"]


def test_a_redirect_to_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outbound, "_once", lambda *_: Reply(302, {"location": "http://["}, b""))
    with pytest.raises(OutboundRefused, match=r"^a redirect leads to what is no web address$"):
        Outbound().get("https://example.com/")


def test_a_redirect_does_not_lead_away_from_https(monkeypatch: pytest.MonkeyPatch) -> None:
    onward = Reply(302, {"location": "http://shop.example/"}, b"")
    monkeypatch.setattr(Outbound, "_once", lambda *args: onward)
    with pytest.raises(OutboundRefused, match=r"^a redirect leads away from https$"):
        Outbound().get("https://shop.example/")


def test_another_server_is_not_told_what_was_meant_for_the_first(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        outbound.socket, "getaddrinfo", lambda host, *args, **more: real("127.0.0.1", *args, **more)
    )  # fmt: skip
    Server.onward = f"http://other.example:{port}/there"
    Outbound(ALLOWED).get(f"http://127.0.0.1:{port}/onward", {"authorization": "Bearer x", "accept": "a/b"})
    assert [("authorization" in headers, headers["accept"]) for _, headers in Server.seen] == [
        (True, "a/b"), (False, "a/b"),
    ]  # fmt: skip


def test_what_is_posted_goes_nowhere_else(port: int) -> None:
    Server.onward = f"http://127.0.0.1:{port}/there"
    assert Outbound(ALLOWED).post(f"http://127.0.0.1:{port}/onward", b"secret").status == 302
    assert len(Server.seen) == 1


def test_redirects_in_a_circle_answers_too_large_and_servers_too_slow_are_given_up(port: int) -> None:
    client = Outbound(ALLOWED, timeout_s=1)
    with pytest.raises(OutboundFailed, match="redirects"):
        client.get(f"http://127.0.0.1:{port}/round")
    with pytest.raises(OutboundFailed, match="larger"):
        client.get(f"http://127.0.0.1:{port}/large")
    began = time.monotonic()
    with pytest.raises(OutboundFailed, match="too long"):
        client.get(f"http://127.0.0.1:{port}/drips")
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OutboundFailed, match="too long"):
        client.get(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert time.monotonic() - began < 20
