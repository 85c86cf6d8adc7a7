"""What sets automations off besides saves: schedules, dates of records, events, calls from outside, buttons."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.context import Context
from engine.jobs.schedule import SOURCES, forget, next_time, take_due
from engine.process.automation.book import ordered
from engine.process.automation.dates import begin_passed, zone_of
from engine.process.automation.runs import begin, prune
from engine.store.database import Connection
from metadata.formula.results import BODY
from metadata.processes import Automation, Phase

__all__ = ["announced", "announced_of_none", "due", "rules_of_phase"]

PREFIX = "automation:"  # of what schedules are called


def rules_of_phase(ctx: Context, phase: Phase) -> list[Automation]:
    rules = ctx.snapshot.definitions.processes.automations.values()
    return ordered(one for one in rules if one.phase == phase and one.is_active)


def due(ctx: Context, connection: Connection, now: datetime) -> datetime | None:
    """A source of engine.jobs.schedule: begins what is due, and says when it wants to be asked again."""
    prune(connection, now)
    wanted: list[datetime] = [now + timedelta(hours=1)]
    timed, dated = rules_of_phase(ctx, "schedule"), rules_of_phase(ctx, "date")
    forget(connection, PREFIX, [one.name for one in (*timed, *dated)])
    for rule in timed:
        zone = zone_of(ctx, rule)
        for at in take_due(connection, f"{PREFIX}{rule.name}", rule.schedule, zone, now, rule.missed):
            key = f"{rule.name}:{at.isoformat()}"
            begin(ctx, connection, rule, "schedule", key=key, inputs={"due": at.isoformat()})
        following = next_time(rule.schedule, zone, now)
        wanted += [following] if following is not None else []
    for rule in dated:
        begin_passed(ctx, connection, rule, f"{PREFIX}{rule.name}", now)
    if dated:
        wanted.append(now + timedelta(minutes=1))
    return min(wanted)


SOURCES.append(due)


def told_of(ctx: Context, event: str, object_name: str) -> list[Automation]:
    return [one for one in rules_of_phase(ctx, "event") if event in one.on and one.object == object_name]


def announced(
    ctx: Context, connection: Connection, event: str, object_name: str, record: str, details: Mapping[str, Any]
) -> None:  # fmt: skip
    for rule in told_of(ctx, event, object_name):
        key = f"{rule.name}:{event}:{record}:{details.get('key') or details.get('instance') or ctx.now.isoformat()}"
        by = str(details.get("actor") or "") if not ctx.actor.id else ""
        told = {name: said for name, said in details.items() if name != "key"}
        begin(ctx, connection, rule, "event", key=key, record=record, inputs={"event": event, **told}, by=by)


def announced_of_none(ctx: Context, connection: Connection, event: str, key: str, body: Mapping[str, Any]) -> None:
    """What happened to no record; it counts once by its key."""
    for rule in rules_of_phase(ctx, "event"):
        if event in rule.on:
            inputs = {"event": event, BODY: dict(body)}
            begin(ctx, connection, rule, "event", key=f"{rule.name}:{event}:{key}", inputs=inputs)
