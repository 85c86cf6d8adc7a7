"""Automations as people meet them: buttons, calls from outside, the runs of the past and their replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from engine.audit.log import note
from engine.context import SYSTEM, Context, context_of
from engine.errors import Conflict, EngineError, Forbidden, InputProblem, NotFound, bad_at
from engine.process.automation.carrying import HIDDEN, carry_on, rule_of
from engine.process.automation.runs import WITHIN, Run, begin, insert, load, plan_job, run_of, table
from engine.process.automation.triggers import rules_of_phase
from engine.process.shown import is_seen, sees_all, values_shown
from engine.process.subject import Subject, record_of
from engine.rules.told import error_told
from engine.service import Records
from engine.store import rows
from engine.store.database import Connection, new_id
from engine.store.types import is_id
from metadata.model import say
from metadata.processes import ADMIN_PERMISSION, Automation, Part

__all__ = [
    "AGAIN", "ASKS", "MOST_PRESSED", "Button", "Pressed", "Runs", "buttons", "buttons_of", "done_before", "get_run",
    "list_runs", "press", "press_many", "replay",
]  # fmt: skip

AGAIN = "again_of"  # among what goes into a run: the one that it does once more
ASKS = "automation.replay.again"  # whether to do once more what is done
MOST = 200
MOST_PRESSED = 200  # records of one press: all of them are one transaction


@dataclass(frozen=True, slots=True)
class Button:
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """What became of one record of several."""

    record: str
    run: Run | None = None
    error: EngineError | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    runs: Sequence[Run]
    next: str  # the id to go on from; "" at the end


def buttons(ctx: Context, object_name: str, record_id: str) -> list[Button]:
    """What this person may set off for the record now. Raises NotFound for one that they may not see."""
    rules = pressable(ctx, object_name)
    if not rules:
        return []
    Records(ctx).get(object_name, record_id, ("id",))
    is_writer = "update" in Records(ctx).allowed(object_name, record_id, ("update",))
    with ctx.tenant.database.read() as connection:
        return [
            Button(one.name, say(one.button or one.label, ctx.language))
            for one in rules
            if (one.roles or is_writer) and fits(ctx, connection, one, record_id)
        ]


def buttons_of(ctx: Context, object_name: str) -> list[Button]:
    """What this person may set off for records of the object; which of them allow it, each tells when it is pressed."""
    if not ctx.scope.can("read", object_name) or ctx.actor.token_scope.told:
        return []
    is_writer = ctx.scope.can("update", object_name)
    rules = [one for one in pressable(ctx, object_name) if one.roles or is_writer]
    return [Button(one.name, say(one.button or one.label, ctx.language)) for one in rules]


def pressable(ctx: Context, object_name: str) -> list[Automation]:
    return [one for one in rules_of_phase(ctx, "button") if one.object == object_name and may_press(ctx, one)]


def may_press(ctx: Context, rule: Automation) -> bool:
    return not rule.roles or bool(ctx.actor.roles & set(rule.roles)) or ctx.actor.is_system


def fits(ctx: Context, connection: Connection, rule: Automation, record_id: str) -> bool:
    record = record_of(ctx, connection, rule.object, record_id)
    try:
        return record is not None and Subject(ctx, connection, rule.object, record, record).holds(rule.when)
    except Exception:
        return False  # pressing it would tell why; a page is shown all the same


def press(ctx: Context, object_name: str, record_id: str, name: str, key: str = "") -> Run:
    """Carried out at once, as whom the rule says; what waits goes on by itself. Raises NotFound, Forbidden, Conflict
    where its condition does not hold, and whatever a step is refused with: then nothing has happened."""
    Records(ctx).get(object_name, record_id, ("id",))  # of what is hidden not even its buttons
    rule = button_of(ctx, object_name, name)
    is_writer = "update" in Records(ctx).allowed(object_name, record_id, ("update",))
    if not may_press(ctx, rule) or not (rule.roles or is_writer) or ctx.actor.token_scope.told:
        raise not_for_you(name)
    with ctx.tenant.database.together() as connection:
        run_id = insert(ctx, connection, rule, "button", key=f"{name}:{record_id}:{key or new_id()}", record=record_id)
        if run_id is None:
            return seen(ctx, run_with(connection, f"{name}:{record_id}:{key}"))
        run = loaded(connection, run_id)
        system = replace(context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot, ctx.origin), reader=ctx)
        try:
            carry_on(system, connection, run, rule)
        except EngineError as error:
            told = error_told(ctx, object_name, error)
            raise told from (None if told is not error else error.__cause__)
        if run.outputs.get("skipped"):
            raise Conflict(f"'{name}' is not possible for this record", code="automation.condition")
        return seen(ctx, run)


def press_many(ctx: Context, object_name: str, records: Sequence[str], name: str) -> list[Pressed]:
    """As if it was pressed for each by itself: what one refuses takes back what was done for that one, and
    does not keep the others. Raises BadInput for none and for too many, NotFound and Forbidden where it is not for this
    person, whichever the record."""
    rule = button_of(ctx, object_name, name) if ctx.scope.can("read", object_name) else None
    if rule is None:
        raise no_button(object_name, name)
    if not may_press(ctx, rule) or ctx.actor.token_scope.told:
        raise not_for_you(name)
    wanted = list(dict.fromkeys(records))
    if not 1 <= len(wanted) <= MOST_PRESSED:
        message = f"a button is pressed for 1 to {MOST_PRESSED} records at once, not {len(wanted)}"
        raise bad_at("records", "automation.records", message)
    found: dict[str, Pressed] = {}
    with ctx.tenant.database.together() as connection:
        for one in sorted(wanted):  # all lock in the same order
            try:
                with rows.savepoint(connection):
                    found[one] = Pressed(one, press(ctx, object_name, one, name))
            except EngineError as error:
                found[one] = Pressed(one, error=error_told(ctx, object_name, error))
    return [found[one] for one in wanted]


def button_of(ctx: Context, object_name: str, name: str) -> Automation:
    rule = ctx.snapshot.definitions.processes.automations.get(name)
    if rule is None or rule.phase != "button" or rule.object != object_name or not rule.is_active:
        raise no_button(object_name, name)
    return rule


def no_button(object_name: str, name: str) -> NotFound:
    return NotFound(f"'{object_name}' has no button '{name[:60]}'", code="automation.unknown")


def not_for_you(name: str) -> Forbidden:
    return Forbidden(f"you may not run '{name}'", code="automation.forbidden", fix="ask an administrator")


def list_runs(
    ctx: Context, *, automation: str = "", state: str = "", record: str = "", before: str = "", limit: int = 50
) -> Runs:  # fmt: skip
    """Newest first. Needs manage_processes."""
    need_admin(ctx)
    wanted = sa.select(table).order_by(table.c.id.desc()).limit(min(limit, MOST) + 1)
    for column, value in ((table.c.automation, automation), (table.c.state, state)):
        wanted = wanted.where(column == value) if value else wanted
    for path, key in (("record", record), ("cursor", before)):
        if key and not is_id(key):
            raise bad_at(path, "query.value", f"{path} is an id, not '{key[:40]}'")
    wanted = wanted.where(table.c.record == record) if record else wanted
    wanted = wanted.where(table.c.id < before) if before else wanted
    with ctx.tenant.database.read() as connection:
        rows = [run_of(dict(row)) for row in connection.sa.execute(wanted).mappings()]
    return Runs([seen(ctx, one) for one in rows[:limit]], rows[limit - 1].id if len(rows) > limit else "")


def get_run(ctx: Context, run_id: str) -> Run:
    need_admin(ctx)
    with ctx.tenant.database.read() as connection:
        return seen(ctx, loaded(connection, run_id))


def seen(ctx: Context, run: Run) -> Run:
    """As the person sees it: of what steps set of the record, the fields that they read."""
    if "cut" in run.outputs and isinstance(run.outputs["cut"], str) and not sees_all(ctx):
        return replace(run, outputs={"cut": HIDDEN})
    rule, actions, outputs = rule_of(ctx, run), ctx.snapshot.plugins.actions, dict(run.outputs)
    for index, part in enumerate(rule.steps if rule is not None else ()):
        name = part.name or str(index)
        if part.kind in actions and actions[part.kind].values == "*" and isinstance(outputs.get(name), Mapping):
            shown = values_shown(ctx, run.object, outputs[name]) if is_seen(ctx, run.object, run.record) else {}
            outputs[name] = {key: shown.get(key, HIDDEN) for key in outputs[name]}
    return run if outputs == run.outputs else replace(run, outputs=outputs)


def done_before(ctx: Context, run: Run) -> list[tuple[int, Part]]:
    """Steps that the run carried out, which another run of it would carry out a second time."""
    rule = rule_of(ctx, run)
    if run.state != "done" or rule is None:
        return []
    if "records" in run.outputs:  # what was begun for each record
        return list(enumerate(rule.steps))
    return [(index, part) for index, part in enumerate(rule.steps) if (part.name or str(index)) in run.outputs]


def replay(ctx: Context, run_id: str, *, again: bool = False) -> Run:
    """Needs manage_processes; audited. A run that failed is tried again, from the step at which it failed. One that is
    done is not touched: all its steps are carried out by a new run, whose mails and calls have ids of their own. Raises
    Conflict, which lists what that does twice, unless it is said that it shall (`again`)."""
    need_admin(ctx)
    with ctx.tenant.database.write() as connection:
        run = loaded(connection, run_id, is_locked=True)
        if run.cause == WITHIN:
            message = "this run was a part of a save, and is carried out with the next one"
            raise Conflict(message, code="automation.replay", fix="save the record")
        if run.state == "done":
            return done_again(ctx, connection, run, again)
        if run.state != "failed":
            message = f"this run is {run.state}; one that is done or failed can be replayed"
            raise Conflict(message, code="automation.replay")
        values = {"state": "waiting", "tries": 0, "ended_at": None, "due_at": ctx.now}
        connection.sa.execute(sa.update(table).where(table.c.id == run.id).values(**values))
        plan_job(connection, run.id, f"replay:{new_id(ctx.now)}", ctx.now, by=run.by)
        note(
            connection, "automation.replayed", actor=ctx.actor, origin=ctx.origin, now=ctx.now,
            object_name=run.object, record=run.record, details={"automation": run.automation, "run": run.id},
        )  # fmt: skip
        return seen(ctx, loaded(connection, run.id))


def done_again(ctx: Context, connection: Connection, run: Run, again: bool) -> Run:
    twice, rule = done_before(ctx, run), rule_of(ctx, run)
    if rule is None:
        raise NotFound(f"there is no automation '{run.automation}' any more", code="automation.unknown")
    if twice and not again:
        raise needs_again(ctx, twice)
    inputs = {**run.inputs, AGAIN: run.id}
    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot, ctx.origin)
    new = begin(
        system, connection, rule, run.cause, key=f"again:{run.id}:{new_id()}", record=run.record or None,
        inputs=inputs, by=run.by, version=run.version,
    )  # fmt: skip
    assert new is not None
    details = {"automation": run.automation, "run": new, "of": run.id}
    note(
        connection, "automation.replayed", actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name=run.object,
        record=run.record, details=details,
    )  # fmt: skip
    return seen(ctx, loaded(connection, new))


def needs_again(ctx: Context, twice: Sequence[tuple[int, Part]]) -> Conflict:
    actions = ctx.snapshot.plugins.actions
    problems = []
    for index, part in twice:
        leaves = ", and it leaves the system" if part.kind in actions and actions[part.kind].is_outside else ""
        message = f"step {index + 1}, '{part.kind}', was carried out, and would be once more{leaves}"
        problems.append(InputProblem(f"steps.{index}", "automation.step.done", message))
    message = f"this run is done: {len(twice)} of its steps would be carried out a second time"
    return Conflict(message, code=ASKS, fix='send {"again": true}', problems=problems)


def need_admin(ctx: Context) -> None:
    if not ctx.scope.has(ADMIN_PERMISSION):
        message = "you may not look after processes"
        raise Forbidden(message, code="processes.forbidden", fix="ask an administrator")


def loaded(connection: Connection, run_id: str, *, is_locked: bool = False) -> Run:
    run = load(connection, run_id, is_locked=is_locked) if is_id(run_id) else None
    if run is None:
        raise NotFound(f"there is no run '{run_id[:60]}'", code="automation.run.unknown")
    return run


def run_with(connection: Connection, key: str) -> Run:
    row = connection.sa.execute(sa.select(table).where(table.c.key == key)).mappings().one()
    return run_of(dict(row))
