"""Out of office: who decides for a person while they are away, on their own page and in the inboxes of both."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from engine.errors import EngineError
from engine.process.agents import Agent, agents, offered
from ui.screens.approval_actions import people_widget
from ui.screens.refusals import problems_of
from ui.shell import shell_of
from ui.texts import problem_text
from ui.visit import Visit

__all__ = ["away_view", "banners"]

AT_FIELDS = frozenset({"agent", "from", "to", "reason"})


def away_view(visit: Visit, refusal: EngineError | None = None) -> dict[str, Any] | None:
    """The part of the person's page; None where the tenant has no approvals."""
    if not shell_of(visit.ctx).has_inbox:
        return None
    errors = (
        {problem.path: problem_text(problem, visit.language) for problem in problems_of(refusal)} if refusal else {}
    )
    approvals = visit.ctx.snapshot.definitions.processes.approvals
    chosen = visit.form.get("approvals", ())
    found = agents(visit.ctx)
    with visit.ctx.tenant.database.read() as connection:
        known, _ = offered(visit.ctx, connection)
    return {
        "p": people_widget(visit, "agent", visit.say("Who decides for you"), several=False, required=True,
                           error=errors.get("agent", "")),
        "errors": errors, "notice": "" if AT_FIELDS & errors.keys() else " ".join(errors.values()),
        "sent": {name: visit.sent(name) for name in ("from", "to", "reason")}, "today": visit.ctx.today.isoformat(),
        "approvals": [
            {"name": name, "label": visit.text(one.label), "is_chosen": name in chosen}
            for name, one in sorted(approvals.items(), key=lambda one: visit.text(one[1].label)) if name in known
        ],
        "own": [agent_view(visit, one, names_of(visit, found)) for one in found if one.user == visit.ctx.actor.id],
        "others": [agent_view(visit, one, names_of(visit, found)) for one in found if one.agent == visit.ctx.actor.id],
    }  # fmt: skip


def names_of(visit: Visit, found: Sequence[Agent]) -> Mapping[str, str]:
    ids = {user for one in found for user in (one.user, one.agent)}
    return visit.records.titles("user", sorted(ids)) if ids and visit.ctx.scope.can("read", "user") else {}


def agent_view(visit: Visit, one: Agent, names: Mapping[str, str]) -> dict[str, Any]:
    unseen = visit.say("A person that you cannot see")
    approvals = visit.ctx.snapshot.definitions.processes.approvals
    labels = [visit.text(approvals[name].label) for name in one.approvals if name in approvals]
    return {
        "id": one.id, "agent": names.get(one.agent) or unseen, "user": names.get(one.user) or unseen,
        "from": visit.formats.date(own_day(visit, one.starts)), "until": visit.formats.date(last_day(visit, one.ends)),
        "is_now": one.starts <= visit.ctx.now < one.ends, "what": visit.say(", ").join(labels), "reason": one.reason,
    }  # fmt: skip


def own_day(visit: Visit, moment: datetime) -> date:
    return moment.astimezone(visit.ctx.time_zone).date()


def last_day(visit: Visit, ends: datetime) -> date:
    """It ends where the day after its last one begins."""
    return own_day(visit, ends - timedelta(seconds=1))


def banners(visit: Visit) -> list[dict[str, Any]]:
    """Who is away now, and who decides: for both of them."""
    found = [one for one in agents(visit.ctx) if one.starts <= visit.ctx.now < one.ends]
    names, me, say = names_of(visit, found), visit.ctx.actor.id, visit.say
    views = []
    for one in found:
        shown = agent_view(visit, one, names)
        text = say("You are away until {date}: {name} decides for you.", date=shown["until"], name=shown["agent"])
        if one.user != me:
            text = say("{name} is away until {date}: you decide for them.", date=shown["until"], name=shown["user"])
        views.append({"text": text, "is_own": one.user == me})
    return views
