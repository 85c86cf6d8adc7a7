"""What all writes share: refusals, whole rows, the history's changes, the answer; and rows of one object in bulk."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engine.access.scope import Scope
from engine.context import Context
from engine.errors import BadInput, EngineError, Forbidden, InputProblem, NotFound, Stale
from engine.process import unasked
from engine.process.automation import saves
from engine.rules import duplicates, rollups, trees
from engine.rules.draft import Draft
from engine.rules.masters import belongs_to_all, give_owner, may_join
from engine.rules.numbering import number
from engine.rules.pipeline import settle
from engine.rules.single import refuse_another
from engine.rules.uniqueness import as_conflicts, is_violation
from engine.rules.values import Rules
from engine.rules.written import Written
from engine.store import rows, rows_history
from engine.store.database import Connection, new_id
from engine.store.query import one
from engine.store.query_paths import need_object
from metadata.model import Action

__all__ = [
    "TRIES", "always_changing", "answer", "changes_of", "follow", "may_not", "need", "new_row", "not_found", "refusal",
    "refuse", "stale", "write_changed", "write_new",
]  # fmt: skip

Json = dict[str, Any]
Row = dict[str, Any]

TRIES = 5


def new_row(ctx: Context, stored: Mapping[str, Any]) -> dict[str, Any]:
    """A whole row, but for numbers that are given late."""
    actor = ctx.actor.id or None
    return {
        **stored, "id": new_id(ctx.now), "version": 1, "created_at": ctx.now, "created_by": actor,
        "modified_at": ctx.now, "modified_by": actor,
    }  # fmt: skip


def changes_of(rules: Rules, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What the history keeps: field -> (old, new), JSON-ready, of the fields that differ."""
    changes: dict[str, tuple[Any, Any]] = {}
    for name in rules.tracked:
        if name in new and (before := old.get(name)) != (after := new[name]):
            to_json = rules.fields[name].type.to_json
            changes[name] = (
                None if before is None else to_json(before),
                None if after is None else to_json(after),
            )
    return changes


def write_new(
    ctx: Context, connection: Connection, rules: Rules, drafts: Sequence[Draft], paths: Sequence[str],
    known: Collection[str], own: bool, written: Written,
) -> list[Row]:  # fmt: skip
    """New lines; the rows as written. `paths` is where problems with them stand, `known` are references whose targets
    need no look. `own`: their master is new, too, so that only their own grants limit them."""
    name, beginning = rules.object, rollups.beginning(ctx.snapshot, rules.object)
    for path, draft in zip(paths, drafts, strict=True):
        draft.stored, draft.path = new_row(ctx, draft.stored), path
    settle(ctx, connection, rules, drafts, known)
    refuse([at(path, one) for path, draft in zip(paths, drafts, strict=True) for one in draft.problems])
    new = [{**draft.stored, **beginning} for draft in drafts]
    give_owner(ctx, connection, rules, new)
    number(ctx, connection, rules, new)
    ids = [row["id"] for row in new]
    try:
        with rows.savepoint(connection):
            rows.insert_many(ctx, connection, name, new)
    except Exception as error:
        if not is_violation(error):
            raise
        for path, row in zip(paths, new, strict=True):
            with placed(path), as_conflicts(ctx.snapshot, name):
                rows.insert_many(ctx, connection, name, [row])
    if rows.failing(ctx, connection, name, ids, "create", own):
        raise may_not("create", name)
    if own and belongs_to_all(rules) and not may_join(ctx, connection, rules, new, known):
        raise may_not("create", name)  # the other master is not new
    wrong = trees.wrong_places(ctx, connection, rules, {row["id"]: row for row in new}, is_new=True)
    refuse([at(path, wrong[row["id"]]) for path, row in zip(paths, new, strict=True) if row["id"] in wrong])
    for path, row in zip(paths, new, strict=True):
        written.add(ctx.snapshot, rules, row["id"], None, row, path)
    if rollups.concerns(ctx.snapshot, name):
        written.touch(rollups.after_change(connection, ctx.snapshot, name, ids))
    if duplicates.has_rules(ctx.snapshot, name):
        duplicates.keep(ctx, connection, name, new)
        duplicates.check(ctx, connection, name, new, paths=dict(zip(ids, paths, strict=True)))
    rows_history.write(ctx, connection, name, [(row["id"], 1, "create", changes_of(rules, {}, row)) for row in new])
    unasked.tell_new(ctx, connection, name, ids)
    return new


def write_changed(
    ctx: Context, connection: Connection, rules: Rules, changes: Sequence[tuple[str, str, Draft]], written: Written
) -> None:
    """Lines that change, each (path, id, what it was and is to be)."""
    name, ids = rules.object, [record_id for _, record_id, _ in changes]
    if rows.failing(ctx, connection, name, ids, "update"):
        raise may_not("update", name)
    for path, _, draft in changes:
        draft.path = path
    settle(ctx, connection, rules, [draft for _, _, draft in changes], held=written.held)
    refuse([at(path, problem) for path, _, draft in changes for problem in draft.problems])
    each = {record_id: draft.changed for _, record_id, draft in changes}
    for values in each.values():
        trees.take_turns(ctx, connection, rules, values)
    try:
        with unasked.watched(ctx, connection, name, ids, "update"), rows.savepoint(connection):
            versions = rows.change_each(ctx, connection, name, each)
    except Exception as error:
        if not is_violation(error):
            raise
        versions = {}
        for path, record_id, _ in changes:
            with placed(path), as_conflicts(ctx.snapshot, name):
                versions |= rows.change_each(ctx, connection, name, {record_id: each[record_id]})
    if rows.failing(ctx, connection, name, ids, "update"):
        raise may_not("update", name)
    wrong = trees.wrong_places(ctx, connection, rules, each)
    refuse([at(path, wrong[record_id]) for path, record_id, _ in changes if record_id in wrong])
    befores = {record_id: draft.before or {} for _, record_id, draft in changes}
    for path, record_id, _ in changes:
        written.add(ctx.snapshot, rules, record_id, befores[record_id], each[record_id], path)
    if rollups.concerns(ctx.snapshot, name):
        names = {field for values in each.values() for field in values}
        moved = [field for field in rollups.references_of(ctx.snapshot, name) if field in names]
        former = {field: [befores[one][field] for one in ids if field in each[one]] for field in moved}
        written.touch(rollups.after_change(connection, ctx.snapshot, name, ids, names, former))
    if duplicates.has_rules(ctx.snapshot, name):
        names = {field for values in each.values() for field in values}
        duplicates.renew_stored(ctx, connection, name, ids, names)
        duplicates.check_stored(ctx, connection, name, ids, names, {one: path for path, one, _ in changes})
    entries = [(one, versions[one], "update", changes_of(rules, befores[one], each[one])) for one in ids]
    rows_history.write(ctx, connection, name, entries)


def follow(ctx: Context, connection: Connection, seen: Written) -> bool:
    """What automations make of what was written. Whether they wrote something in turn."""
    return bool(seen.saved or connection.reckoned) and saves.finish(ctx, connection, seen.saved)


def at(path: str, problem: InputProblem) -> InputProblem:
    return replace(problem, path=".".join(filter(None, (path, problem.path))))


@contextmanager
def placed(path: str) -> Iterator[None]:
    """A refusal in here is about what stands at `path`."""
    try:
        yield
    except EngineError as error:
        problems = [at(path, problem) for problem in error.problems]
        raise type(error)(str(error), code=error.code, fix=error.fix, problems=problems) from error


def need(scope: Scope, action: Action, object_name: str) -> None:
    """Raises NotFound for an object that this person may not know of, Forbidden for what they may not do to others."""
    if scope.can(action, object_name) and (action == "create" or scope.can("read", object_name)):
        return
    need_object(scope, object_name)
    refuse_another(scope.snapshot, action, object_name)
    raise may_not(action, object_name)


def may_not(action: str, object_name: str) -> Forbidden:
    return Forbidden(
        f"you may not {action} this {object_name}", code=f"record.{action}.forbidden", fix="ask an administrator"
    )


def not_found(object_name: str, record_id: str) -> NotFound:
    shown = record_id if record_id.isprintable() else ascii(record_id)
    return NotFound(f"no {object_name} has the id '{shown[:60]}'", code="record.unknown")


def stale(version: int, wanted: int) -> Stale:
    if wanted < 1:  # weak tags, several, or tags that were never given out
        return Stale(f"the record is at version {version}, which If-Match does not name", fix="load it again")
    return Stale(f"the record is at version {version}, not {wanted}: it was changed meanwhile", fix="load it again")


def always_changing() -> Stale:
    return Stale("the record is being changed by others all the time", fix="try again")


def refuse(problems: list[InputProblem]) -> None:
    if problems:
        raise refusal(problems)


def refusal(problems: list[InputProblem]) -> BadInput:
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return BadInput(f"{first.message}{more}", code=first.code, fix=first.fix, problems=problems)


def answer(
    ctx: Context, connection: Connection, object_name: str, record: Json, is_visible: bool, is_outdated: bool = False
) -> Json:
    """The record as this person reads it; only its id and version where they may not. `is_outdated`: what was written
    after it changed it, too."""
    names = ctx.scope.fields(object_name) if is_visible else ()
    if not names:
        return {"id": record["id"], "version": record["version"]}
    # What is worked out has no column to come back with.
    if is_outdated or not all(name in record for name in names):
        found = one(ctx, connection, object_name, record["id"], ())
        if found.rows:  # else it is theirs no more
            return found.reader.record(found.rows[0])
        return {"id": record["id"], "version": record["version"]}
    shown = record if len(names) == len(record) else {name: record[name] for name in names}
    masks = ctx.scope.masks(object_name)
    masked = {name: mask(shown[name]) for name, mask in masks.items() if shown.get(name) is not None}
    return {**shown, **masked} if masked else shown
