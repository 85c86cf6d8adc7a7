"""Who a record was shared with by hand: the dialog that shares it with others, and ends that."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput
from engine.service_shares import KINDS, Share, ShareEvent
from metadata.model import Field
from ui.screens.objects import head, object_of
from ui.screens.refusals import problems_of
from ui.screens.timeline import Told
from ui.texts import problem_text
from ui.visit import Visit
from ui.widgets import widget_view

__all__ = ["add_share", "end_share", "names_of", "share_entries", "shares_page"]

SHOWN = 30
ICONS = {"user": "user", "team": "users-group", "department": "building", "role": "shield-check"}


def shares_page(visit: Visit) -> Response:
    return show(visit)


def add_share(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id, kind = visit.request.path_params["id"], visit.sent("kind")
    to = visit.sent(f"to_{kind}")
    values: dict[str, Any] = {"kind": kind, "to": to, "access": visit.sent("access") or "read"}
    if reason := visit.sent("reason").strip():
        values["reason"] = reason
    if until := visit.sent("until"):
        values["expires_at"] = end_of(visit, until)
    try:
        visit.records.share(definition.name, record_id, values)
    except BadInput as refusal:
        errors = {problem.path: problem_text(problem, visit.language) for problem in problems_of(refusal)}
        return show(visit, 422, errors)
    name = names_of(visit, [(kind, to)]).get((kind, to), "")
    return visit.go(f"/o/{definition.name}/{record_id}", {"code": "shared", "title": name})


def end_of(visit: Visit, day: str) -> str:
    """The end of a day by the person's clock; what is no day goes as it is, to be refused."""
    try:
        found = datetime.combine(datetime.fromisoformat(day).date() + timedelta(days=1), time(), visit.ctx.time_zone)
    except (ValueError, OverflowError):
        return day
    return found.isoformat()


def end_share(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    visit.records.unshare(definition.name, record_id, visit.sent("id"))
    if visit.is_part:
        return show(visit)
    return visit.go(f"/o/{definition.name}/{record_id}/shares", {"code": "unshared"})


def show(visit: Visit, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    definition, errors = object_of(visit, visit.request.path_params["object"]), errors or {}
    record_id = visit.request.path_params["id"]
    visit.records.share_events(definition.name, record_id, 1)  # refuses whoever may not share it
    title = visit.records.titles(definition.name, [record_id]).get(record_id) or visit.say("Untitled")
    heading = visit.say("Share {title}", title=title)
    kinds = [kind for kind in KINDS if kind == "role" or visit.ctx.scope.can("read", kind)]
    chosen = visit.sent("kind") if visit.sent("kind") in kinds else kinds[0]
    return visit.render(
        "shares.html" if visit.is_part else "shares_page.html", status, title=heading, heading=heading,
        object=head(visit, definition), in_sheet=visit.is_part, address=f"/o/{definition.name}/{record_id}",
        current=(definition.name, "", "any"),
        shares=share_views(visit, visit.records.shares(definition.name, record_id)),
        kinds=[kind_view(visit, kind, errors) for kind in kinds], chosen=chosen, errors=errors,
        sent={name: visit.sent(name) for name in ("until", "reason")}, access=visit.sent("access") or "read",
        today=visit.ctx.today.isoformat(), sharing=meaning(visit, definition.sharing),
    )  # fmt: skip


def meaning(visit: Visit, sharing: str) -> str:
    """What sharing a record of such an object adds."""
    say = visit.say
    if sharing == "private":
        return say("Others do not see this record, unless their roles or their place above its owner show it to them.")
    if sharing == "read":
        return say(
            "Everybody whose role allows it reads this record. Sharing it for editing lets others change it as well."
        )
    return say("Everybody whose role allows it reads and changes this record already.")


def kind_view(visit: Visit, kind: str, errors: Mapping[str, str]) -> dict[str, Any]:
    label = {
        "user": visit.say("Person"), "team": visit.say("Team"), "department": visit.say("Department and below"),
        "role": visit.say("Role"),
    }[kind]  # fmt: skip
    view: dict[str, Any] = {"name": kind, "label": label}
    is_asked = visit.sent("kind") == kind
    error = (errors.get("to", "") or errors.get("kind", "")) if is_asked else ""
    if kind == "role":
        roles = visit.ctx.snapshot.definitions.roles
        options = [(name, visit.text(role.label) or name) for name, role in roles.items()]
        return {**view, "roles": options, "value": visit.sent("to_role"), "error": error}
    field = Field(f"to_{kind}", "reference", {"en": label}, target=kind)
    sent = [visit.sent(f"to_{kind}")] if is_asked and visit.sent(f"to_{kind}") else None
    return {**view, "w": {**widget_view(visit, kind, field, None, sent=sent, error=error), "label": label, "new": ""}}


def share_views(visit: Visit, shares: Sequence[Share]) -> list[dict[str, Any]]:
    names = names_of(visit, [*((one.kind, one.to) for one in shares), *(("user", one.by) for one in shares)])
    say, formats = visit.say, visit.formats
    return [
        {
            "id": one.id, "icon": ICONS[one.kind],
            "name": names.get((one.kind, one.to), say("A record that you cannot see")),
            "is_edit": one.access == "edit", "reason": one.reason,
            "by": names.get(("user", one.by), say("The system")), "when": formats.datetime(one.at),
            "until": formats.date(last_day(visit, one.expires_at)) if one.expires_at else "",
        }
        for one in shares
    ]  # fmt: skip


def last_day(visit: Visit, ends: datetime) -> date:
    """A share ends where the day after its last one begins."""
    return (ends - timedelta(seconds=1)).astimezone(visit.ctx.time_zone).date()


def names_of(visit: Visit, holders: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(kind, id) -> its name, of those that this person may see."""
    roles = visit.ctx.snapshot.definitions.roles
    found = {("role", to): visit.text(roles[to].label) or to for kind, to in holders if kind == "role" and to in roles}
    for kind in KINDS:
        ids = [to for one, to in holders if one == kind and kind != "role" and to]
        found |= {(kind, one): title for one, title in visit.records.titles(kind, ids).items()} if ids else {}
    return found


def share_entries(visit: Visit, object_name: str, record_id: str) -> list[Told]:
    """For the timeline of a record that the person may share."""
    events = visit.records.share_events(object_name, record_id, SHOWN)
    names = names_of(visit, [*((one.kind, one.to) for one in events), *(("user", one.by) for one in events)])
    found = []
    for one in events:
        icon, text = "lock" if one.is_end else "share", event_text(visit, one, names.get((one.kind, one.to), "…"))
        found.append(Told(one.at, names.get(("user", one.by), ""), icon, text))
    return found


def event_text(visit: Visit, event: ShareEvent, name: str) -> str:
    if event.is_end:
        return visit.say("ended the share with {name}", name=name)
    if event.access == "edit":
        text = visit.say("shared this record with {name} for editing", name=name)
    else:
        text = visit.say("shared this record with {name} for reading", name=name)
    return visit.say("{text}: {reason}", text=text, reason=event.reason) if event.reason else text
