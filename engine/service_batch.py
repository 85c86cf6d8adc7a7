"""Many operations at once, with the same rules for each as if it came alone. New records are written in bulk."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine import service_lines as lines
from engine.context import Context
from engine.errors import BadInput, EngineError, InputProblem, InputWarning
from engine.process.requests import approvals_of
from engine.rules import duplicates, rollups, trees
from engine.rules.masters import give_owner
from engine.rules.numbering import number
from engine.rules.pipeline import settle
from engine.rules.told import error_told
from engine.rules.uniqueness import is_violation
from engine.rules.values import rules_of
from engine.rules.written import Written
from engine.service_answers import Result
from engine.service_deletion import delete_in
from engine.service_restoring import restore_in
from engine.service_rows import changes_of, follow, may_not, need, refuse
from engine.service_writes import create_in, new_draft, update_in, upsert_in
from engine.store import rows, rows_history
from engine.store.database import Connection
from engine.store.query import Query, find
from engine.store.query_paths import need_object

__all__ = ["ACTIONS", "MOST", "batch", "create_many"]

MOST = 1000
ACTIONS = ("create", "update", "delete", "restore", "upsert")

Json = dict[str, Any]
Operation = Mapping[str, Any]


def batch(ctx: Context, object_name: str, operations: Sequence[Operation], atomic: bool) -> list[Result]:
    """Atomic: the first refusal raises, and nothing is written. Else each row has its own result."""
    _check(operations)
    if not ctx.scope.can("create", object_name):
        need_object(ctx.scope, object_name)
    with ctx.writing() as connection:
        results: list[Result] = []
        for group in _groups(operations):
            results += _run(ctx, connection, object_name, group, atomic)
        return results


def _check(operations: Sequence[Operation]) -> None:
    if not 1 <= len(operations) <= MOST:
        raise BadInput(f"a batch has 1 to {MOST} operations, not {len(operations)}", code="batch.operations")
    problems = [
        InputProblem(f"operations.{index}", "batch.action", f"the action is one of {', '.join(ACTIONS)}")
        for index, operation in enumerate(operations)
        if operation.get("action") not in ACTIONS
    ]
    refuse(problems)


Numbered = tuple[int, Operation]


def _groups(operations: Sequence[Operation]) -> Iterator[list[Numbered]]:
    """Runs of creates, and each other operation by itself."""
    run: list[Numbered] = []
    for numbered in enumerate(operations):
        if numbered[1]["action"] == "create":
            run.append(numbered)
            continue
        if run:
            yield run
            run = []
        yield [numbered]
    if run:
        yield run


def _run(
    ctx: Context, connection: Connection, object_name: str, group: list[Numbered], atomic: bool
) -> Iterator[Result]:
    if len(group) > 1 and not approvals_of(ctx, object_name, "create"):
        values = [operation.get("values") or {} for _, operation in group]
        warned = len(ctx.warnings)
        try:
            with rows.savepoint(connection):
                records = create_many(ctx, connection, object_name, values)
        except Exception as error:
            # One by one it shows which of them is refused, and with what.
            if not isinstance(error, EngineError) and not is_violation(error):
                raise
            del ctx.warnings[warned:]
        else:
            by_record: dict[str, list[InputWarning]] = {}
            for warning in ctx.warnings[warned:]:
                by_record.setdefault(warning.record, []).append(warning)
            for (index, _), record in zip(group, records, strict=True):
                own = tuple(by_record.get(record["id"], ()))
                yield Result(index, "create", record["id"], record, created=True, warnings=own)
            return
    for index, operation in group:
        yield _one(ctx, connection, object_name, index, operation, atomic)


def _one(
    ctx: Context, connection: Connection, object_name: str, index: int, operation: Operation, atomic: bool
) -> Result:
    warned = len(ctx.warnings)
    try:
        if atomic:
            result = _carry_out(ctx, connection, object_name, index, operation)
        else:
            with rows.savepoint(connection):
                result = _carry_out(ctx, connection, object_name, index, operation)
        return replace(result, warnings=tuple(ctx.warnings[warned:])) if len(ctx.warnings) > warned else result
    except EngineError as error:
        if atomic:
            raise _at(error, index, operation) from error
        del ctx.warnings[warned:]
        told = error_told(ctx, object_name, error)
        return Result(index, str(operation["action"]), operation.get("id"), error=told)


def _carry_out(ctx: Context, connection: Connection, object_name: str, index: int, operation: Operation) -> Result:
    action, record_id, values = operation["action"], operation.get("id"), operation.get("values") or {}
    if action == "create":
        record = create_in(ctx, connection, object_name, values)
        return Result(index, action, record["id"], record, created=True)
    if action == "update":
        record = update_in(ctx, connection, object_name, str(record_id), values, operation.get("if_version"))
        return Result(index, action, record["id"], record)
    if action == "upsert":
        field, value = str(operation.get("field")), operation.get("value")
        record, is_new = upsert_in(ctx, connection, object_name, field, value, values)
        return Result(index, action, record["id"], record, created=is_new)
    if action == "restore":
        record = restore_in(ctx, connection, object_name, str(record_id))
        return Result(index, action, record["id"], record)
    delete_in(ctx, connection, object_name, str(record_id), operation.get("if_version"))
    return Result(index, action, str(record_id))


def _at(error: EngineError, index: int, operation: Operation) -> EngineError:
    """The same refusal, its problems placed in the batch."""
    inside = f"operations.{index}.values" if "values" in operation else f"operations.{index}"
    problems = [
        replace(one, path=f"{inside}.{one.path}" if one.path else f"operations.{index}") for one in error.problems
    ]
    problems = problems or [InputProblem(f"operations.{index}", error.code, str(error), error.fix)]
    return type(error)(f"operation {index}: {error}", code=error.code, fix=error.fix, problems=problems)


def create_many(
    ctx: Context, connection: Connection, object_name: str, values: Sequence[Mapping[str, object]]
) -> list[Json]:
    """New records, a few statements for all of them. Raises for the first that is refused, without saying which."""
    need(ctx.scope, "create", object_name)
    rules = rules_of(ctx.snapshot, object_name)
    read = [new_draft(ctx, object_name, one) for one in values]
    drafts, tables = [draft for draft, _ in read], [sent for _, sent in read]
    settle(ctx, connection, rules, drafts)
    for draft in drafts:
        refuse(draft.problems)
    beginning = rollups.beginning(ctx.snapshot, object_name)
    new = [{**draft.stored, **beginning} if beginning else draft.stored for draft in drafts]
    give_owner(ctx, connection, rules, new)
    lines.append(ctx, connection, rules, new)
    number(ctx, connection, rules, new)
    rows.insert_many(ctx, connection, object_name, new)
    ids = [row["id"] for row in new]
    if rows.failing(ctx, connection, object_name, ids, "create"):
        raise may_not("create", object_name)
    refuse(list(trees.wrong_places(ctx, connection, rules, {row["id"]: row for row in new}, is_new=True).values()))
    seen = Written()
    for row in new:
        seen.add(ctx.snapshot, rules, row["id"], None, row)
    if any(tables):
        lines.insert(ctx, connection, list(zip(ids, tables, strict=True)), seen)
    if rollups.concerns(ctx.snapshot, object_name):
        seen.touch(rollups.after_change(connection, ctx.snapshot, object_name, ids))
    refuse(seen.problems(ctx, connection))
    if duplicates.has_rules(ctx.snapshot, object_name):
        duplicates.keep(ctx, connection, object_name, new)
        duplicates.check(ctx, connection, object_name, new)
    entries = [
        (row["id"], 1, "create", {**changes_of(rules, {}, row), **lines.counts_of(sent)})
        for row, sent in zip(new, tables, strict=True)
    ]
    rows_history.write(ctx, connection, object_name, entries)
    follow(ctx, connection, seen)
    written = _read_back(ctx, connection, object_name, ids)
    return [written.get(one, {"id": one, "version": 1}) for one in ids]


def _read_back(ctx: Context, connection: Connection, object_name: str, ids: list[str]) -> dict[str, Json]:
    if not ctx.scope.can("read", object_name):
        return {}
    found = find(ctx, connection, Query(object_name, ids=tuple(ids), limit=len(ids)))
    return {record["id"]: record for record in found.reader.records(found.rows)}
