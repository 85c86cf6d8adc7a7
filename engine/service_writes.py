"""Create, update and upsert one record: authorise, defaults, values, references, row, row rules, history."""

from collections.abc import Mapping
from typing import Any

from engine.access.scope import Scope
from engine.context import Context
from engine.errors import BadInput, BadValue, Conflict, Forbidden, InputProblem, NotFound, Stale
from engine.rules import rollups
from engine.rules.numbering import number
from engine.rules.references import missing_targets
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import Rules, Values, read_values, rules_of
from engine.store import rows, rows_history
from engine.store.database import Connection, new_id
from engine.store.query import Query, find, one
from engine.store.query_paths import need_object
from metadata.model import Action

__all__ = [
    "TRIES", "always_changing", "answer", "changes_of", "create", "create_in", "may_not", "need", "new_row",
    "not_found", "refuse", "update", "update_in", "upsert", "upsert_in",
]  # fmt: skip

Json = dict[str, Any]

TRIES = 5


def create(ctx: Context, object_name: str, values: Values) -> Json:
    stored = checked(ctx, object_name, values)  # before the transaction: a refusal here holds nobody up
    with ctx.writing() as connection:
        return _create_row(ctx, connection, rules_of(ctx.snapshot, object_name), stored)


def create_in(ctx: Context, connection: Connection, object_name: str, values: Values) -> Json:
    """The same, as a part of a transaction."""
    stored = checked(ctx, object_name, values)
    return _create_row(ctx, connection, rules_of(ctx.snapshot, object_name), stored)


def checked(ctx: Context, object_name: str, values: Values) -> dict[str, Any]:
    """What to store of a new record. Raises Forbidden and, with all problems at once, BadInput."""
    need(ctx.scope, "create", object_name)
    stored, problems = read_values(ctx, rules_of(ctx.snapshot, object_name), values, None)
    refuse(problems)
    return stored


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
    for name, rule in rules.fields.items():
        if name in new and (before := old.get(name)) != (after := new[name]):
            to_json = rule.type.to_json
            changes[name] = (
                None if before is None else to_json(before),
                None if after is None else to_json(after),
            )
    return changes


def _create_row(ctx: Context, connection: Connection, rules: Rules, stored: dict[str, Any]) -> Json:
    refuse([problem for _, problem in missing_targets(ctx, connection, rules, [stored])])
    row = {**new_row(ctx, stored), **rollups.beginning(ctx.snapshot, rules.object)}
    number(ctx, connection, rules, [row])
    with as_conflicts(ctx.snapshot, rules.object):
        written = rows.insert(ctx, connection, rules.object, row)
    if not written.is_allowed:
        raise may_not("create", rules.object)
    if rollups.concerns(ctx.snapshot, rules.object):
        rollups.after_change(connection, ctx.snapshot, rules.object, [row["id"]])
    rows_history.write(ctx, connection, rules.object, [(row["id"], 1, "create", changes_of(rules, {}, row))])
    return answer(ctx, connection, rules.object, written.record, written.is_visible)


def update(ctx: Context, object_name: str, record_id: str, values: Values, if_version: int | None) -> Json:
    need(ctx.scope, "update", object_name)
    with ctx.writing() as connection:
        return update_in(ctx, connection, object_name, record_id, values, if_version)


def update_in(
    ctx: Context, connection: Connection, object_name: str, record_id: str, values: Values, if_version: int | None
) -> Json:
    need(ctx.scope, "update", object_name)
    rules = rules_of(ctx.snapshot, object_name)
    for _ in range(TRIES):
        current = rows.current(ctx, connection, object_name, record_id, "update")
        if current is None:
            raise not_found(object_name, record_id)
        if not current.is_allowed:
            raise may_not("update", object_name)
        if if_version is not None and current.version != if_version:
            raise stale(current.version, if_version)
        before = current.stored([name for name in values if name in rules.fields])
        stored, problems = read_values(ctx, rules, values, before)
        refuse(problems)
        changed = {name: value for name, value in stored.items() if value != before[name]}
        if not changed:
            return answer(ctx, connection, object_name, current.record(), is_visible=True)
        refuse([problem for _, problem in missing_targets(ctx, connection, rules, [changed])])
        with as_conflicts(ctx.snapshot, object_name):
            written = rows.change(ctx, connection, object_name, record_id, current.version, changed, "update")
        if written is None:  # somebody else was faster: look again
            continue
        if not written.is_allowed:
            raise may_not("update", object_name)
        if rollups.concerns(ctx.snapshot, object_name):
            moved = [name for name in rollups.references_of(ctx.snapshot, object_name) if name in changed]
            former = {name: [before[name]] for name in moved}
            rollups.after_change(connection, ctx.snapshot, object_name, [record_id], changed, former)
        version = written.record["version"]
        rows_history.write(
            ctx, connection, object_name, [(record_id, version, "update", changes_of(rules, before, changed))]
        )
        return answer(ctx, connection, object_name, written.record, written.is_visible)
    raise always_changing()


def upsert(ctx: Context, object_name: str, field: str, value: object, values: Values) -> tuple[Json, bool]:
    with ctx.writing() as connection:
        return upsert_in(ctx, connection, object_name, field, value, values)


def upsert_in(
    ctx: Context, connection: Connection, object_name: str, field: str, value: object, values: Values
) -> tuple[Json, bool]:
    """Update the record that has this value in a unique field, else create it. The record, and whether it is new."""
    need_object(ctx.scope, object_name)
    wanted = _unique_value(ctx, object_name, field, value, values)
    query = Query(object_name, ("id",), conditions=((field, "=", wanted),), limit=1)
    for is_last in (False, True):
        found = find(ctx, connection, query).rows
        if found:
            return update_in(ctx, connection, object_name, found[0][0], {**values, field: wanted}, None), False
        warned = len(ctx.warnings)
        try:
            with rows.savepoint(connection):
                return create_in(ctx, connection, object_name, {**values, field: wanted}), True
        except Conflict as conflict:
            # Another process created it since we looked; or a record that this person may not see has the value.
            if is_last or all(problem.path != field for problem in conflict.problems):
                raise
            del ctx.warnings[warned:]
    raise AssertionError("the second try returns or raises")


def _unique_value(ctx: Context, object_name: str, field: str, value: object, values: Values) -> object:
    """The JSON value of `field` that is meant. In a URL it is text, whatever the field's type."""
    readable = ctx.scope.readable(object_name)
    rule = rules_of(ctx.snapshot, object_name).fields.get(field)
    if rule is None or field not in readable or not rule.field.is_unique:
        known = ", ".join(name for name, one in readable.items() if one.is_unique) or "none"
        message = f"'{field}' is not a unique field of '{object_name}'"
        problem = InputProblem("field", "field.not_unique", message, f"unique fields: {known}", (("name", field),))
        raise BadInput(message, code=problem.code, fix=problem.fix, problems=[problem])
    try:
        wanted = rule.type.from_form(rule.field, [value], ctx.time_zone) if isinstance(value, str) else value
        stored = None if wanted is None else rule.parse(wanted)
        other = rule.parse(values[field]) if values.get(field) is not None else stored
    except BadValue as bad:
        raise refusal([InputProblem(field, bad.code, bad.message, bad.fix, bad.values)]) from bad
    if stored is None:
        raise refusal([InputProblem(field, "value.required", f"'{field}' must have a value", "give it one")])
    if other != stored:
        raise refusal(
            [InputProblem(field, "value.differs", f"'{field}' differs from the value in the address", "leave it out")]
        )
    return wanted


def need(scope: Scope, action: Action, object_name: str) -> None:
    """Raises NotFound for an object that this person may not know of, Forbidden for what they may not do to others."""
    if scope.can(action, object_name) and (action == "create" or scope.can("read", object_name)):
        return
    need_object(scope, object_name)
    raise may_not(action, object_name)


def may_not(action: str, object_name: str) -> Forbidden:
    return Forbidden(
        f"you may not {action} this {object_name}", code=f"record.{action}.forbidden", fix="ask an administrator"
    )


def not_found(object_name: str, record_id: str) -> NotFound:
    shown = record_id if record_id.isprintable() else ascii(record_id)
    return NotFound(f"no {object_name} has the id '{shown[:60]}'", code="record.unknown")


def stale(version: int, wanted: int) -> Stale:
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


def answer(ctx: Context, connection: Connection, object_name: str, record: Json, is_visible: bool) -> Json:
    """The record as this person reads it; only its id and version where they may not."""
    names = ctx.scope.fields(object_name) if is_visible else ()
    if len(names) == len(record):
        return record
    if names and not all(name in record for name in names):  # what is worked out has no column to come back with
        found = one(ctx, connection, object_name, record["id"], ())
        return found.reader.record(found.rows[0])
    return {name: record[name] for name in names or ("id", "version")}
