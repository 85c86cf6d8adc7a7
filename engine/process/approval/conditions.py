"""Formulas of an approval, asked about its record as it is now. Wrong ones are refused, never taken for no."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import psycopg

from engine.context import Context
from engine.errors import Conflict, EngineError
from engine.process.approval.work import Work
from engine.process.proposals import held_of
from engine.process.subject import Subject
from engine.store.database import Connection
from engine.store.failures import FAILURES
from engine.store.query import Query, find, one
from engine.store.rows import savepoint
from metadata.formula import FormulaError

__all__ = ["branch_of", "holds", "true_branches", "value_at", "with_words"]


def holds(ctx: Context, connection: Connection, object_name: str, record_id: str, text: str) -> bool:
    """`ctx` gives the version of the formula and who is asked by its functions; it sees everything. "" always holds."""
    if not text:
        return True
    try:
        with savepoint(connection) if is_writing(connection) else nullcontext():
            if find(ctx, connection, Query(object_name, ("id",), filter=text, ids=(record_id,), limit=1)).rows:
                return True
            held = held_of(ctx, connection, object_name, record_id)
            return held is not None and Subject(ctx, connection, object_name, held, None).holds(text)
    except (EngineError, FormulaError, *FAILURES, OSError, ValueError, ArithmeticError) as error:
        message = f"the condition '{text}' of the approval cannot be evaluated: {words(error)}"
        raise Conflict(message, code="approval.condition", fix="ask an administrator to mend the definition") from error


@contextmanager
def with_words(w: Work, what: str) -> Iterator[None]:
    """Raises Conflict where the database refuses what the definition says in here: columns of an earlier version may be
    gone by now."""
    is_earlier = w.snapshot.version != w.ctx.snapshot.version
    try:
        with savepoint(w.connection) if is_earlier and is_writing(w.connection) else nullcontext():
            yield
    except FAILURES as error:
        message = f"{what} cannot be told: {words(error)}"
        raise Conflict(message, code="approval.condition", fix="ask an administrator to move the approval") from error


def words(error: Exception) -> str:
    """All who see the approval read them: what a database says may quote values of the record."""
    return str(error) if isinstance(error, EngineError | FormulaError) else type(error).__name__


def is_writing(connection: Connection) -> bool:
    """Whether a transaction is under way, which a statement that fails would end on PostgreSQL."""
    if connection.dialect == "sqlite":
        return bool(connection.raw.in_transaction)
    return bool(connection.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE)


def true_branches(w: Work, run_node: str, is_exclusive: bool) -> list[str]:
    """Names of the branches to take: of an exclusive condition the first that holds, else the one that is `else`."""
    found: list[str] = []
    branches = w.chart.node(run_node).branches
    for branch in branches:
        if not branch.is_else and holds(
            w.as_submitter, w.connection, w.object_then, w.instance.record, branch.when
        ):  # fmt: skip
            found.append(branch.name)
            if is_exclusive:
                break
    return found or [branch.name for branch in branches if branch.is_else][:1]


def branch_of(w: Work, run_node: str) -> str:
    return next(iter(true_branches(w, run_node, is_exclusive=True)), "")


def value_at(w: Work, path: str) -> object:
    """The stored Python value at a path of the record; None where there is none."""
    if (held := held_of(w.then, w.connection, w.object_then, w.instance.record)) is not None:
        return Subject(w.then, w.connection, w.object_then, held, None).value(path)
    found = one(w.then, w.connection, w.object_then, w.instance.record, (path,))
    return found.reader.row(found.rows[0]).get(path) if found.rows else None
