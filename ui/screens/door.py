"""Sign in, sign out, and how a person likes the screens."""

import hmac
import secrets
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.api.site import Site, session_secret
from engine.errors import Unauthenticated
from engine.people import sessions
from engine.people.attempts import TooManyAttempts
from ui.texts import LANGUAGES, say_in
from ui.visit import (
    COOKIE_AGE,
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    Visit,
    html,
    language_of,
    safe_address,
    theme_of,
)  # fmt: skip

__all__ = ["login_page", "preferences", "sign_in", "sign_out"]

DOOR_COOKIE = "fieldstone_door"  # a form token for people who have no session yet


def login_page(
    site: Site,
    request: Request,
    *,
    error: str = "",
    status: int = 200,
    username: str = "",
    sent: FormData | None = None,
) -> Response:
    source = sent if sent is not None else request.query_params
    chosen = str(source.get("language", ""))
    language = chosen if chosen in LANGUAGES else language_of(request)
    say = say_in(language)
    token = request.cookies.get(DOOR_COOKIE) or secrets.token_urlsafe(24)
    onward = safe_address(str(source.get("next", "/")))
    errors = {
        "": "",
        "refused": say("User name or password is wrong."),
        "too_many": say("Too many attempts. Wait a quarter of an hour, then try again."),
        "stale": say("This page was open too long. Please try again."),
    }
    infos = {"over": say("Your session has ended. Sign in again to go on."), "out": say("You are signed out.")}
    response = html(
        "login.html",
        status,
        _=say,
        language=language,
        theme=theme_of(request),
        title=say("Sign in"),
        sandbox_of=site.tenant.sandbox_of,
        csrf=token,
        next=onward,
        chosen_language=chosen if chosen in LANGUAGES else "",
        language_links={code: f"/login?{urlencode({'next': onward, 'language': code})}" for code in LANGUAGES},
        error=errors[error],
        info=infos.get(request.query_params.get("why", ""), ""),
        username=username,
    )
    response.set_cookie(
        DOOR_COOKIE,
        token,
        max_age=24 * 3600,
        path="/login",
        httponly=True,
        samesite="strict",
        secure=site.config.is_secure,
    )
    return response


def sign_in(site: Site, request: Request, form: FormData) -> Response:
    username = str(form.get("username", ""))[:200]
    token = request.cookies.get(DOOR_COOKIE, "")
    if not token or not hmac.compare_digest(token.encode(), str(form.get("csrf", "")).encode()):
        return login_page(site, request, error="stale", status=403, username=username, sent=form)
    try:
        session = sessions.sign_in(
            site.tenant, username, str(form.get("password", ""))[:1000], now=site.clock(),
            address=request.client.host if request.client else "", agent=request.headers.get("user-agent", ""),
            previous=session_secret(request.headers),
        )  # fmt: skip
    except TooManyAttempts:
        return login_page(site, request, error="too_many", status=429, username=username, sent=form)
    except Unauthenticated:
        return login_page(site, request, error="refused", status=401, username=username, sent=form)
    response = RedirectResponse(safe_address(str(form.get("next", "/"))), 303)
    response.set_cookie(value=session.secret, **site.cookie())
    if (language := str(form.get("language", ""))) in LANGUAGES:
        keep(site, response, LANGUAGE_COOKIE, language)
    return response


def sign_out(visit: Visit) -> Response:
    sessions.sign_out(visit.site.tenant, session_secret(visit.request.headers))
    response = RedirectResponse("/login?why=out", 303)
    response.delete_cookie(sessions.COOKIE, path="/")
    # RFC-less but wide-spread: what the browser has kept of the pages goes too.
    response.headers["clear-site-data"] = '"cache"'
    return response


def preferences(visit: Visit) -> Response:
    response = RedirectResponse(safe_address(visit.sent("back") or "/"), 303)
    if visit.sent("theme") in THEMES:
        keep(visit.site, response, THEME_COOKIE, visit.sent("theme"))
    if visit.sent("language") in LANGUAGES:
        keep(visit.site, response, LANGUAGE_COOKIE, visit.sent("language"))
    return response


def keep(site: Site, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=COOKIE_AGE, path="/", httponly=True, samesite="lax", secure=site.config.is_secure
    )
