"""Operations of a person's own notifications. Screens ask for the state now and then, and get a 304 mostly."""

from typing import Any

from engine.api.account import at, whole
from engine.api.answers import Answer, json_answer
from engine.api.errors import bad_request
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.api.reading import whole_number
from engine.process import inbox, preferences
from engine.process.approval.service import Approvals
from engine.process.notice_jobs import Notice

__all__ = ["OPERATIONS"]

MAX_LIMIT = 200
Json = dict[str, Any]


def list_notifications(call: Call) -> Answer:
    whole(call)
    sent = call.values()
    unread = sent.get("unread", "false")
    if unread not in ("true", "false"):
        raise bad_request("query.value", f"unread is true or false, not '{unread[:40]}'", path="unread")
    limit = whole_number(sent, "limit", 50, 1, MAX_LIMIT)
    found, following = inbox.list_notices(
        call.ctx, unread=unread == "true", limit=limit, cursor=sent.get("cursor", "")
    )  # fmt: skip
    count, _ = inbox.state_of(call.ctx)
    return json_answer({"notifications": [body_of(one) for one in found], "next": following or None, "unread": count})


def body_of(notice: Notice) -> Json:
    return {
        "id": notice.id, "kind": notice.kind, "object": notice.object or None, "record": notice.record or None,
        "link": notice.link or None, "subject": notice.subject, "body": notice.body,
        "created_at": at(notice.created_at), "read_at": at(notice.read_at),
    }  # fmt: skip


def state(call: Call) -> Answer:
    whole(call)
    unread, newest = inbox.state_of(call.ctx)
    todo, overdue = Approvals(call.ctx).waiting()
    tag = f'"{unread}-{newest}-{todo}-{overdue}"'
    headers = ((b"etag", tag.encode()), (b"cache-control", b"private, no-cache"))
    asked = call.headers.get("if-none-match", "")
    if tag in (one.strip().removeprefix("W/") for one in asked.split(",")):
        return Answer(304, headers=headers)
    found = {"unread": unread, "newest": newest or None, "todo": todo, "overdue": overdue}
    return json_answer(found, headers=headers)


def read_one(call: Call) -> Answer:
    whole(call)
    inbox.mark_read(call.ctx, call.args[0])
    return Answer(204)


def read_all(call: Call) -> Answer:
    whole(call)
    sent = call.json()
    upto = sent.get("upto", "")
    if not isinstance(upto, str) or set(sent) - {"upto"}:
        raise bad_request("value.type", 'the body is {} or {"upto": the id of a notification}', path="upto")
    return json_answer({"read": inbox.mark_all_read(call.ctx, upto)})


def preferences_of(call: Call) -> Answer:
    whole(call)
    with call.ctx.tenant.database.read() as connection:
        return json_answer({"mail": preferences.mail_wanted(connection, call.ctx.actor.id)})


def change_preferences(call: Call) -> Answer:
    whole(call)
    wanted = call.json().get("mail")
    if not isinstance(wanted, dict):
        raise bad_request("value.type", 'the body is {"mail": {"approval": true}}', path="mail")
    with call.ctx.tenant.database.write() as connection:
        preferences.set_mail(connection, call.ctx.actor.id, wanted)
        return json_answer({"mail": preferences.mail_wanted(connection, call.ctx.actor.id)})


OWN = Permission("person", "own notifications")
OPERATIONS = (
    Operation("GET", "/notifications", OWN, list_notifications, ("unread", "limit", "cursor")),
    Operation("GET", "/notifications/state", OWN, state),
    Operation("GET", "/notifications/preferences", OWN, preferences_of),
    Operation("PATCH", "/notifications/preferences", OWN, change_preferences),
    Operation("POST", "/notifications/read-all", OWN, read_all, body_is_optional=True),
    Operation("POST", "/notifications/{id}/read", OWN, read_one, body_is_optional=True),
)
