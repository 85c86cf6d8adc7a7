"""What sets automations off besides saves: schedules, dates of records, events, calls from outside, buttons."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.context import Context
from engine.jobs.schedule import LATE, SOURCES, forget, next_time, take_due
from engine.process.automation.book import ordered
from engine.process.automation.runs import begin, prune
from engine.process.business_time import moment_after
from engine.store import system_jobs
from engine.store.database import Connection
from engine.store.query import Query, find
from metadata.formula.results import BODY
from metadata.processes import Automation, Phase

__all__ = ["announced", "announced_of_none", "due", "rules_of_phase", "zone_of"]

PREFIX = "automation:"  # of what schedules are called
WIDE = timedelta(days=2)  # time zones, and times of day
PAGE = 1000


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
        for record, at in passed(ctx, connection, rule, now):
            key = f"{rule.name}:{record}:{at.isoformat()}"
            begin(ctx, connection, rule, "date", key=key, record=record, inputs={"due": at.isoformat()})
    if dated:
        wanted.append(now + timedelta(minutes=1))
    return min(wanted)


def zone_of(ctx: Context, rule: Automation) -> str:
    """Its own, else the default calendar's."""
    calendars = ctx.snapshot.definitions.processes.calendars.values()
    return rule.zone or next((one.zone for one in calendars if one.is_default), "UTC")


def passed(ctx: Context, connection: Connection, rule: Automation, now: datetime) -> Iterator[tuple[str, datetime]]:
    """(record, due time) of those whose time came since this was last asked. What is set to a time that has gone by is
    not made up for."""
    last = taken(connection, f"{PREFIX}{rule.name}", now)
    if last is None or last >= now:
        return
    if rule.missed == "skip":
        last = max(last, now - LATE)
    low, high = last - reach_of(rule), now + reach_of(rule)
    is_day = is_date(ctx, rule)
    conditions = (
        (rule.date, ">=", (low.date() if is_day else low).isoformat()),
        (rule.date, "<=", (high.date() if is_day else high).isoformat()),
    )  # fmt: skip
    count, cursor = 0, ""
    while count < rule.most:
        found = find(ctx, connection, Query(rule.object, ("id", rule.date), conditions=conditions, limit=PAGE,
                                            cursor=cursor))  # fmt: skip
        for row in found.rows:
            value = found.reader.row(row)[rule.date]
            at = moment_of(ctx, rule, value)
            if last < at <= now and count < rule.most:
                count += 1
                yield str(row[0]), at
        cursor = found.next or ""
        if not cursor:
            return


def reach_of(rule: Automation) -> timedelta:
    """How far the date may lie from the due time, at most."""
    if rule.offset is None:
        return WIDE
    amount = abs(rule.offset.amount)
    if rule.offset.unit == "minutes":
        return WIDE + timedelta(minutes=amount)
    if rule.offset.unit in ("hours", "days"):
        return WIDE + timedelta(**{rule.offset.unit: amount})
    days = amount if rule.offset.unit == "workdays" else amount / 4
    return WIDE + timedelta(days=days * 2 + 30)  # holidays of two weeks among them


def is_date(ctx: Context, rule: Automation) -> bool:
    fields, name = ctx.snapshot.definitions.objects[rule.object].fields, rule.object
    found = None
    for step in rule.date.split("."):
        found = fields.get(step)
        name = found.target if found is not None else ""
        fields = ctx.snapshot.definitions.objects[name].fields if name else {}
    return found is not None and found.value == "date"


def moment_of(ctx: Context, rule: Automation, value: Any) -> datetime:
    """A day begins at midnight, or at `at`, in the rule's zone."""
    zone = ZoneInfo(zone_of(ctx, rule))
    clock = time.fromisoformat(rule.at) if rule.at else None
    if isinstance(value, date) and not isinstance(value, datetime):
        start = datetime.combine(value, clock or time(), zone).astimezone(UTC)
    else:
        start = value
    offset = rule.offset
    if offset is None:
        return start
    if offset.unit == "days":  # by the calendar: a day may have 23 hours
        local = start.astimezone(zone)
        day = local.date() + timedelta(days=offset.amount)
        return datetime.combine(day, clock or local.time().replace(tzinfo=None), zone).astimezone(UTC)
    moved = moment_after(ctx.snapshot, start, offset, rule.calendar)
    if clock is not None and offset.unit == "workdays":
        moved = datetime.combine(moved.astimezone(zone).date(), clock, zone).astimezone(UTC)
    return moved


def taken(connection: Connection, name: str, now: datetime) -> datetime | None:
    """Up to when it was looked after; from now on that is `now`. None for what is new."""
    table = system_jobs.schedule
    insert = (sqlite if connection.dialect == "sqlite" else postgresql).insert(table)
    new = insert.values(name=name, last_due_at=now).on_conflict_do_nothing()
    if connection.sa.execute(new).rowcount == 1:
        return None
    wanted = sa.select(table.c.last_due_at).where(table.c.name == name).with_for_update()
    last: datetime = connection.sa.execute(wanted).scalar_one()
    connection.sa.execute(sa.update(table).where(table.c.name == name).values(last_due_at=max(last, now)))
    return last


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
