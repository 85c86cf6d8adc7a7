"""Sign in, sign out, and how a person likes the screens."""

from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.api.site import Site, session_secret
from engine.errors import Unauthenticated
from engine.people import halfway, links, sessions
from engine.people.attempts import TooManyAttempts
from engine.people.sessions import PasswordExpired, SecondStep, Session
from ui.screens.door_providers import provider_links
from ui.screens.threshold import door_page, is_our_form, keep, origin_of
from ui.texts import LANGUAGES, Say
from ui.visit import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Visit, safe_address

__all__ = ["let_in", "login_page", "preferences", "sign_in", "sign_out"]


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
    onward = safe_address(str(source.get("next", "/")))

    def view(say: Say, language: str) -> dict[str, Any]:
        errors = {
            "": "",
            "refused": say("User name or password is wrong."),
            "too_many": say("Too many attempts. Wait a while, then try again."),
            "stale": say("This page was open too long. Please try again."),
            "provider": say("Signing in there did not work. Try again, or ask an administrator."),
        }
        infos = {
            "over": say("Your session has ended. Sign in again to go on."),
            "out": say("You are signed out."),
            "changed": say("Your password was changed. Sign in with it."),
        }
        why = request.query_params.get("why", "")
        return {
            "title": say("Sign in"),
            "error": errors[error or ("provider" if why == "provider" else "")],
            "info": infos.get(why, ""),
            "username": username,
            "can_forget": bool(site.config.base_url),
            "providers": provider_links(site, onward),
        }

    return door_page(site, request, "login.html", status, view, sent=sent, path="/login")


def sign_in(site: Site, request: Request, form: FormData) -> Response:
    username = str(form.get("username", ""))[:200]
    if not is_our_form(request, form):
        return login_page(site, request, error="stale", status=403, username=username, sent=form)
    now, origin = site.clock(), origin_of(request)
    try:
        session = sessions.sign_in(
            site.tenant, username, str(form.get("password", ""))[:1000], now=now, origin=origin, config=site.config,
            agent=request.headers.get("user-agent", ""), previous=session_secret(request.headers),
        )  # fmt: skip
    except TooManyAttempts:
        return login_page(site, request, error="too_many", status=429, username=username, sent=form)
    except SecondStep as step:
        return to_second_step(site, form, step.secret)
    except PasswordExpired as expired:
        secret = links.expired_link(site.tenant, expired.account, origin, now)
        return RedirectResponse(f"{links.PATH}?link={secret}", 303)
    except Unauthenticated:
        return login_page(site, request, error="refused", status=401, username=username, sent=form)
    return let_in(site, session, form)


def to_second_step(site: Site, form: FormData, secret: str) -> Response:
    pairs = {"next": safe_address(str(form.get("next", "/"))), "language": str(form.get("language", ""))}
    response = RedirectResponse(f"/login/code?{urlencode(pairs)}", 303)
    response.set_cookie(
        halfway.COOKIE, secret, max_age=int(halfway.LASTS.total_seconds()), path="/login", httponly=True,
        samesite="strict", secure=site.config.is_secure,
    )  # fmt: skip
    return response


def let_in(site: Site, session: Session, form: FormData) -> Response:
    """To where the person wanted to go, with the session."""
    response = RedirectResponse(safe_address(str(form.get("next", "/"))), 303)
    response.set_cookie(value=session.secret, **site.cookie())
    response.delete_cookie(halfway.COOKIE, path="/login")
    if (language := str(form.get("language", ""))) in LANGUAGES:
        keep(site, response, LANGUAGE_COOKIE, language)
    return response


def sign_out(visit: Visit) -> Response:
    actor, origin = visit.ctx.actor, origin_of(visit.request)
    sessions.sign_out(
        visit.site.tenant, session_secret(visit.request.headers), actor=actor, origin=origin, now=visit.ctx.now
    )
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
