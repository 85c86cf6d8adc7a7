"""An automation on a real record, for real, in a transaction that is rolled back: what it would change and send."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.errors import EngineError, NotFound
from engine.process.automation.desk import need_admin
from engine.process.automation.identity import as_named
from engine.process.automation.saves import fires
from engine.process.automation.saving import deeper
from engine.process.shown import is_seen, values_shown
from engine.process.step import Occasion, Waits
from engine.process.steps import carry_out
from engine.process.subject import Subject, record_of
from engine.rules.draft import Draft
from engine.rules.told import error_told
from engine.rules.values import rules_of
from engine.service import Records
from engine.store import rows, system_jobs
from engine.store.database import Connection
from metadata.processes import Automation

__all__ = ["Rehearsed", "rehearse"]

Json = dict[str, Any]
INNER = ("notice", "automation.run")  # jobs that are no call to the outside by themselves


class Back(Exception):
    """Nothing of it stays."""


@dataclass(slots=True)
class Rehearsed:
    """`holds`: whether the condition holds for the record as it is; the steps are carried out all the same."""

    automation: str
    holds: bool = True
    changes: list[Json] = field(default_factory=list)  # {"object", "record", "action", "fields": {name: [old, new]}}
    people: list[Json] = field(default_factory=list)  # who would be told: {"user", "subject", "template"}
    calls: list[Json] = field(default_factory=list)  # what would be sent: {"kind", "due_at", ...}
    waits_until: str = ""
    refused: Json | None = None

    @property
    def told(self) -> Json:
        return {
            "automation": self.automation, "holds": self.holds, "changes": self.changes, "people": self.people,
            "calls": self.calls, "waits_until": self.waits_until or None, "refused": self.refused,
        }  # fmt: skip


def rehearse(ctx: Context, name: str, record_id: str = "", body: Any = None) -> Rehearsed:
    """Needs manage_processes, and read of the record. Raises NotFound. What a step is refused with is told. Whoever it
    runs as, what is told is what `ctx` sees."""
    need_admin(ctx)
    rule = ctx.snapshot.definitions.processes.automations.get(name)
    if rule is None:
        raise NotFound(f"there is no automation '{name[:60]}'", code="automation.unknown")
    if rule.object:
        Records(ctx).get(rule.object, record_id, ("id",))
    made = Rehearsed(name)
    try:
        with ctx.tenant.database.together() as connection, rows.savepoint(connection):
            before = {kind: same_moment(ctx, connection, kind) for kind in ("job", "notification")}
            try:
                run(ctx, connection, rule, record_id, body, made)
            except Waits as waits:
                made.waits_until = waits.until.isoformat()
            except EngineError as error:
                made.refused = refusal(error_told(ctx, rule.object, error))
            gather(ctx, connection, made, before)
            connection.afterwards.clear()
            raise Back
    except Back:
        return made


def run(ctx: Context, connection: Connection, rule: Automation, record_id: str, body: Any, made: Rehearsed) -> None:
    ctx = replace(ctx, is_tried=True)
    acting = ctx if rule.run_as == "user" else as_named(ctx, rule.run_as, rule.name)
    record = (record_of(ctx, connection, rule.object, record_id) if rule.object else None) or {}
    occasion = Occasion(f"automation {rule.name}", f"rehearsal:{rule.name}", rule.phase, rule.name, may_wait=True)
    if rule.phase == "before_save":
        draft = Draft({}, {}, [], record, dict(record))
        occasion.draft = draft
        subject = Subject(acting, connection, rule.object, draft.record, record)
        made.holds = fires_as(rule, subject)
        carry_out(subject, rule.steps, occasion)
        to_json = {name: one.type.to_json for name, one in rules_of(ctx.snapshot, rule.object).fields.items()}
        fields = {
            name: [shown(to_json[name], record.get(name)), shown(to_json[name], value)]
            for name, value in draft.changed.items()
        }
        if fields := values_shown(ctx, rule.object, fields):
            made.changes.append({"object": rule.object, "record": record_id, "action": "update", "fields": fields})
        return
    came = {} if body is None and rule.has_body else body  # what is not said to come is blank
    subject = Subject(acting, connection, rule.object, record, record or None, body=came)
    made.holds = fires_as(rule, subject)
    with deeper(connection, rule.name):
        carry_out(subject, rule.steps, occasion)


def shown(to_json: Any, value: Any) -> Any:
    return None if value is None else to_json(value)


def fires_as(rule: Automation, subject: Subject) -> bool:
    """What it asks of the record itself: that it has changed, or has become so, cannot be asked of one that rests."""
    return subject.holds(rule.when) if rule.becomes or rule.changed else fires(rule, subject)


def gather(ctx: Context, connection: Connection, made: Rehearsed, before: Mapping[str, set[str]]) -> None:
    seen: dict[tuple[str, str, str], None] = {}
    for entry in connection.notes:
        for record in [*(one.record for one in entry.changed), *entry.records]:
            seen[entry.object, record, entry.kind.removeprefix("record.")] = None
    for object_name, record, action in seen:
        if is_seen(ctx, object_name, record):
            fields = fields_of(ctx, object_name, record)
            made.changes.append({"object": object_name, "record": record, "action": action, "fields": fields})
    notification, job = system_jobs.notification.c, system_jobs.job.c
    told = sa.select(notification.id, notification.user, notification.template, notification["values"])
    for key, user, template, values in connection.sa.execute(told.where(notification.created_at == ctx.now)):
        if str(key) not in before["notification"]:
            said = orjson.loads(values)
            made.people.append({"user": str(user), "template": template, "subject": said.get("subject") or None})
    sent = sa.select(job.id, job.kind, job.payload, job.due_at).where(job.created_at == ctx.now)
    for key, kind, payload, due_at in connection.sa.execute(sent.order_by(job.id)):
        if str(key) not in before["job"] and kind not in INNER:
            made.calls.append({"kind": kind, "due_at": due_at.isoformat(), **orjson.loads(payload)})


def fields_of(ctx: Context, object_name: str, record: str) -> Json:
    """What this transaction changed of the record, as the person may see it: field -> [old, new]."""
    try:
        lines = [one for one in Records(ctx).history(object_name, record) if one.at == ctx.now]
    except EngineError:
        return {}
    fields: Json = {}
    for line in lines:  # newest first
        for name, (old, new) in line.changes.items():
            fields[name] = [old, fields[name][1] if name in fields else new]
    return fields


def same_moment(ctx: Context, connection: Connection, kind: str) -> set[str]:
    """What was there at this very moment already."""
    table = system_jobs.job if kind == "job" else system_jobs.notification
    wanted = sa.select(table.c.id).where(table.c.created_at == ctx.now)
    return {str(one) for one in connection.sa.execute(wanted).scalars()}


def refusal(error: EngineError) -> Json:
    problems = [{"field": one.path, "message": one.message} for one in error.problems]
    return {"code": error.code, "message": str(error), "problems": problems}
