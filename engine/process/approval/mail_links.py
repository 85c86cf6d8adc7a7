"""Links in mails by which who is asked decides without signing in: each names one task, one person and one decision. It
is random, hashed here, for a short time and for one use. Looking at it changes nothing: mail programs open links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from engine.context import SYSTEM, Context, Origin, context_of
from engine.errors import NotFound
from engine.people import attempts
from engine.people.attempts import LINKS
from engine.people.authentication import fingerprint, made_secret
from engine.people.standing import standing_of
from engine.process.approval import kept, offers
from engine.process.approval.service import Approvals, Done, InboxRow, view_of
from engine.store.database import Connection
from engine.store.system_approvals import approval_link
from engine.tenants import Tenant

__all__ = ["DECISIONS", "KINDS", "PATH", "Asked", "asked_by", "buttons", "decide", "make"]

PATH = "/approve/"
KINDS = frozenset({"approval.asked", "approval.reminded", "approval.urged"})  # notifications that get them
DECISIONS = ("approve", "complete", "reject")
LASTS = timedelta(days=7)
WORDS: Mapping[str, Mapping[str, str]] = {
    "approve": {"en": "Approve", "zh-CN": "同意"}, "complete": {"en": "Complete", "zh-CN": "办理"},
    "reject": {"en": "Reject", "zh-CN": "拒绝"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link asks. `row` is None where the task is no longer the person's to decide."""

    ctx: Context  # of the person
    task: str
    action: str
    row: InboxRow | None
    needs_comment: bool = False


def make(reader: Context, connection: Connection, task: str) -> dict[str, str]:
    """Decision -> the secret of its link, for the person of `reader`; {} where a mail does not suffice: a step that is
    signed, or that asks for values or people."""
    found = kept.row_of_task(connection, task)
    state = kept.load(connection, found[0]) if found else None
    if state is None:
        return {}
    w = view_of(reader, connection, state)
    node = w.chart.node(state.tasks[task].node)
    secrets: dict[str, str] = {}
    for action in offers.task_actions(w, state.tasks[task]):
        is_plain = "password" not in action.needs and not action.chooses
        if action.name not in DECISIONS or not is_plain or (node.required and action.name != "reject"):
            continue
        secret = made_secret()
        row = {
            "hash": fingerprint(secret), "task": task, "user": reader.actor.id, "action": action.name,
            "created_at": reader.now, "expires_at": reader.now + LASTS, "used_at": None,
        }  # fmt: skip
        connection.sa.execute(sa.delete(approval_link).where(approval_link.c.expires_at <= reader.now))
        connection.sa.execute(sa.insert(approval_link).values(row))
        secrets[action.name] = secret
    return secrets


def buttons(
    reader: Context, connection: Connection, kind: str, values: Mapping[str, Any], base_url: str
) -> Sequence[tuple[str, str]]:  # fmt: skip
    """(words, address) for the mail of a notification; () where it asks for no decision, or without a base URL."""
    task = values.get("task")
    if kind not in KINDS or not base_url or not isinstance(task, str) or not task:
        return ()
    made = make(reader, connection, task)
    return [(WORDS[action].get(reader.language, WORDS[action]["en"]), f"{base_url}{PATH}{secret}")
            for action, secret in made.items()]  # fmt: skip


def asked_by(tenant: Tenant, secret: str, origin: Origin, now: datetime, language: str = "") -> Asked | None:
    """What it asks of whom, in the person's language unless another is named. Changes nothing. None for a link that has
    ended, was used or never was, and where its person has left."""
    link = approval_link.c
    wanted = sa.select(link.task, link.user, link.action).where(*holds(secret, now))
    with tenant.database.read() as connection:
        found = connection.sa.execute(wanted).first()
    if found is None:
        return None
    try:
        standing = standing_of(context_of(tenant, SYSTEM, now), found.user)
    except NotFound:
        return None
    if not standing.is_active:
        return None
    ctx = replace(standing.context, origin=origin)
    if language:
        ctx = replace(ctx, language=language, actor=replace(ctx.actor, language=language))
    with tenant.database.read() as connection:
        place = kept.row_of_task(connection, found.task)
        state = kept.load(connection, place[0]) if place else None
        actions = offers.task_actions(view_of(ctx, connection, state), state.tasks[found.task]) if state else ()
    action = next((one for one in actions if one.name == found.action), None)
    rows = Approvals(ctx).inbox("todo", tasks=[found.task]).rows if action is not None else ()
    return Asked(
        ctx, found.task, found.action, rows[0] if rows else None, action is not None and "comment" in action.needs
    )


def decide(tenant: Tenant, secret: str, comment: str, origin: Origin, now: datetime) -> Done:
    """Once. What is refused leaves the link as it is. Raises NotFound for a link that has ended, was used or never
    was, and what the decision itself raises."""
    asked = asked_by(tenant, secret, origin, now)
    if asked is None:
        attempts.begin(tenant, origin.address, origin.address, now, LINKS)
        raise ended()
    taken = sa.update(approval_link).where(*holds(secret, now))
    with tenant.database.together() as connection:
        if connection.sa.execute(taken.values(used_at=now)).rowcount != 1:  # another was faster
            raise ended()
        return Approvals(asked.ctx).act(asked.task, asked.action, comment=comment)


def holds(secret: str, now: datetime) -> list[Any]:
    """That there is such a link, not used and not ended."""
    own = approval_link.c
    return [own.hash == fingerprint(secret), own.used_at.is_(None), own.expires_at > now]


def ended() -> NotFound:
    return NotFound("this link has ended or was used", code="link.ended", fix="open the inbox")
