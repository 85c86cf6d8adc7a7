"""A person's own account: password, codes, sessions, tokens. For a session only: a token may not make another one."""

from typing import Any

from starlette.responses import Response

from engine.access.narrow import TokenScope
from engine.config import bare_host
from engine.errors import BadInput, EngineError, Forbidden
from engine.people import attempts, credentials, passwords, sessions, tokens, totp
from engine.people.attempts import TooManyAttempts
from engine.people.credentials import Account
from engine.people.passwords import policy_of
from ui.screens.away import away_view
from ui.screens.notifications import mail_view
from ui.screens.threshold import origin_of
from ui.texts import problem_text
from ui.visit import Visit

__all__ = [
    "account_page", "begin_codes", "change_password", "codes_off", "confirm_codes", "end_other_sessions", "end_session",
    "make_token", "own", "renew_codes", "revoke_token",
]  # fmt: skip

DAYS = (7, 30, 90, 365)
AGENTS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
DEVICES = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def account_page(visit: Visit, status: int = 200, **told: Any) -> Response:
    """`told`: {"errors": {part: text}} after a refusal, "secret_token" or "recovery_codes" to be shown this once."""
    account = own(visit)
    tenant, now, formats = visit.site.tenant, visit.ctx.now, visit.formats
    is_on = totp.is_on(tenant, account.id)
    secret = None if is_on else totp.waiting(tenant, account.id)
    names = visit.ctx.scope.objects()
    objects = visit.ctx.snapshot.definitions.objects
    return visit.render(
        "account.html",
        status,
        title=visit.say("Account and security"),
        current="me",
        account=account,
        least=visit.site.config.password_length,
        has_password=account.hash is not None,
        codes={
            "is_on": is_on,
            "left": totp.recovery_codes_left(tenant, account.id) if is_on else 0,
            "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)) if secret else "",
            "picture": totp.picture(secret, account.username, host_of(visit)) if secret else "",
        },
        sessions=[
            {
                "id": one.id,
                "label": agent_of(one.agent) or visit.say("Unknown program"),
                "address": one.address,
                "seen": formats.ago(one.seen_at, now),
                "is_current": one.is_current,
            }
            for one in sessions.list_sessions(tenant, account.id, now, visit.identity.fingerprint)
        ],
        tokens=[
            {
                "id": one.id,
                "name": one.name or visit.say("Untitled"),
                "ends": formats.date(one.expires_at.astimezone(visit.ctx.time_zone).date()),
                "has_ended": one.expires_at <= now,
                "used": formats.ago(one.used_at, now) if one.used_at else visit.say("never"),
                "is_read_only": one.scope.read_only,
                "objects": [visit.text(objects[n].plural) if n in objects else n for n in sorted(one.scope.objects)],
            }
            for one in tokens.list_tokens(tenant, account.id)
        ],
        mail=mail_view(visit),
        days=DAYS,
        objects=[{"name": name, "label": visit.text(objects[name].plural)} for name in names],
        **{"errors": {}, "secret_token": "", "recovery_codes": [], "away": away_view(visit)} | told,
    )


def own(visit: Visit) -> Account:
    if visit.identity.kind != "session":
        raise Forbidden("a token cannot change how its user comes in", fix="sign in")
    account = credentials.account_of(visit.site.tenant, visit.ctx.actor.id)
    assert account is not None  # a deleted user has no session
    return account


def change_password(visit: Visit) -> Response:
    account, new = own(visit), visit.sent("password")[:1000]
    try:
        check_password(visit, account)
        if new != visit.sent("again")[:1000]:
            raise BadInput(visit.say("The two passwords are not the same."), code="password.twice")
        policy = policy_of(visit.site.config)
        credentials.check_new(visit.site.tenant, account, new, policy)
    except (BadInput, TooManyAttempts) as refusal:
        return refused(visit, "password", refusal)
    credentials.change_password(
        visit.site.tenant, account, new, actor=visit.ctx.actor, origin=origin_of(visit.request), now=visit.ctx.now,
        policy=policy, kept_session=visit.identity.fingerprint,
    )  # fmt: skip
    return visit.go("/me", {"code": "password"})


def check_password(visit: Visit, account: Account) -> None:
    """The old password, counted as signing in is. Raises BadInput, TooManyAttempts."""
    tenant, address = visit.site.tenant, origin_of(visit.request).address
    attempts.begin(tenant, account.username, address, visit.ctx.now)
    if not passwords.verify(account.hash, visit.sent("old")[:1000]):
        raise BadInput(visit.say("That is not your password."), code="password.wrong")
    attempts.forget(tenant, account.username)


def begin_codes(visit: Visit) -> Response:
    account = own(visit)
    try:
        check_password(visit, account)
        totp.begin(visit.site.tenant, account.id, visit.ctx.now)
    except (BadInput, TooManyAttempts) as refusal:
        return refused(visit, "codes", refusal)
    return visit.go("/me#codes")


def confirm_codes(visit: Visit) -> Response:
    account = own(visit)
    try:
        codes = totp.confirm(
            visit.site.tenant, account.id, visit.sent("code")[:20], actor=visit.ctx.actor,
            origin=origin_of(visit.request), now=visit.ctx.now,
        )  # fmt: skip
    except (BadInput, TooManyAttempts) as refusal:
        return refused(visit, "codes", refusal)
    return account_page(visit, recovery_codes=codes)


def codes_off(visit: Visit) -> Response:
    account = own(visit)
    try:
        check_password(visit, account)
    except (BadInput, TooManyAttempts) as refusal:
        return refused(visit, "codes", refusal)
    origin = origin_of(visit.request)
    totp.switch_off(visit.site.tenant, account.id, actor=visit.ctx.actor, origin=origin, now=visit.ctx.now)
    return visit.go("/me", {"code": "totp_off"})


def renew_codes(visit: Visit) -> Response:
    account = own(visit)
    try:
        check_password(visit, account)
        if not totp.is_on(visit.site.tenant, account.id):
            raise BadInput(visit.say("Signing in in two steps is off."), code="totp.off")
    except (BadInput, TooManyAttempts) as refusal:
        return refused(visit, "codes", refusal)
    codes = totp.new_recovery_codes(
        visit.site.tenant, account.id, actor=visit.ctx.actor, origin=origin_of(visit.request), now=visit.ctx.now
    )
    return account_page(visit, recovery_codes=codes)


def end_session(visit: Visit) -> Response:
    account, actor, origin = own(visit), visit.ctx.actor, origin_of(visit.request)
    sessions.end(visit.site.tenant, account.id, visit.sent("id"), actor=actor, origin=origin, now=visit.ctx.now)
    return visit.go("/me", {"code": "session"})


def end_other_sessions(visit: Visit) -> Response:
    account, kept, origin = own(visit), visit.identity.fingerprint, origin_of(visit.request)
    sessions.end_others(
        visit.site.tenant, account.id, kept, actor=visit.ctx.actor, origin=origin, now=visit.ctx.now
    )  # fmt: skip
    return visit.go("/me", {"code": "sessions"})


def make_token(visit: Visit) -> Response:
    account, days = own(visit), visit.sent("days")
    try:
        wanted = [name for name in visit.form.get("objects", ()) if name]
        tokens.check_objects(visit.ctx.scope.objects(), wanted)
        made = tokens.make_token(
            visit.site.tenant, account.id, now=visit.ctx.now, days=int(days) if days.isdecimal() else 0,
            name=visit.sent("name"), scope=TokenScope(visit.sent("access") != "all", frozenset(wanted)),
            actor=visit.ctx.actor, origin=origin_of(visit.request),
        )  # fmt: skip
    except BadInput as refusal:
        return refused(visit, "tokens", refusal)
    return account_page(visit, secret_token=made)


def revoke_token(visit: Visit) -> Response:
    account, actor, origin = own(visit), visit.ctx.actor, origin_of(visit.request)
    tokens.revoke_token(
        visit.site.tenant, account.id, visit.sent("id"), now=visit.ctx.now, actor=actor, origin=origin
    )  # fmt: skip
    return visit.go("/me", {"code": "revoked"})


def refused(visit: Visit, part: str, refusal: EngineError) -> Response:
    if isinstance(refusal, TooManyAttempts):
        return account_page(visit, 429, errors={part: visit.say("Too many attempts. Wait a while, then try again.")})
    problem = refusal.problems[0] if refusal.problems else None
    text = problem_text(problem, visit.language) if problem else str(refusal)
    return account_page(visit, 422, errors={part: text})


def host_of(visit: Visit) -> str:
    return bare_host(visit.site.config.base_url.partition("://")[2].partition("/")[0])


def agent_of(agent: str) -> str:
    """What a browser says of itself, short: `Firefox, Windows`."""
    found = [next((label for mark, label in known if mark in agent), "") for known in (AGENTS, DEVICES)]
    return ", ".join(filter(None, found)) or agent.partition("/")[0][:40]
