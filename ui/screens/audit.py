"""The audit log for administrators: who did what, when and from where, in words."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from starlette.responses import Response

from engine.audit.search import KINDS, AuditEntry, Wanted, find, may_view_audit
from engine.errors import Forbidden
from engine.service import Query
from ui.screens.audit_details import details_text
from ui.screens.shares import names_of
from ui.visit import Visit, with_query

__all__ = ["audit_page"]

PAGE = 50
MOST_PEOPLE = 200  # that the filter offers
FILTERS = ("kind", "by", "object", "record", "since", "until")
ICONS = {
    "record.create": "plus", "record.update": "pencil", "record.delete": "trash", "record.restore": "arrow-back-up",
    "record.merge": "git-merge", "record.unmerge": "arrow-back-up", "definitions": "git-branch", "refusal": "lock",
    "sign_in": "login", "sign_out": "logout", "session": "logout", "password": "key", "totp": "device-mobile",
    "token": "key", "people": "users", "tenant": "building", "export": "file-export",
    "privacy": "shield-check", "permission": "key", "record.share": "share", "record.unshare": "share", "unmask": "eye",
    "record.override": "lock-open", "approval": "writing-sign", "automation": "bolt", "job": "stack",
}  # fmt: skip


def audit_page(visit: Visit) -> Response:
    if not may_view_audit(visit.ctx):
        raise Forbidden("you may not read the audit log", code="audit.forbidden", fix="ask an administrator")
    sent = {name: visit.request.query_params.get(name, "").strip()[:200] for name in FILTERS}
    wanted = Wanted(
        kind=sent["kind"], by=id_in(sent["by"]), object=sent["object"], record=id_in(sent["record"]),
        since=start_of(visit, sent["since"]), until=end_of(visit, sent["until"]),
    )  # fmt: skip
    entries, following = find(visit.ctx, wanted, visit.request.query_params.get("cursor", ""), PAGE)
    pairs = [(name, value) for name, value in sent.items() if value]
    return visit.render(
        "audit.html",
        title=visit.say("Audit log"),
        current="audit",
        sent=sent,
        is_filtered=bool(pairs),
        kinds=[(kind, kind_text(visit, kind)) for kind in KINDS],
        objects=[
            (name, visit.text(one.plural))
            for name, one in visit.ctx.snapshot.definitions.objects.items()
            if visit.ctx.scope.can("read", name)
        ],
        people=people(visit),
        more=with_query("/audit", [*pairs, ("cursor", following)]) if following else "",
        days=days_of(visit, entries),
    )


def people(visit: Visit) -> list[tuple[str, str]]:
    if not visit.ctx.scope.can("read", "user"):
        return []
    title = visit.ctx.snapshot.definitions.objects["user"].title
    page = visit.records.page(Query("user", (title,), limit=MOST_PEOPLE))
    return sorted(((key, str(row[0] or "")) for key, row in zip(page.ids, page.rows, strict=True)), key=lambda p: p[1])


def days_of(visit: Visit, entries: list[AuditEntry]) -> list[dict[str, Any]]:
    """The entries under the day on which each was made, in the person's zone."""
    days: list[dict[str, Any]] = []
    for entry in entries:
        day = visit.formats.date(entry.at.astimezone(visit.ctx.time_zone).date())
        if not days or days[-1]["day"] != day:
            days.append({"day": day, "entries": []})
        days[-1]["entries"].append(view_of(visit, entry))
    return days


def view_of(visit: Visit, entry: AuditEntry) -> dict[str, Any]:
    definition = visit.ctx.snapshot.definitions.objects.get(entry.object)
    by = entry.by_name or (visit.say("A person that you cannot see") if entry.by else visit.say("The system"))
    if entry.on_behalf_of:
        other = entry.on_behalf_of_name or visit.say("A person that you cannot see")
        by = visit.say("{name} on behalf of {other}", name=by, other=other)
    label = visit.text(definition.label) if definition is not None else entry.object
    first = entry.kind.partition(".")[0]
    return {
        "icon": ICONS.get(entry.kind) or ICONS.get(first, "point-filled"),
        "is_bad": entry.kind == "refusal" or entry.kind.endswith(".refused"),
        "by": by,
        "text": kind_text(visit, entry.kind),
        "object": label,
        "title": entry.title,
        "href": f"/o/{entry.object}/{entry.record}" if entry.title else "",
        "record": entry.record,
        "count": count_text(visit, entry),
        "where": where(visit, entry),
        "at": entry.at.astimezone(UTC).isoformat(timespec="seconds"),
        "clock": visit.formats.time(entry.at.astimezone(visit.ctx.time_zone).time()),
        "exact": visit.formats.datetime(entry.at),
    }


def count_text(visit: Visit, entry: AuditEntry) -> str:
    count = entry.details.get("count")
    return visit.say("{count} records", count=visit.formats.number(count)) if isinstance(count, int) else ""


def where(visit: Visit, entry: AuditEntry) -> str:
    channels = {"api": visit.say("API"), "screen": visit.say("Screens"), "command": visit.say("Command line")}
    parts = [channels.get(entry.channel, entry.channel), entry.address, entry.request]
    details = dict(entry.details)
    if entry.kind in ("record.share", "record.unshare"):
        parts.append(share_text(visit, details))
        details = {}
    elif entry.kind == "unmask":
        parts.append(field_text(visit, entry.object, str(details.pop("field", ""))))
    parts += details_text(visit, details)
    return " · ".join(part for part in parts if part)


def share_text(visit: Visit, details: dict[str, Any]) -> str:
    """To whom, for what and why."""
    holder = str(details.get("kind", "")), str(details.get("to", ""))
    name = names_of(visit, [holder]).get(holder, visit.say("A record that you cannot see"))
    access = visit.say("Edits") if details.get("access") == "edit" else visit.say("Reads")
    return " · ".join(part for part in (name, access, str(details.get("reason") or "")) if part)


def field_text(visit: Visit, object_name: str, name: str) -> str:
    definition = visit.ctx.snapshot.definitions.objects.get(object_name)
    field = definition.fields.get(name) if definition is not None else None
    return visit.text(field.label) if field is not None else name


def kind_text(visit: Visit, kind: str) -> str:
    """What happened, in words; a kind that is not known here stands as it is."""
    known = {
        "record": visit.say("Records"),
        "record.create": visit.say("Created"),
        "record.update": visit.say("Changed"),
        "record.delete": visit.say("Deleted"),
        "record.restore": visit.say("Restored"),
        "record.merge": visit.say("Merged"),
        "record.unmerge": visit.say("Merge taken back"),
        "record.share": visit.say("Record shared"),
        "record.unshare": visit.say("Share ended"),
        "unmask": visit.say("Masked value shown"),
        "definitions": visit.say("Definitions"),
        "definitions.publish": visit.say("Definitions published"),
        "refusal": visit.say("Refused"),
        "sign_in": visit.say("Sign-ins"),
        "sign_in.refused": visit.say("Sign-in refused"),
        "sign_out": visit.say("Signed out"),
        "session": visit.say("Sessions"),
        "session.ended": visit.say("Session ended"),
        "password": visit.say("Passwords"),
        "password.changed": visit.say("Password changed"),
        "totp": visit.say("Second step"),
        "totp.on": visit.say("Second step switched on"),
        "totp.off": visit.say("Second step switched off"),
        "totp.codes": visit.say("New recovery codes"),
        "token": visit.say("Tokens"),
        "token.made": visit.say("Token made"),
        "token.revoked": visit.say("Token withdrawn"),
        "people": visit.say("People"),
        "people.handover": visit.say("Records handed over"),
        "people.agent": visit.say("Out of office"),
        "people.agent_ended": visit.say("Out of office ended"),
        "webhook.secret.set": visit.say("Secret of a webhook set"),
        "tenant": visit.say("Tenant"),
        "permission": visit.say("Permissions"),
        "record.override": visit.say("Locked record changed"),
        "approval": visit.say("Approvals"),
        "approval.decided": visit.say("Approval: decision"),
        "approval.attached": visit.say("Approval: files attached"),
        "approval.ended": visit.say("Approval ended"),
        "approval.override": visit.say("Approval: step in by an administrator"),
        "approval.unasked": visit.say("Changed by the system before an approval"),
        "approval.leaver": visit.say("Approval: somebody else is asked for a person who left"),
        "automation": visit.say("Automations"),
        "automation.replayed": visit.say("Run of an automation done again"),
        "job": visit.say("Jobs"),
        "job.replayed": visit.say("Job tried again"),
        "job.discarded": visit.say("Job given up"),
        "export": visit.say("Exports"),
        "privacy": visit.say("Privacy"),
        "privacy.export": visit.say("Personal data exported"),
        "privacy.erase": visit.say("Personal data erased"),
        "privacy.expire": visit.say("Personal data expired"),
        "record.erase": visit.say("Personal data erased in the record"),
        "history": visit.say("History"),
        "history.rewritten": visit.say("History shortened"),
        "audit": visit.say("Audit log"),
        "audit.prune": visit.say("Old entries removed"),
        "audit.checkpoint": visit.say("Checkpoint"),
    }
    return known.get(kind, kind)


def id_in(text: str) -> str:
    try:
        return str(UUID(text)) if text else ""
    except ValueError:
        return ""


def day_in(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def start_of(visit: Visit, text: str) -> datetime | None:
    day = day_in(text)
    return datetime.combine(day, time(), visit.ctx.time_zone).astimezone(UTC) if day else None


def end_of(visit: Visit, text: str) -> datetime | None:
    """The day that is named belongs to what is shown."""
    day = day_in(text)
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days=1), time(), visit.ctx.time_zone).astimezone(UTC)
