"""Runs of automations within a save, which have no job: what is kept of them. A save that failed is taken back with all
that it wrote, so the run that failed is written after it, in a transaction of its own."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import orjson

from engine.context import Context
from engine.errors import Busy, EngineError, Stale
from engine.process.automation.failures import kept_problems
from engine.process.automation.runs import FAILED, WITHIN, capped, write
from engine.process.step import Occasion, Refusal
from engine.process.subject import Subject
from engine.store.database import Connection, new_id
from metadata.processes import Automation

__all__ = ["keep_done", "keep_failed"]

LOG = logging.getLogger("fieldstone.automation")
NOT_KEPT = (Refusal, Busy, Stale)  # what was meant, and what others were in the way of
WINDOW = timedelta(minutes=10)
MOST = 30  # runs of one automation that failed within a save which are kept in a window, by each process
WINDOWS = "automation.within"


def keep_done(ctx: Context, rule: Automation, subject: Subject, occasion: Occasion, action: str) -> None:
    """Of a rule with `log: all`; in the transaction of the save."""
    record = subject.record
    key = f"within:{rule.name}:{record.get('id')}:{record.get('version')}:{rule.phase}:{action}"
    outputs = {**occasion.results, **({"log": occasion.logs} if occasion.logs else {})}
    row = row_of(ctx, rule, action, str(record.get("id") or ""))
    row |= {"key": key, "state": "done", "step": len(rule.steps), "outputs": capped(outputs)}
    write(subject.connection, row)


def keep_failed(
    ctx: Context, connection: Connection, rule: Automation, action: str, record: str, error: EngineError,
    occasion: Occasion | None = None,
) -> None:  # fmt: skip
    """Once the transaction has ended, whichever way. Without an occasion no step had begun."""
    if rule.log == "none" or isinstance(error, NOT_KEPT):
        return
    row = row_of(ctx, rule, action, "" if action == "create" else record)  # one that was never made has no id
    index = occasion.index if occasion is not None else 0
    row |= {
        "key": f"within:{row['id']}", "state": "failed", "step": 0, "error": str(error)[:1000].replace("\0", ""),
        "outputs": capped({**({FAILED: index} if occasion is not None else {}), **kept_problems(error)}),
    }  # fmt: skip
    known = (rule.name, action, row["record"], str(error))
    connection.afterwards[known] = partial(write_failed, ctx, rule, row)


def row_of(ctx: Context, rule: Automation, action: str, record: str) -> dict[str, Any]:
    return {
        "id": new_id(ctx.now), "automation": rule.name, "version": ctx.snapshot.version, "object": rule.object,
        "record": record or None, "cause": WITHIN, "by": ctx.actor.id or None, "tries": 0,
        "inputs": orjson.dumps({"action": action}).decode(), "created_at": ctx.now, "started_at": ctx.now,
        "ended_at": ctx.now, "due_at": None, "error": None,
    }  # fmt: skip


def write_failed(ctx: Context, rule: Automation, row: Mapping[str, Any]) -> None:
    """Never raises: the save was refused, whatever becomes of this."""
    if not is_admitted(ctx, rule.name):
        return
    try:
        with ctx.tenant.database.write() as connection:
            write(connection, row)
    except Exception:
        LOG.exception("the run of '%s' within a save that failed could not be kept", rule.name)


def is_admitted(ctx: Context, name: str) -> bool:
    """Nobody fills the disk by saving what cannot be saved."""
    windows: dict[str, tuple[datetime, int]] = ctx.snapshot.cache.setdefault(WINDOWS, {})
    began, count = windows.get(name, (ctx.now, 0))
    if ctx.now - began >= WINDOW:
        began, count = ctx.now, 0
    windows[name] = (began, count + 1)
    return count < MOST
