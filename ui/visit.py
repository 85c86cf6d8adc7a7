"""One request to a screen: who asks, what was sent, and the ways to answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from engine.access.inquiry import may_ask
from engine.api.site import Site, address_of
from engine.audit.refusals import Asked
from engine.audit.search import may_view_audit
from engine.context import Context, Origin
from engine.people.authentication import Identity
from engine.process.approval.service import Approvals
from engine.service import Records
from engine.store.types import is_id
from metadata.model import Text, say
from metadata.processes import ADMIN_PERMISSION
from ui import icons
from ui.cells import avatar
from ui.formats import Formats, formats_for
from ui.icons import STATIC
from ui.shell import shell_of
from ui.texts import LANGUAGES, Say, say_in, supported

__all__ = [
    "COOKIE_AGE", "LANGUAGE_COOKIE", "PROPOSED", "THEMES", "THEME_COOKIE", "TOAST_COOKIE",
    "Visit", "asked_for", "here", "html", "is_part", "language_of", "origin_of", "safe_address", "theme_of",
    "with_query",
]  # fmt: skip

LANGUAGE_COOKIE, THEME_COOKIE, TOAST_COOKIE = "fieldstone_language", "fieldstone_theme", "fieldstone_toast"
UNDO = {"deleted": "restore", "merged": "unmerge"}  # what a toast says -> what takes it back
PROPOSED = "{title} waits for its approval. It is made when it is approved."
TODO_MARK = "\0todo\0"  # where the menu, which is kept, gets the number of what waits for the person
THEMES = ("light", "dark", "auto")
COOKIE_AGE = 365 * 24 * 3600
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "vary": "Cookie, HX-Request",
}

environment = Environment(
    loader=FileSystemLoader(STATIC.parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
# Markup: icon() and avatar() escape what they are given.
environment.globals.update(
    icon=lambda name, extra="": Markup(icons.icon(name, extra)),  # noqa: S704
    avatar=lambda user, name, size="": Markup(avatar(user, name, size)),  # noqa: S704
    asset=icons.asset,
    LANGUAGES=LANGUAGES,
    THEMES=THEMES,
)


@dataclass(slots=True)
class Visit:
    """What a screen works with. `form` holds every value of every field that was sent, in order."""

    site: Site
    request: Request
    ctx: Context
    identity: Identity
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chosen = language_of(self.request, self.ctx.actor.language)
        self.ctx = replace(self.ctx, language=chosen)

    @property
    def language(self) -> str:
        return self.ctx.language

    @property
    def records(self) -> Records:
        return Records(self.ctx)

    @property
    def say(self) -> Say:
        return say_in(self.language)

    @property
    def formats(self) -> Formats:
        return formats_for(self.language, self.ctx.time_zone)

    @property
    def is_part(self) -> bool:
        """htmx asks for a part of a page, not for the page."""
        return is_part(self.request)

    def waits(self, record_id: str) -> bool:
        """Whether what was sent of this record is kept until an approval ends."""
        return any(one.record == record_id for one in self.ctx.requests)

    def text(self, text: Text) -> str:
        return say(text, self.language)

    def sent(self, name: str) -> str:
        """The last value of a form field, "" if it was not sent."""
        values = self.form.get(name)
        return values[-1] if values else ""

    def render(self, template: str, status: int = 200, **view: Any) -> Response:
        """A page in its shell, or a part of one."""
        frame: dict[str, Any] = {"_": self.say, "language": self.language, "csrf": self.identity.csrf}
        if not self.is_part or view.get("is_page"):
            badge = todo_badge(self)
            frame |= {
                "shell": shell_of(self.ctx),
                "nav": self.nav(view.get("current"), badge),
                "todo_badge": badge,
                "actor": self.ctx.actor,
                "may_view_audit": may_view_audit(self.ctx),
                "may_manage_rights": may_ask(self.ctx),
                "may_manage_processes": self.ctx.scope.has(ADMIN_PERMISSION),
                "sandbox_of": self.ctx.tenant.sandbox_of,
                "theme": theme_of(self.request),
                "here": here(self.request),
                "toast": self.toast(),
            }
        response = html(template, status, **frame, **view)
        if frame.get("toast"):
            response.delete_cookie(TOAST_COOKIE)
        return response

    def nav(self, current: Any, badge: Markup) -> Markup:
        """The menu, the same for all with these roles but for the badge: rendered once per page that it marks."""
        key = ("ui.nav", self.language, self.ctx.scope.key, current)
        found: Markup | None = self.ctx.snapshot.cache.get(key)
        if found is None:
            shown = environment.get_template("nav.html").render(
                shell=shell_of(self.ctx), current=current, _=self.say, todo_mark=TODO_MARK
            )  # fmt: skip
            found = self.ctx.snapshot.cache[key] = Markup(shown)  # noqa: S704 - a template escapes
        return found.replace(TODO_MARK, badge)

    def go(self, address: str, toast: Mapping[str, str] | None = None) -> Response:
        """After a change: to another page, which then shows the toast once."""
        if self.is_part:
            response = Response(status_code=204, headers={"HX-Redirect": address, "cache-control": "no-store"})
        else:
            response = RedirectResponse(address, status_code=303, headers={"cache-control": "no-store"})
        if toast:
            packed = quote(json.dumps({k: v[:80] for k, v in toast.items()}, ensure_ascii=False))
            response.set_cookie(
                TOAST_COOKIE,
                packed,
                max_age=60,
                path="/",
                httponly=True,
                samesite="lax",
                secure=self.site.config.is_secure,
            )
        return response

    def json(self, value: Any) -> Response:
        return JSONResponse(value, headers={"cache-control": "no-store", "x-content-type-options": "nosniff"})

    def toast(self) -> dict[str, Any] | None:
        """What the page before wants said: {"text", and for an undo "restore": address}."""
        try:
            read = json.loads(unquote(self.request.cookies.get(TOAST_COOKIE, "")) or "null")
            return toast_view(read, self.say) if isinstance(read, dict) else None
        except (ValueError, KeyError, TypeError):
            return None


def toast_view(read: Mapping[str, str], say: Say) -> dict[str, Any] | None:
    title = str(read.get("title", ""))
    texts = {
        "created": say("{title} was created.", title=title),
        "saved": say("Saved."),
        "waits": say("This waits for an approval. Until then nothing changes."),
        "proposed": say("{title} waits for its approval. It is made when it is approved.", title=title),
        "deleted": say("{title} was deleted.", title=title),
        "deleted_many": say("{count} records were deleted.", count=read.get("count", "")),
        "changed_many": say("{count} records were changed.", count=read.get("count", "")),
        "waits_many": say(
            "{count} wait for an approval. Until then they stay as they are.", count=read.get("count", "")
        ),
        "restored": say("{title} was restored.", title=title),
        "merged": say("The records were merged into {title}.", title=title),
        "shared": say("Shared with {title}.", title=title) if title else say("Shared."),
        "unshared": say("The share has ended."),
        "handed_over": say("Handed over: {count}.", count=read.get("count", "")),
        "unmerged": say("The merge was taken back."),
        "unmerged_partly": say(
            "The merge was taken back. Values that were changed since stay: {count}.", count=read.get("count", "")
        ),
        **account_texts(say, title, str(read.get("count", ""))),
        **approval_texts(say, title, str(read.get("count", ""))),
    }
    code = read.get("code", "")
    if code not in texts:
        return None
    view: dict[str, Any] = {"text": texts[code]}
    if is_id(read.get("next")):
        view["next"] = {"href": f"/inbox/{read['next']}", "title": str(read.get("next_title", ""))}
    if code in UNDO:
        view["restore"] = f"/o/{quote(read['object'])}/{quote(read['id'])}/{UNDO[code]}"
    return view


def account_texts(say: Say, title: str, count: str) -> dict[str, str]:
    return {
        "password": say("Your password was changed. Other sessions have ended."),
        "totp_off": say("Signing in in two steps is off."),
        "session": say("The session has ended."),
        "sessions": say("The other sessions have ended."),
        "revoked": say("The token was revoked."),
        "mail": say("Your choice of mails was saved."),
        "button_done": say("Done: {title}.", title=title),
        "button_waits": say("{title} has begun, and goes on by itself.", title=title),
        "button_many": say("{title}: done for {count} records.", title=title, count=count),
        "button_many_waits": say(
            "{title} has begun for {count} records, and goes on by itself.", title=title, count=count
        ),
        "job_again": say("The job is tried again."),
        "job_discarded": say("The job was given up."),
        "run_once_more": say("All steps are carried out once more, by this run."),
        "run_again": say("The run is carried out again, from the step at which it failed."),
        "invited": say("An invitation was sent to {title}.", title=title),
        "person_totp_off": say("{title} signs in without a code again.", title=title),
        "person_erased": say("The personal data was erased, in {count} records.", count=count),
        "person_sessions": say("All sessions of {title} have ended.", title=title),
    }


def approval_texts(say: Say, title: str, count: str) -> dict[str, str]:
    return {
        "approved_many": say("{count} approved.", count=count),
        "approval_submit": say("{title} was submitted for approval.", title=title),
        "approval_resubmit": say("{title} was submitted again.", title=title),
        "approval_approve": say("You approved {title}.", title=title),
        "approval_complete": say("You completed {title}.", title=title),
        "approval_reject": say("You rejected {title}.", title=title),
        "approval_return": say("You returned {title}.", title=title),
        "approval_withdraw": say("You withdrew {title}.", title=title),
        "approval_reclaim": say("Your approval was taken back."),
        "approval_transfer": say("{title} was transferred.", title=title),
        "approval_delegate": say("{title} was delegated.", title=title),
        "approval_add_before": say("The signers were added."),
        "approval_add_after": say("You approved {title}. The signers were added.", title=title),
        "approval_add_parallel": say("The signers were added."),
        "approval_remove_signer": say("The signer was removed."),
        "approval_cc": say("The copy was sent."),
        "approval_comment": say("Your comment was added."),
        "approval_claim": say("You claimed {title}.", title=title),
        "approval_unclaim": say("{title} is in the queue again.", title=title),
        "approval_urge": say("Those who are asked were reminded."),
        "approval_jump": say("{title} was moved to another step.", title=title),
        "approval_reassign": say("{title} was reassigned.", title=title),
        "approval_cancel": say("The approval of {title} was cancelled.", title=title),
        "approval_suspend": say("The approval of {title} is suspended.", title=title),
        "approval_resume": say("The approval of {title} goes on.", title=title),
        "approval_force": say("The decision about {title} was forced.", title=title),
        "away": say("You are away then. Your agent decides for you."),
        "away_ended": say("It has ended: your tasks are yours again."),
    }


def todo_badge(visit: Visit) -> Markup:
    """How many tasks wait for the person; hidden where none does. The script of the bell keeps it true."""
    if not shell_of(visit.ctx).has_inbox:
        return Markup()
    todo, overdue = Approvals(visit.ctx).waiting()
    shown = "99+" if todo > 99 else str(todo)
    late, hidden = " is-late" if overdue else "", "" if todo else Markup(" hidden")
    said = Markup('<span class="unseen"> ({})</span>').format(visit.say("{count} to do", count=shown)) if todo else ""
    return Markup(
        '<span class="badge-count{}" data-todo="{}" data-overdue="{}" data-say="{}"{}>'
        '<span aria-hidden="true">{}</span>{}</span>'
    ).format(late, todo, overdue, visit.say("{count} to do"), hidden, shown, said)


def html(template: str, status: int = 200, **view: Any) -> HTMLResponse:
    return HTMLResponse(environment.get_template(template).render(view), status, HEADERS)


def is_part(request: Request) -> bool:
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"


def language_of(request: Request, otherwise: str = "") -> str:
    """Chosen by the cookie, else the person's own, else the browser's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return supported(otherwise or request.headers.get("accept-language", ""))


def theme_of(request: Request) -> str:
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def origin_of(request: Request) -> Origin:
    return Origin("screen", address_of(request.scope), request.scope.get("fieldstone.request_id", ""))


def asked_for(request: Request) -> Asked:
    path, given = getattr(request.scope.get("route"), "path", ""), request.path_params
    return Asked(f"{request.method} {path}", given.get("object", ""), given.get("id", ""))


def here(request: Request) -> str:
    """This page's own address, to come back to."""
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def safe_address(address: str) -> str:
    """A page of ours to go to; "/" for anything that leads elsewhere."""
    try:
        parts = urlsplit(address)
    except ValueError:  # "//[", or a host that is none
        return "/"
    is_ours = (
        address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    )
    return address if is_ours and "\\" not in address and address.isprintable() else "/"


def with_query(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
