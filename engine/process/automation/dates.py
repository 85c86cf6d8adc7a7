"""Automations that a date of each record sets off: whose time came, and what is left of them for the next turn."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.context import Context
from engine.jobs.handlers import Job, inside
from engine.jobs.port import enqueue
from engine.jobs.schedule import LATE
from engine.process import business_time
from engine.process.automation.runs import begin
from engine.store import system_jobs
from engine.store.database import Connection
from engine.store.query import Query, cursor_behind, find
from metadata.processes import Automation

__all__ = ["JOB", "begin_passed", "zone_of"]

JOB = "automation.dates"
WIDE = timedelta(days=2)  # time zones, and times of day
PAGE = 1000
TURN = timedelta(minutes=1)  # between `most` records and the next of them


def begin_passed(ctx: Context, connection: Connection, rule: Automation, schedule: str, now: datetime) -> None:
    """A run for each record whose time came since this was last asked; `schedule` is what that is kept by. What is set
    to a time that has gone by is not made up for."""
    last = taken(connection, schedule, now)
    if last is None or last >= now:
        return
    begin_some(ctx, connection, rule, max(last, now - LATE) if rule.missed == "skip" else last, now, "", now)


@inside(JOB)
def go_on(job: Job, connection: Connection) -> None:
    name, version = job.payload["automation"], job.payload["version"]
    rule = job.ctx.snapshot.definitions.processes.automations.get(name)
    if rule is None or rule.phase != "date" or not rule.is_active:
        return  # no new run begins
    if version != job.ctx.snapshot.version:  # their time came as it was said then
        then = job.ctx.tenant.at(version).definitions.processes.automations[name]
        rule = replace(rule, offset=then.offset, at=then.at, calendar=then.calendar, zone=then.zone)
    low, high = (datetime.fromisoformat(job.payload[end]) for end in ("after", "until"))
    begin_some(job.ctx, connection, rule, low, high, job.payload["record"], job.now, version)


def begin_some(
    ctx: Context, connection: Connection, rule: Automation, low: datetime, high: datetime, behind: str, now: datetime,
    version: int = 0,
) -> None:  # fmt: skip
    """Of up to `most` records behind that one whose time is later than `low`, and `high` at the latest. A job goes on
    with those that are left."""
    count = 0
    while True:
        rows = page_of(ctx, connection, rule, low, high, behind)
        for record, value in rows:
            at = moment_of(ctx, rule, value)
            if not low < at <= high:
                continue
            if count == rule.most:
                left = {
                    "automation": rule.name, "version": version or ctx.snapshot.version, "after": low.isoformat(),
                    "until": high.isoformat(), "record": behind,
                }  # fmt: skip
                key = f"{JOB}:{rule.name}:{high.isoformat()}:{behind}"
                enqueue(connection, JOB, left, now=now, due_at=now + TURN, key=key)
                return
            key = f"{rule.name}:{record}:{at.isoformat()}"
            begin(ctx, connection, rule, "date", key=key, record=record, inputs={"due": at.isoformat()})
            count, behind = count + 1, record
        if len(rows) < PAGE:
            return
        behind = rows[-1][0]


def page_of(
    ctx: Context, connection: Connection, rule: Automation, low: datetime, high: datetime, behind: str
) -> Sequence[tuple[str, Any]]:  # fmt: skip
    """(record, its date) of those that may be due, in the order of their ids."""
    low, high = low - reach_of(rule), high + reach_of(rule)
    is_day = is_date(ctx, rule)
    conditions = (
        (rule.date, ">=", (low.date() if is_day else low).isoformat()),
        (rule.date, "<=", (high.date() if is_day else high).isoformat()),
    )  # fmt: skip
    query = Query(rule.object, ("id", rule.date), conditions=conditions, limit=PAGE)
    found = find(ctx, connection, replace(query, cursor=cursor_behind(query, behind)) if behind else query)
    return [(str(row[0]), found.reader.row(row)[rule.date]) for row in found.rows]


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
    moved = business_time.moment_after(ctx.snapshot, start, offset, rule.calendar)
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


def zone_of(ctx: Context, rule: Automation) -> str:
    """Its own, else the default calendar's."""
    return rule.zone or business_time.zone_of(ctx.snapshot).key
