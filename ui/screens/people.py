"""What managers of users do on a user's page beside changing it: invite, switch codes off, end sessions."""

from typing import Any

from starlette.responses import Response

from engine.people import links, manage
from ui.screens.threshold import origin_of
from ui.visit import Visit

__all__ = ["codes_off", "end_sessions", "invite", "person_actions"]

USER = "user"


def person_actions(visit: Visit, object_name: str, record_id: str) -> list[dict[str, str]]:
    """For the menu of a record's page; [] for any other object and for who does not manage users."""
    if object_name != USER or not manage.may_manage(visit.ctx, record_id):
        return []
    say, base = visit.say, f"/o/user/{record_id}"
    return [
        {"href": f"{base}/invite", "icon": "mail", "label": say("Invite by mail")},
        {"href": f"{base}/codes-off", "icon": "lock-open", "label": say("Switch codes off")},
        {"href": f"{base}/end-sessions", "icon": "logout", "label": say("End all sessions")},
    ]


def invite(visit: Visit) -> Response:
    account = manage.managed(visit.ctx, visit.request.path_params["id"])
    mail = links.invite(
        visit.site.tenant, visit.site.config, account.id, visit.ctx.actor, origin_of(visit.request), visit.ctx.now
    )
    visit.site.mailer.send(mail)  # its answer counts: who invites must know that it did not work
    return done(visit, account.id, "invited", account.email)


def codes_off(visit: Visit) -> Response:
    account = manage.managed(visit.ctx, visit.request.path_params["id"])
    manage.switch_codes_off(visit.ctx, account, origin_of(visit.request))
    return done(visit, account.id, "person_totp_off", account.name)


def end_sessions(visit: Visit) -> Response:
    account = manage.managed(visit.ctx, visit.request.path_params["id"])
    manage.end_sessions(visit.ctx, account, origin_of(visit.request))
    return done(visit, account.id, "person_sessions", account.name)


def done(visit: Visit, user: str, code: str, title: str) -> Response:
    toast: dict[str, Any] = {"code": code, "title": title}
    return visit.go(f"/o/user/{user}", toast)
