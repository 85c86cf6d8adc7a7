"""Deciding by the link of a mail, also without a session. GET only shows: mail programs follow links."""

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from engine.api.site import Site
from engine.errors import BadInput, EngineError, NotFound
from engine.people.attempts import TooManyAttempts
from engine.process.approval import mail_links
from engine.process.approval.mail_links import Asked
from ui.formats import formats_for
from ui.screens.approval_values import summary_view
from ui.screens.approval_words import ICONS, action_label
from ui.screens.threshold import door_page, language_at, origin_of
from ui.texts import LANGUAGES, Say, problem_text
from ui.visit import LANGUAGE_COOKIE, Visit

__all__ = ["confirm_page", "decide"]

LONGEST = 200


def confirm_page(
    site: Site, request: Request, *, error: str = "", status: int = 200, sent: FormData | None = None
) -> Response:  # fmt: skip
    secret = request.path_params["token"][:LONGEST]
    chosen = chosen_language(request, sent)
    asked = mail_links.asked_by(site.tenant, secret, origin_of(request), site.clock(), chosen)

    def view(say: Say, language: str) -> dict[str, Any]:
        comment = str(sent.get("comment", "")) if sent is not None else ""
        shown = asked_view(site, request, asked, say, language)
        return {"title": say("Approval"), "is_done": False, "error": error, "comment": comment, **shown}

    shown = status if asked is not None or status != 200 else 404
    return door_page(
        site, request, "approve.html", shown, view, sent=sent, path=mail_links.PATH + secret, own=own_language(asked)
    )


def chosen_language(request: Request, sent: FormData | None) -> str:
    """By the address, the form or the cookie; "" where nobody chose."""
    source = sent if sent is not None else request.query_params
    found = (str(source.get("language", "")), request.cookies.get(LANGUAGE_COOKIE, ""))
    return next((one for one in found if one in LANGUAGES), "")


def own_language(asked: Asked | None) -> str:
    return asked.ctx.language if asked is not None else ""


def asked_view(site: Site, request: Request, asked: Asked | None, say: Say, language: str) -> dict[str, Any]:
    """What is shown of the task is what its person sees of it in the inbox."""
    if asked is None:
        return {"asked": None, "is_open": False}
    person = asked.ctx.actor.name or asked.ctx.actor.username
    shown: dict[str, Any] = {"person": person, "task": asked.task, "action": action_label(say, asked.action),
                             "icon": ICONS[asked.action], "is_danger": asked.action == "reject"}  # fmt: skip
    if asked.row is not None:
        formats = formats_for(language, asked.ctx.time_zone)
        visit = Visit(site, request, asked.ctx, None)  # type: ignore[arg-type]  # there is no session
        row = asked.row
        shown |= {
            "title": row.title or say("Untitled"), "approval": row.label, "node": row.node_label,
            "who": row.submitter.name, "ago": formats.ago(row.submitted_at, asked.ctx.now),
            "summary": summary_view(visit, row.object, row.summary), "needs_comment": asked.needs_comment,
        }  # fmt: skip
    return {"asked": shown, "is_open": asked.row is not None}


def decide(site: Site, request: Request, form: FormData) -> Response:
    """The secret in the address is what a form token would be: nobody else has it."""
    secret = request.path_params["token"][:LONGEST]
    origin, now = origin_of(request), site.clock()
    asked = mail_links.asked_by(site.tenant, secret, origin, now, chosen_language(request, form))
    language = language_at(request, str(form.get("language", "")), own_language(asked))
    try:
        mail_links.decide(site.tenant, secret, str(form.get("comment", ""))[:10_000], origin, now)
    except TooManyAttempts:
        return confirm_page(site, request, status=429, sent=form)
    except NotFound:
        return confirm_page(site, request, status=404, sent=form)
    except EngineError as refusal:
        status = 422 if isinstance(refusal, BadInput) else 409
        text = " ".join(problem_text(one, language) for one in refusal.problems) or str(refusal)
        return confirm_page(site, request, error=text, status=status, sent=form)

    def view(say: Say, language: str) -> dict[str, Any]:
        return {"title": say("Thank you"), "is_done": True, "error": "", "comment": "",
                **asked_view(site, request, asked, say, language)}  # fmt: skip

    path, own = mail_links.PATH + secret, own_language(asked)
    return door_page(site, request, "approve.html", 200, view, sent=form, path=path, own=own)
