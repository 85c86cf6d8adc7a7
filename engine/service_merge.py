"""Make one record of two or three: values chosen field by field, references moved, the others into the trash."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.context import Context
from engine.errors import Conflict, InputProblem, Locked, Stale
from engine.process import locks, unasked
from engine.process.automation import saves
from engine.rules import duplicates, rollups, trees
from engine.rules.draft import Draft
from engine.rules.masters import lock_masters, masters_wrong
from engine.rules.pipeline import names_before, settle
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import Rules, missing, rules_of
from engine.rules.written import Written, owners_of
from engine.service_answers import Merged
from engine.service_deletion import NO_CHANGES, change_references
from engine.service_lists import order_of
from engine.service_rows import answer, changes_of, follow, may_not, need, not_found, refuse, stale
from engine.store import rows, rows_deletion, rows_history, rows_lines, rows_locks, rows_merge, rows_shares
from engine.store.database import Connection
from engine.store.references import pointed, referring, replaced, written
from engine.store.rows import Current, columns_of
from engine.store.rows_deletion import Taken
from engine.store.rows_merge import Moved
from metadata.model import Field
from metadata.problem import nearest

__all__ = [
    "MOST",
    "as_read",
    "change",
    "changed_meanwhile",
    "merge",
    "stay_a_tree",
    "take_turns",
    "told",
    "write_master",
]

MOST = 10_000  # references that one merge may move
MOST_GUESSES = 20  # unknown names that get a nearest one

Json = dict[str, Any]
Versions = Mapping[str, int]


def merge(
    ctx: Context, object_name: str, master: str, others: Sequence[str], values: Mapping[str, str], if_versions: Versions
) -> Merged:
    need(ctx.scope, "update", object_name)
    need(ctx.scope, "delete", object_name)
    rules = rules_of(ctx.snapshot, object_name)
    refuse(wrong(ctx, rules, master, others, values, if_versions))
    with ctx.writing() as connection:
        currents = {one: current(ctx, connection, object_name, one, one == master) for one in (master, *others)}
        for one, version in if_versions.items():
            if currents[one].version != version:
                raise stale(currents[one].version, version)
        rows_locks.check(ctx, connection, object_name, [master])  # be nothing of its own fields changed
        locks.check_running(ctx, connection, object_name, others)
        chosen = chosen_values(ctx, connection, rules, currents, master, values)
        take_turns(ctx, connection, rules)
        seen = Written()
        # Away first: what is unique to them is free for the master then.
        parting = {one: currents[one].stored(columns_of(ctx.snapshot, object_name)) for one in others}
        saves.before_deletion(ctx, connection, object_name, parting)
        with unasked.watched(ctx, connection, object_name, others, "delete"):
            gone = {one: delete(ctx, connection, object_name, one, currents[one], seen) for one in others}
        write_master(ctx, connection, rules, currents[master], chosen, "merge", others, seen)
        moved = move_all(ctx, connection, object_name, master, others, seen)
        stay_a_tree(ctx, connection, rules, master, moved)
        refuse(seen.problems(ctx, connection))
        for one, version in gone.items():
            rows_deletion.write(ctx, connection, one, [Taken(object_name, one)])
            rows_history.write(ctx, connection, object_name, [(one, version, "merge", NO_CHANGES)], into=master)
        before = all_changes(rules, currents[master].stored(list(chosen)), chosen)
        shared = rows_shares.move(connection, ctx.snapshot, object_name, others, master)
        rows_merge.write(ctx, connection, object_name, master, others, before, moved, shared)
        seen.remove(ctx.snapshot, object_name, parting)
        follow(ctx, connection, seen)
        record = as_read(ctx, connection, object_name, master)
    return Merged(record, tuple(others), told(ctx, moved))


def take_turns(ctx: Context, connection: Connection, rules: Rules) -> None:
    """Before records are moved within their tree."""
    if rules.tree:
        trees.take_turns(ctx, connection, rules, {rules.tree: True})


def stay_a_tree(ctx: Context, connection: Connection, rules: Rules, master: str, moved: Sequence[Moved]) -> None:
    """Of records below each other one may have come to stand below itself."""
    if not rules.tree:
        return
    below = [one.record for one in moved if (one.object, one.field) == (rules.object, rules.tree)]
    stored = rows_deletion.stored(connection, ctx.snapshot, rules.object, [rules.tree], [*below, master])
    placed = {one: {rules.tree: values[0]} for one, values in stored.items()}
    for problem in trees.wrong_places(ctx, connection, rules, placed).values():
        raise Conflict(problem.message, code=problem.code, fix="move what is below it first", problems=[problem])


def as_read(ctx: Context, connection: Connection, object_name: str, master: str) -> Json:
    """The record after everything, as this person reads it."""
    found = rows.current(ctx, connection, object_name, master, "update")
    if found is None:  # they may not see it any more
        version = rows.versions_of(ctx.snapshot, connection, object_name, [master])[master]
        return {"id": master, "version": version}
    return answer(ctx, connection, object_name, found.record(), is_visible=True, is_outdated=True)


def write_master(
    ctx: Context, connection: Connection, rules: Rules, found: Current, changed: Mapping[str, Any], action: str,
    others: Sequence[str], seen: Written,
) -> None:  # fmt: skip
    """Values that are checked already, with what follows from them. Duplicate rules are not asked: they would stop the
    cleaning up of what they are there to prevent."""
    name, record_id = rules.object, str(found.row[0])
    lock_masters(ctx, connection, rules, found)
    with unasked.watched(ctx, connection, name, [record_id], "update"), as_conflicts(ctx.snapshot, name):
        written = rows.change(ctx, connection, name, record_id, found.version, changed, "update")
    if written is None:
        raise changed_meanwhile()
    if not written.is_allowed:
        raise may_not("update", name)
    before = found.stored(names_before(ctx, rules, changed))
    seen.add(ctx.snapshot, rules, record_id, before, changed)
    moved = [one for one in rollups.references_of(ctx.snapshot, name) if one in changed]
    former = {one: [value] for one, value in found.stored(moved).items()}
    seen.touch(rollups.after_change(connection, ctx.snapshot, name, [record_id], changed, former))
    if compared := duplicates.compared(ctx.snapshot, name, changed):
        duplicates.renew(ctx, connection, name, [{**found.stored(compared), **changed, "id": record_id}], changed)
    changes = changes_of(rules, found.stored(list(changed)), changed)
    entry = (record_id, int(written.record["version"]), action, changes)
    rows_history.write(ctx, connection, name, [entry], others=others)


def all_changes(rules: Rules, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """As the history's, of fields that it does not tell of as well."""
    return changes_of(replace(rules, tracked=tuple(rules.fields)), old, new)


def wrong(
    ctx: Context, rules: Rules, master: str, others: Sequence[str], values: Mapping[str, str], if_versions: Versions
) -> list[InputProblem]:
    ids = (master, *others)
    problems: list[InputProblem] = []
    if not 1 <= len(others) <= 2 or len(set(ids)) < len(ids):
        message = "others names one or two records, each once, and not the one that is kept"
        problems.append(InputProblem("others", "merge.others", message))
    readable, guesses = ctx.scope.readable(rules.object), 0
    for name, source in values.items():
        rule = rules.fields.get(name) if name in readable else None
        path = f"values.{name}"
        if rule is None:
            guesses += 1
            known = [one for one in rules.fields if one in readable] if guesses <= MOST_GUESSES else []
            guess = nearest(name, known)
            message = f"no field '{name}' in '{rules.object}'"
            quoted = (("name", name), ("object", rules.object))
            problems.append(InputProblem(path, "field.unknown", message, f"write '{guess}'?" if guess else "", quoted))
        elif readable[name].is_read_only or rule.type.is_computed or not ctx.scope.writes(rules.object, name, False):
            message = f"'{name}' cannot be changed"
            problems.append(InputProblem(path, "value.read_only", message, "leave it out", (("name", name),)))
        elif source not in ids:
            message = f"'{name}' is taken from one of the records that are merged, by its id"
            problems.append(InputProblem(path, "merge.source", message, f"write '{master}'?"))
    for one in if_versions:
        if one not in ids:
            message = "if_versions names records that are merged, by their ids"
            problems.append(InputProblem(f"if_versions.{one[:40]}", "merge.source", message))
    return problems


def current(ctx: Context, connection: Connection, object_name: str, record_id: str, is_master: bool) -> Current:
    found = rows.current(ctx, connection, object_name, record_id, "update" if is_master else "delete")
    if found is None:
        raise not_found(object_name, record_id)
    if not found.is_allowed:
        raise may_not("update" if is_master else "delete", object_name)
    return found


def chosen_values(
    ctx: Context, connection: Connection, rules: Rules, currents: Mapping[str, Current], master: str,
    values: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Stored values that the master takes over, where they are others than its own. Raises BadInput for what the
    object's rules refuse."""
    before = currents[master].stored(names_before(ctx, rules, values))
    circles = {written(rules.fields[name].field, rules.object, one): None for name in values for one in currents}
    stored: dict[str, Any] = {}
    for name, source in values.items():
        value = currents[source].stored([name])[name]
        field = rules.fields[name].field
        if field.refers_to(rules.object):  # of records that refer to each other one is left, which is not its own
            value = replaced(field, value, circles)
        if value != currents[master].stored([name])[name]:
            stored[name] = value
    draft = Draft(dict(stored), stored, [], before)
    settle(ctx, connection, rules, [draft])
    if rules.is_plain:
        draft.problems += missing(rules, draft.stored, before, draft.refused)
    if any(name in draft.changed for name in rules.masters):
        draft.problems += masters_wrong(rules, {**currents[master].stored(rules.masters), **draft.changed})
    refuse([replace(one, path=f"values.{one.path}") if one.path in values else one for one in draft.problems])
    return draft.changed


def delete(
    ctx: Context, connection: Connection, object_name: str, record_id: str, found: Current, seen: Written
) -> int:
    """Into the trash alone: what refers to it is moved. The row's new version."""
    marked = {"deleted_at": ctx.now}
    deleted = rows.change(ctx, connection, object_name, record_id, found.version, marked, "delete")
    if deleted is None:
        raise changed_meanwhile()
    seen.touch(rollups.after_change(connection, ctx.snapshot, object_name, [record_id]))
    seen.touch(owners_of(connection, ctx.snapshot, object_name, [record_id]))
    return int(deleted.record["version"])


def changed_meanwhile() -> Stale:
    return Stale("one of the records was changed by somebody else just now", fix="load them again")


def move_all(
    ctx: Context, connection: Connection, object_name: str, master: str, losers: Sequence[str], seen: Written
) -> list[Moved]:
    """References of all objects, deleted records' too: they may come back."""
    moved: list[Moved] = []
    for name, reference in referring(ctx.snapshot, object_name):
        if not reference.is_stored:
            continue
        left = MOST - len(moved)
        pointing = rows_merge.pointing(connection, ctx.snapshot, name, reference, object_name, losers, left + 1)
        if len(pointing) > left:
            raise Conflict(
                f"more than {MOST:,} records refer to the ones that would be merged away", code="merge.limit",
                fix="merge into the record that most refer to",
            )  # fmt: skip
        own = {one: value for one, value in pointing if not (name == object_name and one in losers)}
        if not own:
            continue
        new = written(reference, object_name, master)
        place = dict.fromkeys((written(reference, object_name, one) for one in losers), new)
        # What is left of a record that referred to one that goes into it does not refer to itself.
        itself: dict[str, str | None] = dict.fromkeys((*place, new))
        changes = {
            one: (value, replaced(reference, value, itself if (name, one) == (object_name, master) else place))
            for one, value in own.items()
        }
        put_last(ctx, connection, name, reference, list(own), new)
        seen.touch(change(ctx, connection, name, reference, changes, "merge"))
        for one, value in own.items():
            held = [record for target, record in pointed(reference, value) if target == object_name]
            moved.append(Moved(name, reference.name, one, tuple(r for r in held if r in losers), master in held))
    return moved


def put_last(ctx: Context, connection: Connection, child: str, reference: Field, ids: Sequence[str], key: str) -> None:
    """Lines come behind those that the master has already."""
    position = "".join(order_of(ctx, child))
    if not position or not reference.is_master:
        return
    last = rows_lines.last_positions(connection, ctx.snapshot, child, reference.name, position, [key]).get(key, 0)
    held = rows_deletion.stored(connection, ctx.snapshot, child, [reference.name, position], ids)
    ordered = sorted(held, key=lambda one: (held[one][0], held[one][1] is None, held[one][1] or 0, one))
    changes = {one: {position: last + index} for index, one in enumerate(ordered, start=1)}
    rows.change_each(ctx, connection, child, changes)


def change(
    ctx: Context, connection: Connection, object_name: str, reference: Field, changes: Mapping[str, tuple[Any, Any]],
    action: str,
) -> Mapping[str, Iterable[str]]:  # fmt: skip
    try:
        return change_references(ctx, connection, object_name, reference, changes, action)
    except Locked:
        raise
    except Conflict as conflict:
        raise doubled(ctx, object_name, conflict) from conflict


def doubled(ctx: Context, object_name: str, conflict: Conflict) -> Conflict:
    """Two records that were told apart by what they refer to would be the same. Hidden ones are not told of."""
    if not ctx.scope.can("read", object_name):
        message = "records that you may not see would contradict each other"
        return Conflict(message, code="merge.hidden", fix="ask an administrator")
    names = [problem.path for problem in conflict.problems if problem.path]
    quoted = " and ".join(f"'{name}'" for name in names)
    message = f"two records of '{object_name}' would have the same {quoted}"
    problem = InputProblem("", "merge.unique", message, "change or delete one of the two first", (
        ("object", object_name), ("field", names[0] if names else ""),
    ))  # fmt: skip
    return Conflict(message, code=problem.code, fix=problem.fix, problems=[problem])


def told(ctx: Context, moved: Sequence[Moved]) -> dict[tuple[str, str], int]:
    """How many references were moved, of objects and fields that this person may read."""
    return dict(Counter((one.object, one.field) for one in moved if one.field in ctx.scope.readable(one.object)))
