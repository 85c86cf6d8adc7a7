"""The second step of signing in: the code of an app, or setting the app up where a role demands it."""

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.api.site import Site, session_secret
from engine.config import bare_host
from engine.errors import BadInput
from engine.people import credentials, halfway, sessions, totp
from engine.people.attempts import TooManyAttempts
from engine.people.credentials import Account
from engine.people.sessions import Session
from ui.screens.door import let_in
from ui.screens.threshold import door_page, is_our_form, origin_of
from ui.texts import Say

__all__ = ["code_page", "take_code"]

PATH = "/login/code"


def code_page(
    site: Site, request: Request, *, error: str = "", status: int = 200, sent: FormData | None = None
) -> Response:  # fmt: skip
    account = person_at(site, request)
    if account is None:
        return RedirectResponse("/login?why=over", 303)
    must_begin = not totp.is_on(site.tenant, account.id)
    secret = (totp.waiting(site.tenant, account.id) or "") if must_begin else ""

    def view(say: Say, language: str) -> dict[str, Any]:
        errors = {
            "": "",
            "wrong": say("The code is wrong or was used. Wait for the next one."),
            "too_many": say("Too many attempts. Wait a while, then try again."),
            "stale": say("This page was open too long. Please try again."),
        }
        return {
            "title": say("Set up signing in in two steps") if must_begin else say("One more step"),
            "error": errors[error],
            "picture": totp.picture(secret, account.username, host_of(site)) if secret else "",
            "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        }

    return door_page(site, request, "code.html", status, view, sent=sent, path=PATH)


def host_of(site: Site) -> str:
    return bare_host(site.config.base_url.partition("://")[2].partition("/")[0])


def person_at(site: Site, request: Request) -> Account | None:
    user = halfway.person_at(site.tenant, request.cookies.get(halfway.COOKIE, ""), site.clock())
    account = credentials.account_of(site.tenant, user) if user else None
    return account if account and account.is_active else None


def take_code(site: Site, request: Request, form: FormData) -> Response:
    if not is_our_form(request, form):
        return code_page(site, request, error="stale", status=403, sent=form)
    account, secret, now = person_at(site, request), request.cookies.get(halfway.COOKIE, ""), site.clock()
    if account is None or not halfway.spend_try(site.tenant, secret, now):
        return RedirectResponse("/login?why=over", 303)
    code, origin = str(form.get("code", ""))[:100], origin_of(request)
    recovery: list[str] = []
    try:
        if totp.is_on(site.tenant, account.id):
            if not totp.check(site.tenant, account.id, code, origin.address, now):
                sessions.refuse(site.tenant, account.username, origin, now)
                return code_page(site, request, error="wrong", status=401, sent=form)
        else:
            recovery = totp.confirm(site.tenant, account.id, code, actor=account.actor, origin=origin, now=now)
    except TooManyAttempts:
        return code_page(site, request, error="too_many", status=429, sent=form)
    except BadInput:
        return code_page(site, request, error="wrong", status=422, sent=form)
    if not halfway.finish(site.tenant, secret):  # another was faster
        return RedirectResponse("/login?why=over", 303)
    session = sessions.let_in(
        site.tenant, account, "code", now=now, origin=origin, agent=request.headers.get("user-agent", ""),
        previous=session_secret(request.headers),
    )  # fmt: skip
    return codes_page(site, request, form, session, recovery) if recovery else let_in(site, session, form)


def codes_page(site: Site, request: Request, form: FormData, session: Session, codes: list[str]) -> Response:
    """Shown this once; the person is signed in by then."""

    def view(say: Say, language: str) -> dict[str, Any]:
        return {"title": say("Keep these recovery codes"), "codes": codes}

    page = door_page(site, request, "recovery_codes.html", 200, view, sent=form, path=PATH)
    onward = let_in(site, session, form)
    page.raw_headers.extend(pair for pair in onward.raw_headers if pair[0] == b"set-cookie")
    return page
