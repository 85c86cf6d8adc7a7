"""What all routes share: the settings, the tenant, the threads, and the answer to who is asking."""

import hmac
import os
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from engine.api.lane import Lane
from engine.api.pace import Pace
from engine.audit.refusals import Asked, Refusals
from engine.config import Config
from engine.context import Context, Origin, context_of
from engine.errors import Forbidden, Unauthenticated
from engine.mail.port import Mailer, open_mailer
from engine.outbound import Outbound
from engine.people.authentication import Authenticator, Identity, Kind, fingerprint
from engine.people.oidc import Providers
from engine.people.sessions import COOKIE, LONGEST
from engine.store.failures import is_schema_changed
from engine.tenants import Tenant

__all__ = ["CSRF_HEADER", "Site", "address_of", "lanes_for", "session_secret"]

T = TypeVar("T")

CSRF_HEADER = "x-csrf-token"
ASIDE_THREADS = 4
NOWHERE, NOTHING = Origin(), Asked()
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Site:
    """One per tenant that a process serves. `run` and `run_aside` are for the event loop, the rest for worker threads.

    A route of the screens:

        async def list_page(request: Request) -> Response:
            return await site.run(lambda: site.answer(request.method, request.headers, work))

    where `work(context, identity)` reads, writes and renders, all on one version of the definitions.
    """

    def __init__(self, config: Config, tenant: Tenant, lanes: tuple[Lane, Lane] | None = None) -> None:
        """`lanes` are threads that several share; whoever made them ends them."""
        self.config, self.tenant = config, tenant
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.authenticator = Authenticator(tenant)
        self.owns_lanes = lanes is None
        self.lane, self.side_lane = lanes or lanes_for(config, tenant.database.dialect)
        self.pace = Pace(config.requests_per_minute, config.tenant_requests_per_minute)
        self.refusals = Refusals(tenant)
        self.outbound = Outbound(config.outbound_allowed, is_shut=lambda: bool(tenant.sandbox_of))
        self.providers = Providers(config, self.outbound)
        self.error_page: Callable[[Request, int, Exception], Response] | None = None  # the screens set it

    @cached_property
    def mailer(self) -> Mailer:
        """A sandbox writes its mail to files, whatever the settings say."""
        config = self.config
        return open_mailer("" if self.tenant.sandbox_of else config.smtp_url, config.mail_from, config.data)

    async def run(self, work: Callable[[], T]) -> T:
        """`work()` in one of the few threads that use the database."""
        return await self.lane.run(work)

    async def run_aside(self, work: Callable[[], T]) -> T:
        """`work()` beside them: for what takes long without the database, such as checking a password."""
        return await self.side_lane.run(work)

    def close(self) -> None:
        """End the threads, after what they have begun."""
        if self.owns_lanes:
            self.lane.close()
            self.side_lane.close()

    def answer(
        self, method: str, headers: Mapping[str, str], work: Callable[[Context, Identity], T], *, csrf: str = "",
        origin: Origin = NOWHERE, asked: Asked = NOTHING,
    ) -> T:  # fmt: skip
        """Find out who asks, then `work(context, identity)`; once more if a publish came between.

        `csrf` is the token that a form sent; without it the X-CSRF-Token header counts. `origin` and `asked` are for
        the audit log, which hears of whatever the person may not do.
        Raises Unauthenticated, and Forbidden when the token is missing where one is needed.
        """
        try:
            return self.answer_once(method, headers, work, csrf, origin, asked)
        except Exception as error:
            if not is_schema_changed(error):
                raise
            self.authenticator.forget()
        return self.answer_once(method, headers, work, csrf, origin, asked)

    def answer_once(
        self, method: str, headers: Mapping[str, str], work: Callable[[Context, Identity], T], csrf: str,
        origin: Origin, asked: Asked,
    ) -> T:  # fmt: skip
        now = self.clock()
        identity = self.identify(headers, now)
        ctx = self.context(identity, now, origin)
        try:
            return self.admitted(method, headers, work, csrf, identity, ctx)
        except Forbidden as refusal:
            self.refusals.note(ctx, refusal, asked)
            raise

    def admitted(
        self, method: str, headers: Mapping[str, str], work: Callable[[Context, Identity], T], csrf: str,
        identity: Identity, ctx: Context,
    ) -> T:  # fmt: skip
        if method not in SAFE_METHODS:
            if identity.kind == "session":
                check_csrf(identity, csrf or headers.get(CSRF_HEADER, ""))
            elif identity.actor.token_scope.read_only:
                raise Forbidden("this token may only read", code="token.read_only", fix="use another token")
        return work(ctx, identity)

    def identify(self, headers: Mapping[str, str], now: datetime | None = None) -> Identity:
        """Who shows a valid token or session. Raises Unauthenticated and TooManyRequests."""
        now = now or self.clock()
        kind, secret = credentials(headers)
        identity = self.authenticator.authenticate(kind, fingerprint(secret), now) if secret else None
        if identity is None:
            raise Unauthenticated(*UNKNOWN[kind if secret else "none"])
        self.pace.count(identity.actor.id, now)
        if identity.is_to_be_noted:
            self.authenticator.note_use(identity, now)
        return identity

    def context(self, identity: Identity, now: datetime | None = None, origin: Origin = NOWHERE) -> Context:
        """What the person may do, on the version of the definitions that was current when the person was identified."""
        tenant = self.tenant
        return context_of(tenant, identity.actor, now or self.clock(), tenant.at(identity.version), origin)

    def cookie(self) -> dict[str, Any]:
        """Arguments of Starlette's `set_cookie` besides the value, for a new session."""
        return {
            "key": COOKIE, "max_age": int(LONGEST.total_seconds()), "path": "/", "httponly": True, "samesite": "lax",
            "secure": self.config.is_secure,
        }  # fmt: skip


UNKNOWN: dict[str, tuple[str]] = {
    "none": ("sign in, or send 'Authorization: Bearer TOKEN'",),
    "token": ("this token is unknown, has ended, or its user is not active",),
    "session": ("this session has ended: sign in again",),
}


def credentials(headers: Mapping[str, str]) -> tuple[Kind, str]:
    """What was shown: an Authorization header counts alone, even beside a cookie."""
    if authorization := headers.get("authorization", ""):
        scheme, _, token = authorization.partition(" ")
        return "token", token.strip() if scheme.lower() == "bearer" else ""
    return "session", session_secret(headers)


def address_of(scope: MutableMapping[str, Any]) -> str:
    """The client's, of an ASGI scope."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def session_secret(headers: Mapping[str, str]) -> str:
    """The secret in the session cookie, "" without one."""
    text = headers.get("cookie", "")
    if COOKIE not in text:
        return ""
    try:
        morsel = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def check_csrf(identity: Identity, sent: str) -> None:
    if not hmac.compare_digest(identity.csrf.encode(), sent.encode("utf-8", "surrogateescape")):
        raise Forbidden(
            "the request does not carry this session's CSRF token", code="csrf",
            fix="send it in the X-CSRF-Token header or the form field 'csrf'",
        )  # fmt: skip


def lanes_for(config: Config, dialect: str) -> tuple[Lane, Lane]:
    """For work with the database, and beside it."""
    return Lane("work", config.threads or threads_for(dialect)), Lane("aside", ASIDE_THREADS)


def threads_for(dialect: str) -> int:
    """PostgreSQL works in another process: two threads a core. SQLite works in ours, where more would only queue."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 2 * cores if dialect == "postgresql" else 2
