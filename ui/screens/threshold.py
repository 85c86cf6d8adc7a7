"""What the pages share that come before a session: the form token, the language, where to go on to."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from engine.api.site import Site
from engine.context import Origin
from ui.texts import LANGUAGES, Say, say_in
from ui.visit import COOKIE_AGE, html, language_of, safe_address, theme_of

__all__ = ["door_page", "is_our_form", "keep", "language_at", "origin_of"]

DOOR_COOKIE = "fieldstone_door"  # a form token for people who have no session yet


def door_page(
    site: Site, request: Request, template: str, status: int, view: Callable[[Say, str], Mapping[str, Any]], *,
    path: str, sent: FormData | None = None, kept: Mapping[str, str] | None = None, own: str = "",
) -> Response:  # fmt: skip
    """`path` is the page's own, `kept` what its address needs besides `next` and `language`; `own` is the language of
    the person, where that is known."""
    source = sent if sent is not None else request.query_params
    chosen = str(source.get("language", ""))
    language = language_at(request, chosen, own)
    say = say_in(language)
    token = request.cookies.get(DOOR_COOKIE) or secrets.token_urlsafe(24)
    onward = safe_address(str(source.get("next", "/")))
    pairs = {**(kept or {}), "next": onward}
    response = html(
        template,
        status,
        _=say,
        language=language,
        theme=theme_of(request),
        sandbox_of=site.tenant.sandbox_of,
        csrf=token,
        next=onward,
        chosen_language=chosen if chosen in LANGUAGES else "",
        language_links={code: f"{path}?{urlencode({**pairs, 'language': code})}" for code in LANGUAGES},
        **view(say, language),
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


def language_at(request: Request, chosen: str, own: str = "") -> str:
    return chosen if chosen in LANGUAGES else language_of(request, own)


def is_our_form(request: Request, form: FormData) -> bool:
    token = request.cookies.get(DOOR_COOKIE, "")
    return bool(token) and hmac.compare_digest(token.encode(), str(form.get("csrf", "")).encode())


def origin_of(request: Request) -> Origin:
    """Behind trusted proxies, `client` is who asked them: engine/api/proxies.py."""
    address = request.client.host if request.client else ""
    return Origin("screen", address, request.scope.get("fieldstone.request_id", ""))


def keep(site: Site, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=COOKIE_AGE, path="/", httponly=True, samesite="lax", secure=site.config.is_secure
    )
