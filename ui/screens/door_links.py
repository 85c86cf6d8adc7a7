"""Asking for a new password, and choosing one by the link of a mail. GET only shows: mail programs follow links."""

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.api.site import Site
from engine.errors import BadInput, NotFound
from engine.mail.jobs import ask_for_reset
from engine.people import links
from engine.people.attempts import TooManyAttempts
from ui.screens.threshold import door_page, is_our_form, origin_of
from ui.texts import Say, problem_text

__all__ = ["ask", "ask_page", "choose", "choose_page"]

ASK = "/login/forgot"


def ask_page(
    site: Site, request: Request, *, error: str = "", status: int = 200, sent: FormData | None = None,
    is_done: bool = False,
) -> Response:  # fmt: skip
    def view(say: Say, language: str) -> dict[str, Any]:
        errors = {
            "": "",
            "too_many": say("Too many attempts. Wait a while, then try again."),
            "stale": say("This page was open too long. Please try again."),
        }
        return {
            "title": say("Forgot your password?"),
            "error": errors[error],
            "is_done": is_done,
            "is_possible": bool(site.config.base_url),
            "username": str(sent.get("username", ""))[:200] if sent is not None else "",
        }

    return door_page(site, request, "forgot.html", status, view, sent=sent, path=ASK)


def ask(site: Site, request: Request, form: FormData) -> Response:
    """The same answer, as fast, whoever exists: the account is looked up and the mail made by a job."""
    if not is_our_form(request, form):
        return ask_page(site, request, error="stale", status=403, sent=form)
    if not site.config.base_url:
        return ask_page(site, request, sent=form)
    typed, origin, now = str(form.get("username", ""))[:200], origin_of(request), site.clock()
    try:
        links.take_request(site.tenant, typed, origin.address, now)
    except TooManyAttempts:
        return ask_page(site, request, error="too_many", status=429, sent=form)
    ask_for_reset(site.tenant, typed, origin, now)
    return ask_page(site, request, sent=form, is_done=True)


def choose_page(
    site: Site, request: Request, *, secret: str = "", error: str = "", problem: BadInput | None = None,
    status: int = 200, sent: FormData | None = None,
) -> Response:  # fmt: skip
    secret = secret or request.query_params.get("link", "")
    link = links.find(site.tenant, secret[:200], site.clock())

    def view(say: Say, language: str) -> dict[str, Any]:
        errors = {
            "": "",
            "twice": say("The two passwords are not the same."),
            "stale": say("This page was open too long. Please try again."),
            "too_many": say("Too many attempts. Wait a while, then try again."),
        }
        titles = {
            "invite": say("Welcome, {name}", name=link.account.name or link.account.username) if link else "",
            "expired": say("Your password is due for a change"),
        }
        return {
            "title": titles.get(link.purpose if link else "", say("Choose a new password")),
            "error": problem_text(problem.problems[0], language) if problem else errors[error],
            "link": secret if link else "",
            "username": link.account.username if link else "",
            "least": site.config.password_length,
            "can_forget": bool(site.config.base_url),
        }

    shown = status if link or status != 200 else 404
    return door_page(
        site, request, "choose_password.html", shown, view, sent=sent, path=links.PATH, kept={"link": secret[:200]}
    )


def choose(site: Site, request: Request, form: FormData) -> Response:
    secret, password = str(form.get("link", ""))[:200], str(form.get("password", ""))[:1000]
    if not is_our_form(request, form):
        return choose_page(site, request, secret=secret, error="stale", status=403, sent=form)
    if password != str(form.get("again", ""))[:1000]:
        return choose_page(site, request, secret=secret, error="twice", status=422, sent=form)
    try:
        links.accept(site.tenant, site.config, secret, password, origin=origin_of(request), now=site.clock())
    except TooManyAttempts:
        return choose_page(site, request, secret=secret, error="too_many", status=429, sent=form)
    except NotFound:
        return choose_page(site, request, secret=secret, status=404, sent=form)
    except BadInput as problem:
        return choose_page(site, request, secret=secret, problem=problem, status=422, sent=form)
    return RedirectResponse("/login?why=changed", 303)
