"""Around every request: allowed hosts, size of bodies, request ids, security headers, metrics, the access log."""

import logging
import re
import secrets
import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.errors import HttpRefusal, answer_to
from engine.api.metrics import Metrics
from engine.api.operations import ROOT, send_answer
from engine.api.proxies import client_behind, trusted
from engine.api.site import Site
from engine.api.uploads import ENVELOPE_BYTES, UPLOADS
from engine.config import bare_host

__all__ = ["HOST_IS_KNOWN", "Guard"]

access_log = logging.getLogger("fieldstone.access")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HOST_IS_KNOWN = "fieldstone.host_is_known"
HEALTH = frozenset({"/healthz", "/readyz"})  # asked by address, by things that know no host name

SCREENS_POLICY = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
API_POLICY = b"default-src 'none'; frame-ancestors 'none'"
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
ALWAYS = frozenset(name for name, _ in SECURITY) | {b"content-security-policy", b"cache-control", b"vary"}


class Guard:
    """Pure ASGI. A header that a route sets itself wins."""

    def __init__(self, app: ASGIApp, site: Site, metrics: Metrics) -> None:
        config = site.config
        self.app, self.site, self.metrics, self.limit = app, site, metrics, config.max_body_bytes
        self.limits = {UPLOADS: config.max_file_bytes + ENVELOPE_BYTES}
        self.hosts = config.allowed_hosts
        self.proxies = trusted(config.trusted_proxies)
        self.any_host = "*" in self.hosts
        hsts = ((b"strict-transport-security", b"max-age=31536000"),) if config.is_secure else ()
        self.api_headers = (
            *SECURITY, *hsts, (b"content-security-policy", API_POLICY),
            (b"cache-control", b"private, no-cache"), (b"vary", b"Authorization, Cookie"),
        )  # fmt: skip
        self.headers = (
            *SECURITY, *hsts, (b"content-security-policy", SCREENS_POLICY), (b"cache-control", b"no-store"),
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, has_begun = time.perf_counter(), 500, False
        asked = {name: value for name, value in scope["headers"] if name in (b"host", b"x-request-id")}
        if self.proxies:
            scope["client"] = client_behind(scope, self.proxies)
        request_id = own_or_new(asked.get(b"x-request-id", b"").decode("latin-1"))
        scope["fieldstone.request_id"] = request_id
        path: str = scope["path"]
        is_api = path.startswith("/api/")
        extra = [(b"x-request-id", request_id.encode()), *(self.api_headers if is_api else self.headers)]

        async def send_guarded(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                headers = message["headers"]
                own = {name.lower() for name, _ in headers} & ALWAYS
                added = [header for header in extra if header[0] not in own] if own else extra
                message = {**message, "headers": [*headers, *added]}
            await send(message)

        try:
            host = asked.get(b"host", b"").decode("latin-1")
            is_known = scope.get(HOST_IS_KNOWN)  # by who chose the tenant; None where there is one only
            if is_known is None:
                is_known = self.any_host or bare_host(host) in self.hosts
            if not (is_known or path in HEALTH):
                raise HttpRefusal(
                    400, "host", "this host name is not served here",
                    fix="name it in FIELDSTONE_HOSTS, or in FIELDSTONE_BASE_URL",
                )  # fmt: skip
            if is_api and not path.startswith(f"{ROOT}/"):  # never a page to sign in on
                fix = f"{ROOT}/openapi.json lists what there is"
                raise HttpRefusal(404, "path.unknown", f"the API begins with {ROOT}/", fix=fix)
            if not is_api and b"%00" in scope["query_string"]:  # PostgreSQL takes no such text; the API says so itself
                raise HttpRefusal(400, "query.malformed", "the query holds a NUL character", fix="leave '%00' out")
            # The API counts while it reads; screens read through Starlette.
            if not is_api and scope["method"] not in ("GET", "HEAD"):
                receive = limited(receive, self.limits.get(path, self.limit))
            await self.app(scope, receive, send_guarded)
        except Exception as error:
            if has_begun:  # break it off, so that nobody takes it for whole
                raise
            answer = answer_to(error, scope["method"], request_id)  # which also logs it
            if self.site.error_page is not None and not is_api:
                page = self.site.error_page(Request(scope), answer.status, error)
                await page(scope, receive, send_guarded)
            else:
                await send_answer(send_guarded, answer)
        finally:
            seconds = time.perf_counter() - began
            self.metrics.observe(scope["method"], route_of(scope), status, seconds)
            if access_log.isEnabledFor(logging.INFO):
                # No query: filters hold what people look for.
                access_log.info("%s %s %d %.1fms %s", scope["method"], path, status, seconds * 1000, request_id)


def own_or_new(sent: str) -> str:
    return sent if sent and REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)


def route_of(scope: Scope) -> str:
    """The template of the path, so that metrics stay few: never the path itself."""
    if (template := scope.get("fieldstone.route")) is not None:
        return str(template)
    return str(getattr(scope.get("route"), "path", "") or "(none)")


def limited(receive: Receive, limit: int) -> Receive:
    size = 0

    async def receive_limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise HTTPException(413, f"The body is larger than {limit} bytes")
        return message

    return receive_limited
