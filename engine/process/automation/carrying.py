"""Carry out one run: from its next step on, in one transaction, until it ends, waits or fails."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from engine.access.scope import full_scope
from engine.context import SYSTEM, Context
from engine.errors import Busy, EngineError, NotFound, Stale
from engine.jobs.handlers import Job, inside
from engine.process.automation.failures import PROBLEMS, kept_problems
from engine.process.automation.identity import as_named, as_user
from engine.process.automation.runs import FAILED, JOB, Run, begin, load, plan_job, save
from engine.process.automation.saving import deeper, saving_of
from engine.process.door import page
from engine.process.renamed import object_now, steps_now
from engine.process.step import Occasion, Waits
from engine.process.steps import Broken, carry_out
from engine.process.subject import Subject, record_of
from engine.rules.messages import HIDDEN
from engine.store import rows, rows_deletion
from engine.store.database import Connection
from engine.store.failures import is_schema_changed
from engine.store.rows import columns_of
from metadata.formula.results import BODY
from metadata.processes import Automation

__all__ = ["FAILED", "HIDDEN", "PAUSES", "carry_on", "rule_of"]

LOG = logging.getLogger("fieldstone.automation")
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200, 21600))
"""Before what failed because of others is tried for the second, the third … time."""
FOR_NOW = (Busy, Stale)


@inside(JOB)
def take_up(job: Job, connection: Connection) -> None:
    run = load(connection, str(job.payload["run"]), is_locked=True)
    if run is None or run.state != "waiting":
        return  # a replay came first, or it is gone
    rule = rule_of(job.ctx, run)
    now_said = job.ctx.snapshot.definitions.processes.automations.get(run.automation)
    is_off = run.step == 0 and (now_said is None or not now_said.is_active)
    if rule is None or is_off:
        skip(connection, run, job.ctx, "it is switched off")
        return
    try:
        with rows.savepoint(connection):
            carry_on(job.ctx, connection, run, followed(job.ctx, run, rule))
    except Exception as error:
        if is_schema_changed(error):
            raise
        failed(job.ctx, connection, run, error)


def rule_of(ctx: Context, run: Run) -> Automation | None:
    """As the run began with it; what it reads and writes is of the version that runs."""
    snapshot = ctx.snapshot if run.version == ctx.snapshot.version else ctx.tenant.at(run.version)
    return snapshot.definitions.processes.automations.get(run.automation)


def followed(ctx: Context, run: Run, rule: Automation) -> Automation:
    """With what it names as that is called now. Raises Conflict where that cannot be told."""
    if run.version == ctx.snapshot.version:
        return rule
    now, then = ctx.snapshot, ctx.tenant.at(run.version)
    said = now.definitions.processes.automations.get(rule.name)
    asked = (rule.object, rule.when) if run.step == 0 else (rule.object,)
    if steps_now(now, then, rule.name, rule.steps, said.steps if said is not None else None, *asked) is not rule.steps:
        assert said is not None
        rule = said
    elif rule.object:
        rule = replace(rule, object=object_now(now, then, rule.object) or rule.object)
    run.results = {name: (object_now(now, then, one) or one, record) for name, (one, record) in run.results.items()}
    return rule


def carry_on(system: Context, connection: Connection, run: Run, rule: Automation) -> None:
    """Raises what went wrong; then nothing of it may stay."""
    ctx = acting(system, run, rule)
    connection.saving = None  # it is a save of its own
    run.state, run.error, run.started_at = "running", "", run.started_at or system.now
    if rule.object and not run.record:
        spread(ctx, connection, run, rule)
        return
    record = record_for(ctx, connection, run, rule.object)
    if rule.object and record is None:
        skip(connection, run, ctx, "the record is not there any more")
        return
    body = run.inputs.get(BODY) if rule.has_body else None
    subject = Subject(ctx, connection, rule.object, record or {}, record, body=body, results=run.results)
    if run.step == 0 and run.cause != "save" and not holds(subject, rule):
        skip(connection, run, ctx, "its condition does not hold")
        return
    occasion = Occasion(
        f"automation {rule.name}", f"run:{run.id}", rule.phase, rule.name, may_wait=True, index=run.step
    )
    saving_of(connection).chain = [*run.inputs.get("after", ()), rule.name]
    try:
        with deeper(connection, rule.name):
            carry_out(subject, rule.steps, occasion)
    except Waits as waits:
        run.state, run.due_at = "waiting", waits.until
        keep(run, rule, subject, occasion)
        plan_job(connection, run.id, str(run.step), ctx.now, due_at=waits.until, by=run.by)
        return
    except Exception:
        run.outputs[FAILED] = occasion.index  # all since run.step is taken back, and is done again
        raise
    run.state, run.ended_at, run.tries = "done", ctx.now, 0
    keep(run, rule, subject, occasion)


def keep(run: Run, rule: Automation, subject: Subject, occasion: Occasion) -> None:
    run.step, run.results = occasion.index, subject.results
    made = {name: shown(subject, rule, name, values) for name, values in occasion.results.items()}
    run.outputs = {name: said for name, said in run.outputs.items() if name not in (FAILED, PROBLEMS)} | made
    if occasion.logs:
        run.outputs["log"] = [*run.outputs.get("log", ()), *occasion.logs]
    save(subject.connection, run)


def shown(subject: Subject, rule: Automation, name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Without what people may see the mask of only, or nothing."""
    part = next((one for index, one in enumerate(rule.steps) if name in (one.name, str(index))), None)
    action = subject.ctx.snapshot.plugins.actions.get(part.kind) if part is not None else None
    if action is None or action.values != "*":
        return values
    fields = subject.ctx.snapshot.definitions.objects[rule.object].fields
    secret = {one.name for one in fields.values() if one.is_hidden or one.mask or one.value == "secret"}
    return {key: HIDDEN if key in secret else value for key, value in values.items()}


def acting(system: Context, run: Run, rule: Automation) -> Context:
    """As whom. What the system itself has set off acts as the system."""
    if rule.run_as != "user":
        return as_named(system, rule.run_as, rule.name)
    if run.by:
        try:
            return as_user(system, run.by, "", rule.name)
        except NotFound as error:
            raise Broken(f"whoever set '{rule.name}' off is not there any more", code="automation.identity") from error
    return replace(system, actor=SYSTEM, scope=full_scope(system.snapshot))


def record_for(ctx: Context, connection: Connection, run: Run, object_name: str) -> dict[str, Any] | None:
    if not run.record or not object_name:
        return None
    if run.inputs.get("action") == "delete":
        names = columns_of(ctx.snapshot, object_name)
        stored = rows_deletion.stored(connection, ctx.snapshot, object_name, names, [run.record])
        return dict(zip(names, stored[run.record], strict=True)) if run.record in stored else None
    return record_of(ctx, connection, object_name, run.record)


def holds(subject: Subject, rule: Automation) -> bool:
    try:
        return subject.holds(rule.when)
    except Exception as error:
        raise Broken(f"the condition of '{rule.name}' cannot be evaluated: {error}"[:500]) from error


def spread(ctx: Context, connection: Connection, run: Run, rule: Automation) -> None:
    """A run for each record that the condition holds for, up to `most`."""
    subject = Subject(ctx, connection, "", {}, None)
    node = subject.rule(rule.object, rule.when)
    after = {"after": run.inputs["after"]} if "after" in run.inputs else None
    count, cursor = 0, ""
    while count < rule.most:
        ids, cursor = page(ctx, connection, rule.object, node, min(rule.most - count, 1000), cursor)
        for one in ids:
            begin(ctx, connection, rule, run.cause, key=f"{run.id}:{one}", record=one, inputs=after, by=run.by)
        count += len(ids)
        if not cursor:
            break
    run.outputs = {"records": count, **({"cut": True} if cursor else {})}
    run.state, run.ended_at = "done", ctx.now
    save(connection, run)


def skip(connection: Connection, run: Run, ctx: Context, why: str) -> None:
    run.state, run.ended_at, run.outputs = "done", ctx.now, {**run.outputs, "skipped": why}
    save(connection, run)


def failed(ctx: Context, connection: Connection, run: Run, error: Exception) -> None:
    """Tried again where others were in the way; else it waits for an administrator."""
    run.tries += 1
    run.error = str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
    run.outputs = {name: said for name, said in run.outputs.items() if name != PROBLEMS} | kept_problems(error)
    is_later = isinstance(error, FOR_NOW) or not isinstance(error, EngineError)
    if is_later and run.tries <= len(PAUSES):
        run.state, run.due_at = "waiting", ctx.now + PAUSES[run.tries - 1]
        plan_job(connection, run.id, f"{run.step}:{run.tries}", ctx.now, due_at=run.due_at, by=run.by)
    else:
        run.state, run.ended_at = "failed", ctx.now
    LOG.log(
        logging.WARNING if isinstance(error, EngineError) else logging.ERROR, "run %s of '%s' failed at step %d: %s",
        run.id, run.automation, run.step + 1, run.error, exc_info=None if isinstance(error, EngineError) else error,
    )  # fmt: skip
    save(connection, run)
