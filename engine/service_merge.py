"""Make one record of two or three: values chosen field by field, references moved, the others into the trash."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine.context import Context
from engine.errors import Conflict, InputProblem, Stale
from engine.rules import duplicates, rollups
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import Rules, rules_of
from engine.service_answers import Merged
from engine.service_deletion import NO_CHANGES, referring
from engine.service_writes import answer, changes_of, may_not, need, not_found, refuse, stale, write_change
from engine.store import rows, rows_deletion, rows_history, rows_merge
from engine.store.database import Connection
from engine.store.rows import Current
from engine.store.rows_deletion import Taken
from engine.store.rows_merge import Moved
from metadata.model import Field
from metadata.problem import nearest

__all__ = ["MOST", "changed_meanwhile", "merge", "move", "told"]

MOST = 10_000  # references that one merge may move

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
        chosen = chosen_values(rules, currents, master, values)
        # Away first: what is unique to them is free for the master then.
        gone = {one: delete(ctx, connection, object_name, one, currents[one]) for one in others}
        written = write_change(ctx, connection, object_name, currents[master], chosen, "merge", others)
        if written is None:
            raise changed_meanwhile()
        moved = move_all(ctx, connection, object_name, master, others)
        for one, version in gone.items():
            rows_deletion.write(ctx, connection, one, [Taken(object_name, one)])
            rows_history.write(ctx, connection, object_name, [(one, version, "merge", NO_CHANGES)], into=master)
        before = changes_of(rules, currents[master].stored(list(chosen)), chosen)
        rows_merge.write(ctx, connection, object_name, master, others, before, moved)
        found = rows.current(ctx, connection, object_name, master, "update")
        record = answer(ctx, connection, object_name, found.record() if found else written.record, found is not None)
    return Merged(record, tuple(others), told(ctx, moved))


def wrong(
    ctx: Context, rules: Rules, master: str, others: Sequence[str], values: Mapping[str, str], if_versions: Versions
) -> list[InputProblem]:
    ids = (master, *others)
    problems: list[InputProblem] = []
    if not 1 <= len(others) <= 2 or len(set(ids)) < len(ids):
        message = "others names one or two records, each once, and not the one that is kept"
        problems.append(InputProblem("others", "merge.others", message))
    readable = ctx.scope.readable(rules.object)
    for name, source in values.items():
        rule = rules.fields.get(name) if name in readable else None
        path = f"values.{name}"
        if rule is None:
            guess = nearest(name, [one for one in rules.fields if one in readable])
            message = f"no field '{name}' in '{rules.object}'"
            quoted = (("name", name), ("object", rules.object))
            problems.append(InputProblem(path, "field.unknown", message, f"write '{guess}'?" if guess else "", quoted))
        elif rule.field.is_read_only or rule.type.is_computed:
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
    rules: Rules, currents: Mapping[str, Current], master: str, values: Mapping[str, str]
) -> dict[str, Any]:
    """Stored values that the master takes over, where they are others than its own."""
    chosen: dict[str, Any] = {}
    for name, source in values.items():
        own, value = currents[master].stored([name])[name], currents[source].stored([name])[name]
        if rules.fields[name].field.target == rules.object and value in currents:
            value = None  # of two that refer to each other one is left, which does not refer to itself
        if value != own:
            chosen[name] = value
    missing = [name for name in rules.required if name in chosen and chosen[name] is None]
    message = "'{}' must have a value"
    refuse([
        InputProblem(f"values.{name}", "value.required", message.format(name), "take another", (("name", name),))
        for name in missing
    ])  # fmt: skip
    return chosen


def delete(ctx: Context, connection: Connection, object_name: str, record_id: str, found: Current) -> int:
    """Into the trash alone: what refers to it is moved. The row's new version."""
    marked = {"deleted_at": ctx.now}
    written = rows.change(ctx, connection, object_name, record_id, found.version, marked, "delete")
    if written is None:
        raise changed_meanwhile()
    rollups.after_change(connection, ctx.snapshot, object_name, [record_id])
    return int(written.record["version"])


def changed_meanwhile() -> Stale:
    return Stale("one of the records was changed by somebody else just now", fix="load them again")


def move_all(ctx: Context, connection: Connection, object_name: str, master: str, losers: Sequence[str]) -> list[Moved]:
    """References of all objects, deleted records' too: they may come back."""
    moved: list[Moved] = []
    for name, reference in referring(ctx.snapshot, object_name):
        left = MOST - len(moved)
        pointing = rows_merge.pointing(connection, ctx.snapshot, name, reference.name, losers, left + 1)
        if len(pointing) > left:
            raise Conflict(
                f"more than {MOST:,} records refer to the ones that would be merged away", code="merge.limit",
                fix="merge into the record that most refer to",
            )  # fmt: skip
        own = [(one, old) for one, old in pointing if not (name == object_name and one in losers)]
        move(ctx, connection, name, reference, dict(own), master, "merge")
        moved += [Moved(name, reference.name, one, old) for one, old in own]
    return moved


def move(
    ctx: Context, connection: Connection, object_name: str, reference: Field, olds: Mapping[str, str], new: str,
    action: str,
) -> None:  # fmt: skip
    """Set the reference of these records (id -> what they refer to now); one that would refer to itself is emptied."""
    for value, ids in ((new, [one for one in olds if one != new]), (None, [one for one in olds if one == new])):
        if not ids:
            continue
        try:
            with as_conflicts(ctx.snapshot, object_name):
                versions = rows.change_many(ctx, connection, object_name, ids, {reference.name: value})
        except Conflict as conflict:
            raise doubled(ctx, object_name, conflict) from conflict
        former = {reference.name: [olds[one] for one in ids]}
        rollups.after_change(connection, ctx.snapshot, object_name, ids, [reference.name], former)
        duplicates.renew_stored(ctx, connection, object_name, ids, [reference.name])
        entries = [(one, version, action, {reference.name: (olds[one], value)}) for one, version in versions.items()]
        rows_history.write(ctx, connection, object_name, entries)


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
