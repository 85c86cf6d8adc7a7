"""The one HTTP client that calls other servers: it goes nowhere inside, and takes neither long nor much.

A name is resolved once, every address that it has is checked, and the connection is made to one that was checked: what
the name means a moment later does not matter. However an address is written, its bytes are what counts
(`127.1`, `2130706433`, `①②⑦.⓪.⓪.①`).
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore2
import orjson

from engine.errors import EngineError

__all__ = ["Outbound", "OutboundFailed", "OutboundRefused", "Reply"]

TIMEOUT_S = 10.0  # for all of it, redirects too
MOST_BYTES = 1024 * 1024
MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
KEPT_FOR_OTHERS = ("accept", "user-agent")  # headers that go along to another server
NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class OutboundRefused(EngineError):
    """We do not go there."""

    code = "outbound.refused"


class OutboundFailed(EngineError):
    """The other server did not answer as it should."""

    code = "outbound.failed"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        """Raises OutboundFailed."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise OutboundFailed("the other server's answer is not JSON") from error


@cache
def trusted() -> ssl.SSLContext:
    """The machine's certificates, which take a while to read."""
    return ssl.create_default_context()


class Outbound:
    """Used from several threads. `allowed` are addresses and networks inside that may be called all the same."""

    def __init__(
        self, allowed: Iterable[str] = (), *, timeout_s: float = TIMEOUT_S, most_bytes: int = MOST_BYTES,
        trust: ssl.SSLContext | None = None, is_shut: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """`is_shut` is asked at each call: where it says so, nothing is called."""
        self.allowed = tuple(ip_network(text) for text in allowed)
        self.timeout_s, self.most_bytes = timeout_s, most_bytes
        self.is_shut = is_shut
        self.trust = trust or trusted()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Follows a few redirects, each of which is checked as the first address is."""
        deadline, sent = time.monotonic() + self.timeout_s, dict(headers or {})
        for _ in range(MOST_REDIRECTS + 1):
            reply = self._once("GET", url, sent, b"", deadline)
            place = reply.headers.get("location")
            if reply.status not in REDIRECTS or not place:
                return reply
            onward = joined(url, place)
            if url.startswith("https:") and not onward.startswith("https:"):
                raise OutboundRefused("a redirect leads away from https")
            if urlsplit(onward)[:2] != urlsplit(url)[:2]:  # what is meant for one server is not told to another
                sent = {name: value for name, value in sent.items() if name.lower() in KEPT_FOR_OTHERS}
            url = onward
        raise OutboundFailed("the other server redirects too often")

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str] | None = None, *, enough: int | None = None
    ) -> Reply:  # fmt: skip
        """A redirect is the answer: what was sent is not sent anywhere else. `enough`: so many bytes of the answer will
        do, as its status is what counts: what comes behind them, or that they do not come, is no failure then."""
        return self._once("POST", url, dict(headers or {}), body, time.monotonic() + self.timeout_s, enough)

    def _once(
        self, method: str, url: str, headers: dict[str, str], body: bytes, deadline: float, enough: int | None = None
    ) -> Reply:  # fmt: skip
        if self.is_shut():
            raise OutboundRefused("a sandbox calls nobody", code="outbound.sandbox")
        check_address(url)
        left = deadline - time.monotonic()
        if left <= 0:
            raise too_slow()
        limits = {"connect": left, "read": left, "write": left, "pool": left}
        backend = Guarded(self.allowed, deadline)
        sent = {"accept-encoding": "identity", "user-agent": "Fieldstone", **headers}  # no bombs
        try:
            with (
                httpcore2.ConnectionPool(ssl_context=self.trust, network_backend=backend) as pool,
                pool.stream(
                    method, url, headers=list(sent.items()), content=body or None, extensions={"timeout": limits}
                ) as found,
            ):  # fmt: skip
                names = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in found.headers}
                answer = self._read(found, deadline) if enough is None else begun(found, deadline, enough)
                return Reply(found.status, names, answer)
        except httpcore2.TimeoutException as error:
            raise too_slow() from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, OSError) as error:
            raise OutboundFailed(f"the other server cannot be asked ({type(error).__name__})") from error

    def _read(self, found: httpcore2.Response, deadline: float) -> bytes:
        chunks, size = [], 0
        for chunk in found.iter_stream():
            size += len(chunk)
            if size > self.most_bytes:
                raise OutboundFailed(f"the other server's answer is larger than {self.most_bytes} bytes")
            if time.monotonic() > deadline:
                raise too_slow()
            chunks.append(chunk)
        return b"".join(chunks)


def begun(found: httpcore2.Response, deadline: float, enough: int) -> bytes:
    """As much of an answer as comes, up to so many bytes."""
    body = b""
    try:
        for chunk in found.iter_stream():
            body += chunk
            if len(body) >= enough or time.monotonic() > deadline:
                break
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, OSError):
        pass
    return body[:enough]


class Guarded(httpcore2.NetworkBackend):
    """Connects to addresses that were checked, never to a name. TLS still asks for the name."""

    def __init__(self, allowed: Sequence[Network], deadline: float) -> None:
        self.allowed, self.deadline = allowed, deadline
        self.inner = httpcore2.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        found = resolve(host, port)
        for address in found:
            if is_inside(address) and not any(address in network for network in self.allowed):
                raise OutboundRefused(
                    f"{host} is an address inside", fix="allow it by FIELDSTONE_OUTBOUND_ALLOWED, if it is meant"
                )
        failure: Exception | None = None
        for address in found:
            left = self.deadline - time.monotonic()
            if left <= 0:
                break
            try:
                return self.inner.connect_tcp(str(address), port, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectTimeout("no time is left")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore2.NetworkStream:  # fmt: skip
        raise OutboundRefused("a socket of this machine is no other server")


def joined(url: str, place: str) -> str:
    """Where a redirect leads. Raises OutboundRefused."""
    try:
        onward = urljoin(url, place)
        urlsplit(onward)
    except ValueError as error:  # "http://[": a bracket that is not closed
        raise OutboundRefused("a redirect leads to what is no web address") from error
    return onward


def check_address(url: str) -> None:
    """Raises OutboundRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OutboundRefused("this is not a web address") from error
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not is_plain or parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise OutboundRefused("this is not an address of the web")
    if parts.username is not None or parts.password is not None:
        raise OutboundRefused("a web address holds no user name and password")


def resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(f"{host} is not known") from error
    return list(dict.fromkeys(ip_address(str(one[4][0]).partition("%")[0]) for one in found))


def is_inside(address: Address) -> bool:
    """Whether it is of this machine, of a network that is not public, or of none at all."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped or address in NAT64:
            return is_inside(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_site_local:  # RFC 3879: no more in use, and never public
            return True
        if address.sixtofour or address.teredo:  # nobody is reached by these any more, but relays may still be about
            return True
    return not address.is_global or address.is_multicast or address.is_reserved


def too_slow() -> OutboundFailed:
    return OutboundFailed("the other server takes too long")
