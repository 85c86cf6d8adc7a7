"""Signing in at an OpenID provider: away to it, and back."""

import logging
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.api.site import Site, session_secret
from engine.errors import EngineError
from engine.people import halfway, oidc, sessions
from ui.screens.threshold import origin_of
from ui.visit import safe_address

__all__ = ["come_back", "go_there", "provider_links"]

log = logging.getLogger("fieldstone.sign_in")


def provider_links(site: Site, onward: str) -> list[dict[str, str]]:
    if not site.config.base_url:
        return []
    return [
        {"label": one.label, "href": f"/login/with/{quote(one.name)}?{urlencode({'next': onward})}"}
        for one in site.providers.all.values()
    ]


def go_there(site: Site, request: Request) -> Response:
    """By GET: the form policy of our pages (CSP, form-action) lets no form lead to another site."""
    name, onward = request.path_params["provider"], safe_address(request.query_params.get("next", "/"))
    try:
        flow = oidc.begin(site.tenant, site.providers, name, onward, site.clock())
    except EngineError as error:
        log.warning("%s", error)
        return RedirectResponse("/login?why=provider", 303)
    response = RedirectResponse(flow.address, 303)
    # Lax: the provider's answer comes from another site.
    response.set_cookie(
        oidc.COOKIE, flow.browser, max_age=int(oidc.LASTS.total_seconds()), path="/login/with", httponly=True,
        samesite="lax", secure=site.config.is_secure,
    )  # fmt: skip
    return response


def come_back(site: Site, request: Request) -> Response:
    """The provider sends the browser here by GET, as the protocol has it. Its answer is good once, in this browser."""
    name, now, origin = request.path_params["provider"], site.clock(), origin_of(request)
    browser, answer = request.cookies.get(oidc.COOKIE, ""), dict(request.query_params)
    try:
        account, onward = oidc.finish(site.tenant, site.providers, name, answer, browser, now)
    except EngineError as error:
        log.warning("%s", error)
        sessions.refuse(site.tenant, name, origin, now)
        response = RedirectResponse("/login?why=provider", 303)
        response.delete_cookie(oidc.COOKIE, path="/login/with")
        return response
    session = sessions.let_in(
        site.tenant, account, name, now=now, origin=origin, agent=request.headers.get("user-agent", ""),
        previous=session_secret(request.headers),
    )  # fmt: skip
    response = RedirectResponse(safe_address(onward), 303)
    response.set_cookie(value=session.secret, **site.cookie())
    response.delete_cookie(oidc.COOKIE, path="/login/with")
    response.delete_cookie(halfway.COOKIE, path="/login")
    return response
