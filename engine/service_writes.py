"""Create, update and upsert one record: authorise, values, references, rules, row, row rules, roll-ups, history."""

from collections.abc import Mapping
from typing import Any

from engine import service_lines as lines
from engine.context import Context
from engine.errors import BadInput, BadValue, Conflict, InputProblem
from engine.process import proposals, requests, unasked
from engine.process.unasked import by_system
from engine.rules import duplicates, rollups, trees
from engine.rules.draft import Draft
from engine.rules.masters import give_owner, lock_masters, masters_wrong
from engine.rules.numbering import number
from engine.rules.pipeline import draft_of, names_before, settle
from engine.rules.reach import values_of
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import Rules, Values, rules_of
from engine.rules.written import Written
from engine.service_lines import Sent
from engine.service_lists import with_lines
from engine.service_rows import (
    TRIES,
    always_changing,
    answer,
    changes_of,
    follow,
    may_not,
    need,
    new_row,
    not_found,
    refusal,
    refuse,
    stale,
    write_changed,
)
from engine.store import rows, rows_history
from engine.store.database import Connection
from engine.store.query import Query, actor_params, find
from engine.store.query_paths import need_object
from engine.store.rows import columns_of

__all__ = [
    "TRIES", "always_changing", "answer", "changes_of", "create", "create_in", "may_not", "need", "new_row",
    "not_found", "refuse", "update", "update_in", "update_many_in", "upsert", "upsert_in",
]  # fmt: skip

Json = dict[str, Any]


def create(ctx: Context, object_name: str, values: Values) -> Json:
    draft, tables = new_draft(ctx, object_name, values)  # before the transaction: a refusal here holds nobody up
    with ctx.writing() as connection:
        record = proposed(ctx, connection, object_name, values)
        if record is None:
            record = _create_row(ctx, connection, rules_of(ctx.snapshot, object_name), draft, tables)
            tell_new(ctx, connection, object_name, record["id"])
        return with_lines(ctx, connection, object_name, record)


def create_in(ctx: Context, connection: Connection, object_name: str, values: Values) -> Json:
    """The same, as a part of a transaction; the record comes without its lines. Where an approval comes first: only the
    id that it will have, and version 0, with a request in the Context."""
    record = proposed(ctx, connection, object_name, values)
    if record is None:
        record = create_asked(ctx, connection, object_name, values)
        tell_new(ctx, connection, object_name, record["id"])
    return record


def tell_new(ctx: Context, connection: Connection, object_name: str, record_id: str) -> None:
    """Where the system made a record that an approval comes before for others."""
    if ctx.actor.is_system:
        unasked.tell_new(ctx, connection, object_name, [record_id])


def create_asked(
    ctx: Context, connection: Connection, object_name: str, values: Values, record_id: str = ""
) -> Json:  # fmt: skip
    """The same without asking for an approval: there is none, or it has said yes. `record_id`: that it has already."""
    draft, tables = new_draft(ctx, object_name, values)
    if record_id:
        draft.stored["id"] = record_id
    return _create_row(ctx, connection, rules_of(ctx.snapshot, object_name), draft, tables)


def proposed(ctx: Context, connection: Connection, object_name: str, values: Values) -> Json | None:
    """None where the record is to be made as usual."""

    def trial() -> Json:
        return create_asked(ctx, connection, object_name, values)

    request = proposals.propose(ctx, connection, object_name, values, trial)
    if request is None:
        return None
    current = rows.current(ctx, connection, object_name, request.record, "read") if request.state == "applied" else None
    if current is None:
        return {"id": request.record, "version": 0}
    return answer(ctx, connection, object_name, current.record(), is_visible=True, is_outdated=True)


def new_draft(ctx: Context, object_name: str, values: Values) -> tuple[Draft, list[Sent]]:
    """A new record as it was sent, and its lines. Raises Forbidden and, where no rule may find more, BadInput."""
    need(ctx.scope, "create", object_name)
    rules = rules_of(ctx.snapshot, object_name)
    own, sent = lines.split(ctx, object_name, values)
    draft = draft_of(ctx, rules, own, None)
    tables, wrong = lines.read_new(ctx, object_name, sent) if sent else ([], [])
    draft.problems += masters_wrong(rules, draft.stored)
    if rules.is_plain or wrong:
        refuse([*draft.problems, *wrong])
    draft.stored = new_row(ctx, draft.stored)
    return draft, tables


def _create_row(ctx: Context, connection: Connection, rules: Rules, draft: Draft, tables: list[Sent]) -> Json:
    settle(ctx, connection, rules, [draft])
    refuse(draft.problems)
    row = {**draft.stored, **rollups.beginning(ctx.snapshot, rules.object)}
    give_owner(ctx, connection, rules, [row])
    lines.append(ctx, connection, rules, [row])
    number(ctx, connection, rules, [row])
    with as_conflicts(ctx.snapshot, rules.object):
        written = rows.insert(ctx, connection, rules.object, row)
    if not written.is_allowed:
        raise may_not("create", rules.object)
    refuse(list(trees.wrong_places(ctx, connection, rules, {row["id"]: row}, is_new=True).values()))
    seen = Written()
    seen.add(ctx.snapshot, rules, row["id"], None, row)
    if tables:
        lines.insert(ctx, connection, [(row["id"], tables)], seen)
    if rollups.concerns(ctx.snapshot, rules.object):
        seen.touch(rollups.after_change(connection, ctx.snapshot, rules.object, [row["id"]]))
    refuse(seen.problems(ctx, connection))
    if duplicates.has_rules(ctx.snapshot, rules.object):
        duplicates.keep(ctx, connection, rules.object, [row])
        duplicates.check(ctx, connection, rules.object, [row])
    changes = {**changes_of(rules, {}, row), **lines.counts_of(tables)}
    rows_history.write(ctx, connection, rules.object, [(row["id"], 1, "create", changes)])
    is_outdated = follow(ctx, connection, seen) or bool(tables)
    return answer(ctx, connection, rules.object, written.record, written.is_visible, is_outdated)


def update(ctx: Context, object_name: str, record_id: str, values: Values, if_version: int | None) -> Json:
    need(ctx.scope, "update", object_name)
    with ctx.writing() as connection:
        record = update_in(ctx, connection, object_name, record_id, values, if_version)
        return with_lines(ctx, connection, object_name, record)


def update_in(
    ctx: Context, connection: Connection, object_name: str, record_id: str, values: Values, if_version: int | None
) -> Json:
    """As a part of a transaction. Where an approval comes first: the record as it stays, a request in the Context."""

    def change() -> Json:
        return update_asked(ctx, connection, object_name, record_id, values, if_version)

    if requests.intercept(ctx, connection, object_name, record_id, values, "update", change) is None:
        with by_system(ctx, connection, object_name, record_id, "update"):
            return change()
    current = rows.current(ctx, connection, object_name, record_id, "update")
    if current is None:
        raise not_found(object_name, record_id)
    return answer(ctx, connection, object_name, current.record(), is_visible=True)


def update_asked(
    ctx: Context, connection: Connection, object_name: str, record_id: str, values: Values, if_version: int | None
) -> Json:
    """The same without asking for an approval: there is none, or it has said yes."""
    need(ctx.scope, "update", object_name)
    rules = rules_of(ctx.snapshot, object_name)
    own, sent = lines.split(ctx, object_name, values)
    warned = len(ctx.warnings)
    for _ in range(TRIES):
        del ctx.warnings[warned:]  # those of a try before
        current = rows.current(ctx, connection, object_name, record_id, "update")
        if current is None:
            raise not_found(object_name, record_id)
        if not current.is_allowed:
            raise may_not("update", object_name)
        if if_version is not None and current.version != if_version:
            raise stale(current.version, if_version)
        before = current.stored(names_before(ctx, rules, own))
        draft = draft_of(ctx, rules, own, before)
        tables, wrong = lines.read_changed(ctx, connection, object_name, record_id, sent) if sent else ([], [])
        changed = draft.changed
        if any(name in changed for name in rules.masters):
            draft.problems += masters_wrong(rules, {**current.stored(rules.masters), **changed})
        if rules.is_plain or wrong:
            refuse([*draft.problems, *wrong])
        is_relined = any(table.is_changed for table in tables)
        if not changed and not is_relined and not draft.problems:
            return answer(ctx, connection, object_name, current.record(), is_visible=True)
        settle(ctx, connection, rules, [draft])
        refuse(draft.problems)
        changed = changed if rules.is_plain and not rules.attaching else draft.changed
        lock_masters(ctx, connection, rules, current)
        trees.take_turns(ctx, connection, rules, changed)
        is_given = "owner" in changed and ctx.scope.is_shared("update", object_name)
        with as_conflicts(ctx.snapshot, object_name):
            written = rows.change(
                ctx, connection, object_name, record_id, current.version, changed, "transfer" if is_given else "update"
            )
        if written is None:  # somebody else was faster: look again
            continue
        if not written.is_allowed:
            raise may_not("update", object_name)
        refuse(list(trees.wrong_places(ctx, connection, rules, {record_id: changed}).values()))
        seen = Written()
        seen.add(ctx.snapshot, rules, record_id, before, changed)
        if is_relined:
            tables = lines.rewrite(ctx, connection, object_name, record_id, sent, seen)
        if rollups.concerns(ctx.snapshot, object_name):
            moved = [name for name in rollups.references_of(ctx.snapshot, object_name) if name in changed]
            former = {name: [before[name]] for name in moved}
            seen.touch(rollups.after_change(connection, ctx.snapshot, object_name, [record_id], changed, former))
        refuse(seen.problems(ctx, connection))
        if compared := duplicates.compared(ctx.snapshot, object_name, changed):
            row = {**current.stored(compared), **changed, "id": record_id}
            duplicates.renew(ctx, connection, object_name, [row], changed)
            duplicates.check(ctx, connection, object_name, [row], changed)
        changes = {**changes_of(rules, before, changed), **lines.counts_of(tables)}
        entry = (record_id, written.record["version"], "update", changes)
        rows_history.write(ctx, connection, object_name, [entry])
        is_outdated = follow(ctx, connection, seen) or is_relined
        return answer(ctx, connection, object_name, written.record, written.is_visible, is_outdated)
    raise always_changing()


def update_many_in(
    ctx: Context, connection: Connection, object_name: str, each: Mapping[str, Values]
) -> None:  # fmt: skip
    """id -> values, in a few statements: with all that a change of one record brings. Raises for the first that is
    refused, without saying which."""
    need(ctx.scope, "update", object_name)
    rules = rules_of(ctx.snapshot, object_name)
    is_asked = bool(requests.approvals_of(ctx, object_name, "update"))
    if rules.masters or rules.tree or is_asked or any("owner" in values for values in each.values()):
        for record_id, values in each.items():
            update_in(ctx, connection, object_name, record_id, values, None)
        return
    ids = sorted(each)
    rows.hold(connection, ctx.snapshot, object_name, ids)
    names = columns_of(ctx.snapshot, object_name)
    befores = values_of(ctx.snapshot, connection, actor_params(ctx), object_name, names, "id", ids)
    if len(befores) < len(ids) or (unseen := rows.failing(ctx, connection, object_name, ids, "read")):
        gone = set(ids) - {row["id"] for row in befores} or unseen
        raise not_found(object_name, min(gone))
    changes: list[tuple[str, str, Draft]] = []
    for before in befores:
        draft = draft_of(ctx, rules, each[before["id"]], before)
        if draft.changed or draft.problems:
            changes.append(("", before["id"], draft))
    if not changes:
        return
    seen = Written()
    write_changed(ctx, connection, rules, changes, seen)
    refuse(seen.problems(ctx, connection))
    follow(ctx, connection, seen)


def upsert(ctx: Context, object_name: str, field: str, value: object, values: Values) -> tuple[Json, bool]:
    with ctx.writing() as connection:
        record, is_new = upsert_in(ctx, connection, object_name, field, value, values)
        return with_lines(ctx, connection, object_name, record), is_new


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
    if rule is None or field not in readable or readable[field].is_masked or not rule.field.is_unique:
        known = ", ".join(name for name, one in readable.items() if one.is_unique and not one.is_masked) or "none"
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
