"""What a person was told: the newest in the bell's dialog, older ones on a page, and of which one gets a mail."""

from typing import Any

from starlette.responses import Response

from engine.process import inbox, preferences
from engine.process.notice_jobs import Notice
from ui.visit import Visit, safe_address, with_query

__all__ = ["change_mail", "mail_view", "notifications_page", "read_all", "read_one"]

LATEST, PAGE = 15, 40
ICONS = {
    "approval.asked": ("user-check", "indigo"), "approval.reminded": ("clock", "orange"),
    "approval.urged": ("speakerphone", "orange"), "approval.returned": ("arrow-back-up", "orange"),
    "approval.decided.approved": ("circle-check", "green"), "approval.decided.rejected": ("x", "red"),
    "approval.decided": ("flag", "gray"), "approval.cc": ("mail", "azure"),
    "approval.asked_back": ("message", "azure"), "approval.helped": ("arrow-back-up", "azure"),
    "approval.stuck": ("alert-triangle", "red"), "approval": ("writing-sign", "indigo"),
    "automation": ("bolt", "purple"),
}  # fmt: skip
OTHER = ("bell", "gray")


def notifications_page(visit: Visit) -> Response:
    asked = visit.request.query_params
    unread, cursor = asked.get("show") == "unread", asked.get("cursor", "")
    size = LATEST if visit.is_part else PAGE
    found, following = inbox.list_notices(visit.ctx, unread=unread, limit=size, cursor=cursor)
    count, newest = inbox.state_of(visit.ctx)
    kept = [("show", "unread")] if unread else []
    return visit.render(
        "notifications.html" if visit.is_part else "notifications_page.html",
        title=visit.say("Notifications"), current="notifications", in_sheet=visit.is_part,
        notices=[notice_view(visit, one) for one in found], unread=count, newest=newest, only_unread=unread,
        more=with_query("/notifications", [*kept, ("cursor", following)]) if following else "",
        back=with_query("/notifications", kept),
    )  # fmt: skip


def notice_view(visit: Visit, one: Notice) -> dict[str, Any]:
    names = (f"{one.kind}.{one.outcome}", one.kind, one.kind.partition(".")[0])
    mark, tone = next((ICONS[name] for name in names if name in ICONS), OTHER)
    return {
        "id": one.id, "icon": mark, "tone": tone, "text": one.subject, "body": one.body,
        "href": safe_address(one.link) if one.link else "", "is_unread": one.read_at is None,
        "at": one.created_at.isoformat(timespec="seconds"), "ago": visit.formats.ago(one.created_at, visit.ctx.now),
        "exact": visit.formats.datetime(one.created_at),
    }  # fmt: skip


def read_one(visit: Visit) -> Response:
    inbox.mark_read(visit.ctx, visit.request.path_params["id"])
    return after(visit)


def read_all(visit: Visit) -> Response:
    """All that the page showed; what has come since stays new."""
    inbox.mark_all_read(visit.ctx, visit.sent("upto"))
    return after(visit)


def after(visit: Visit) -> Response:
    """The bell's dialog anew, or the page that one was on."""
    return (
        notifications_page(visit) if visit.is_part else visit.go(safe_address(visit.sent("back") or "/notifications"))
    )


def mail_view(visit: Visit) -> list[dict[str, Any]]:
    with visit.ctx.tenant.database.read() as connection:
        wanted = preferences.mail_wanted(connection, visit.ctx.actor.id)
    say = visit.say
    texts = {
        "approval": (say("Approvals"), say("Somebody waits for your decision, or has decided on what you submitted.")),
        "automation": (say("Automations"), say("What the rules of your company tell you: reminders, changes, news.")),
    }
    return [
        {"name": name, "label": texts.get(name, (name, ""))[0], "about": texts.get(name, ("", ""))[1], "is_on": is_on}
        for name, is_on in wanted.items()
    ]  # fmt: skip


def change_mail(visit: Visit) -> Response:
    chosen = set(visit.form.get("mail", ()))
    with visit.ctx.tenant.database.write() as connection:
        preferences.set_mail(connection, visit.ctx.actor.id, {name: name in chosen for name in preferences.MAILED})
    return visit.go("/me#mail", {"code": "mail"})
