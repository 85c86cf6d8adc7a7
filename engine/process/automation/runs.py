"""Runs of automations that are carried out by themselves: begun in a transaction, carried out after it, kept."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.context import Context
from engine.jobs.port import enqueue
from engine.store import system_runs
from engine.store.database import Compiled, Connection, compile_sql, new_id
from metadata.processes import Automation

__all__ = ["FAILED", "JOB", "WITHIN", "Run", "begin", "capped", "insert", "load", "plan_job", "prune", "save", "write"]

JOB = "automation.run"
FAILED = "failed_step"  # among the outputs of a run: the step that was refused
WITHIN = "within"  # the cause of a run that is a part of the save that set it off
NAMES = ("id", "automation", "version", "object", "record", "cause", "by", "key", "state", "step", "tries", "inputs",
         "created_at", "due_at")  # fmt: skip
WRITTEN = (*NAMES, "outputs", "error", "started_at", "ended_at")
KEPT = timedelta(days=90)
PIECE = 1000
LONGEST = 10_000  # characters of JSON that a run keeps of what went in, and of what came out
table = system_runs.run


@dataclass(slots=True)
class Run:
    id: str
    automation: str
    version: int
    object: str
    record: str
    cause: str
    by: str
    state: str
    step: int
    tries: int
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    results: dict[str, tuple[str, str]]  # step -> (object, id) of what it made or found
    error: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    due_at: datetime | None
    key: str = ""
    logs: list[Any] = field(default_factory=list)


def begin(
    ctx: Context, connection: Connection, rule: Automation, cause: str, *, key: str, record: str | None = None,
    inputs: Mapping[str, Any] | None = None, by: str = "", version: int = 0,
) -> str | None:  # fmt: skip
    """The id of the new run, which waits for a worker; None where there is one with this key already. `version`: of the
    definitions that it keeps to, if not those that run."""
    run_id = insert(ctx, connection, rule, cause, key=key, record=record, inputs=inputs, by=by, version=version)
    if run_id is not None:
        plan_job(connection, run_id, "0", ctx.now, by=by or ctx.actor.id)
    return run_id


def insert(
    ctx: Context, connection: Connection, rule: Automation, cause: str, *, key: str, record: str | None = None,
    inputs: Mapping[str, Any] | None = None, by: str = "", version: int = 0,
) -> str | None:  # fmt: skip
    """The same without a worker: the caller carries it out."""
    compiled = _insert(connection.dialect, NAMES)
    run_id = new_id(ctx.now)
    row = {
        "id": run_id, "automation": rule.name, "version": version or ctx.snapshot.version,
        "object": rule.object or None,
        "record": record, "cause": cause, "by": by or ctx.actor.id or None, "key": key, "state": "waiting", "step": 0,
        "tries": 0, "inputs": orjson.dumps(inputs).decode() if inputs is not None else None, "created_at": ctx.now,
        "due_at": ctx.now,
    }  # fmt: skip
    made = connection.rows(compiled.sql, compiled.bind({f"_{name}": value for name, value in row.items()}))
    return run_id if made else None


def write(connection: Connection, row: Mapping[str, Any]) -> None:
    """One that has ended already, as its columns."""
    compiled = _insert(connection.dialect, WRITTEN)
    connection.rows(compiled.sql, compiled.bind({f"_{name}": row[name] for name in WRITTEN}))


def plan_job(
    connection: Connection, run_id: str, turn: str, now: datetime, *, due_at: datetime | None = None, by: str = ""
) -> None:  # fmt: skip
    """A worker takes the run up. `turn`: none comes twice."""
    enqueue(connection, JOB, {"run": run_id}, now=now, due_at=due_at, key=f"run:{run_id}:{turn}", by=by or None)


def load(connection: Connection, run_id: str, *, is_locked: bool = False) -> Run | None:
    wanted = sa.select(table).where(table.c.id == run_id)
    if is_locked and connection.dialect == "postgresql":
        wanted = wanted.with_for_update()
    row = connection.sa.execute(wanted).mappings().first()
    return None if row is None else run_of(dict(row))


def run_of(row: Mapping[str, Any]) -> Run:
    results = orjson.loads(row["results"]) if row["results"] else {}
    return Run(
        str(row["id"]), row["automation"], row["version"], row["object"] or "", str(row["record"] or ""), row["cause"],
        str(row["by"] or ""), row["state"], row["step"], row["tries"], orjson.loads(row["inputs"] or "{}"),
        orjson.loads(row["outputs"] or "{}"), {name: (one[0], one[1]) for name, one in results.items()},
        row["error"] or "", row["created_at"], row["started_at"], row["ended_at"], row["due_at"], row["key"] or "",
    )  # fmt: skip


def save(connection: Connection, run: Run) -> None:
    values = {
        "state": run.state, "step": run.step, "tries": run.tries, "outputs": capped(run.outputs),
        "results": orjson.dumps(run.results).decode(), "error": run.error[:1000].replace("\0", "") or None,
        "started_at": run.started_at, "ended_at": run.ended_at, "due_at": run.due_at,
    }  # fmt: skip
    connection.sa.execute(sa.update(table).where(table.c.id == run.id).values(**values))


def prune(connection: Connection, now: datetime) -> int:
    """Remove runs of long ago that were done or part of a save, a piece at a time; others that failed stay. Ids begin
    with their time."""
    oldest = str(uuid.UUID(int=int((now - KEPT).timestamp() * 1000) << 80))
    is_over = sa.or_(table.c.state == "done", table.c.cause == WITHIN)
    old = sa.select(table.c.id).where(table.c.id < oldest, is_over).limit(PIECE)
    return connection.sa.execute(sa.delete(table).where(table.c.id.in_(old.scalar_subquery()))).rowcount


def capped(value: Mapping[str, Any]) -> str:
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= LONGEST else orjson.dumps({"cut": text[: LONGEST - 100]}).decode()


@cache
def _insert(dialect: str, names: tuple[str, ...]) -> Compiled:
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    values = {table.c[name]: sa.bindparam(f"_{name}", type_=table.c[name].type) for name in names}
    return compile_sql(statement.values(values).on_conflict_do_nothing().returning(table.c.id), dialect)
