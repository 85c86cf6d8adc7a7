"""Records that belong to another one: each has one master or all of several, and whoever owns the first owns it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from engine.context import Context
from engine.errors import InputProblem
from engine.rules import rollups
from engine.rules.values import Rules
from engine.store import rollups as store
from engine.store import rows, rows_deletion
from engine.store.database import Connection
from engine.store.references import pointed

__all__ = ["belongs_to_all", "give_owner", "lock_masters", "masters_wrong", "may_join"]


def masters_wrong(rules: Rules, values: Mapping[str, Any]) -> Iterator[InputProblem]:
    """Of several masters one is filled. `values` holds all of them; that a required one is filled is another rule."""
    if len(rules.masters) < 2 or belongs_to_all(rules):
        return
    filled = [name for name in rules.masters if values.get(name) is not None]
    if len(filled) == 1:
        return
    names = ", ".join(f"'{name}'" for name in rules.masters)
    message = f"it belongs to one of {names}, not to {'none' if not filled else len(filled)}"
    fix = "fill one of them" if not filled else "leave the others blank"
    yield InputProblem((filled or rules.masters)[-1], "reference.master.one", message, fix, (("names", names),))


def belongs_to_all(rules: Rules) -> bool:
    return len(rules.masters) > 1 and all(rules.fields[name].field.is_required for name in rules.masters)


def may_join(
    ctx: Context, connection: Connection, rules: Rules, rows_: Sequence[Mapping[str, Any]], known: Collection[str]
) -> bool:  # fmt: skip
    """Whether new records may be added to those of their masters that are not among the references in `known`."""
    wanted: dict[str, set[str]] = {}
    for name in rules.masters:
        for row in rows_ if name not in known else ():
            for target, one in pointed(rules.fields[name].field, row.get(name)):
                wanted.setdefault(target, set()).add(one)
    return all(
        ctx.scope.can("update", target) and not rows.failing(ctx, connection, target, sorted(ids), "update")
        for target, ids in wanted.items()
    )


def give_owner(ctx: Context, connection: Connection, rules: Rules, new: Sequence[dict[str, Any]]) -> None:
    """New records without an owner get their first master's; one statement for each object of masters."""
    if not rules.masters:
        return
    wanted: dict[str, set[str]] = {}
    masters: list[tuple[dict[str, Any], str]] = []
    for row in new:
        if "owner" in row:
            continue
        row["owner"] = ctx.actor.id or None
        for name in rules.masters:
            for target, one in pointed(rules.fields[name].field, row.get(name)):
                wanted.setdefault(target, set()).add(one)
                masters.append((row, one))
    owners: dict[str, Any] = {}
    for target, ids in wanted.items():
        found = rows_deletion.stored(connection, ctx.snapshot, target, ["owner"], sorted(ids))
        owners |= {one: values[0] for one, values in found.items()}
    for row, master in reversed(masters):  # so that the first has the last word
        row["owner"] = owners.get(master) or row["owner"]


def lock_masters(ctx: Context, connection: Connection, rules: Rules, current: rows.Current) -> None:
    """Whoever changes a master with its lines takes the master first: who changes a line and then the master's roll-ups
    takes them in the same order, so that neither waits for the other for ever. SQLite has one writer."""
    if not rules.masters or ctx.snapshot.dialect == "sqlite":
        return
    for name, value in current.stored(rules.masters).items():
        for target, one in pointed(rules.fields[name].field, value):
            if rollups.is_rolled_up(ctx.snapshot, rules.object, target):
                store.lock(connection, ctx.snapshot, target, [one])
