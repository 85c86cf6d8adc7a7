"""Whether what new values refer to, records and files, exists and is visible to the person who refers to it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import InputProblem
from engine.rules.attachments import settle
from engine.rules.rollups import is_rolled_up
from engine.rules.values import Rules
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import Builder
from engine.store.query_conditions import in_list, padded
from engine.store.references import pointed
from engine.store.rows import chunks
from metadata.model import SYSTEM_FIELDS, Field

__all__ = ["missing_targets"]

PERSON, ACTIVE = SYSTEM_FIELDS["owner"].target, "is_active"
NOBODY: Mapping[str, bool] = {}


def missing_targets(
    ctx: Context, connection: Connection, rules: Rules, rows: Sequence[dict[str, Any]],
    befores: Sequence[Mapping[str, Any] | None],
) -> list[tuple[int, InputProblem]]:  # fmt: skip
    """(index of the row, problem) of each reference that leads nowhere, or anew to somebody who is not active: one
    statement per object referred to. `befores`: what the records held.

    Files get what is known of them into the rows.
    """
    problems = settle(ctx, connection, rules.attaching, rows) if rules.attaching else []
    wanted: dict[str, set[str]] = {}
    for field in rules.references:
        for row in rows:
            for target, one in pointed(field, row.get(field.name)):
                if not _is_self(ctx, field.name, one):
                    wanted.setdefault(target, set()).add(one)
    if not wanted:
        return problems
    found = {
        target: _visible(ctx, connection, target, sorted(ids), is_rolled_up(ctx.snapshot, rules.object, target))
        for target, ids in wanted.items()
    }
    for index, row in enumerate(rows):
        for field in rules.references:
            name = field.name
            for target, one in pointed(field, row.get(name)):
                if _is_self(ctx, name, one):
                    continue
                is_active = found.get(target, NOBODY).get(one)
                if is_active is None:
                    kind = target if ctx.told.scope.can("read", target) else "record"
                    message = f"'{name}': no {kind} has the id '{one}'"
                    values = (("id", one),)
                    problems.append((index, InputProblem(name, "reference.unknown", message, "choose another", values)))
                elif not is_active and not _was_there(field, befores[index], target, one):
                    message = f"'{name}': this {target} is not active any more"
                    problem = InputProblem(name, "reference.inactive", message, "choose another", (("id", one),))
                    problems.append((index, problem))
    return problems


def _was_there(field: Field, before: Mapping[str, Any] | None, target: str, record_id: str) -> bool:
    """What refers to somebody who leaves may go on doing so."""
    return before is not None and (target, record_id) in pointed(field, before.get(field.name))


def _is_self(ctx: Context, name: str, value: str) -> bool:
    """Who acts exists: every write names them as owner, so this spares a statement."""
    return name == "owner" and value == ctx.actor.id


def _visible(
    ctx: Context, connection: Connection, target: str, ids: Sequence[str], will_change: bool = False
) -> dict[str, bool]:
    """Those that this person may see; of people, whether they are active. The system itself may name anybody."""
    if not ctx.scope.can("read", target):
        return {}
    return {
        one: is_active is None or bool(is_active) or ctx.actor.is_system
        for chunk in chunks(ids) for one, is_active in _among(ctx, connection, target, padded(chunk), will_change)
    }  # fmt: skip


def _among(
    ctx: Context, connection: Connection, target: str, ids: Sequence[str], will_change: bool
) -> Iterable[tuple[str, Any]]:
    key = ("targets", ctx.scope.key, target, len(ids), will_change)
    if key not in ctx.snapshot.cache:
        builder = Builder(ctx.snapshot, ctx.scope, target)
        root = builder.joins.root
        where = [*builder.visible(in_trash=False), in_list(root.c.id, [f"_i{index}" for index in range(len(ids))])]
        is_active = root.c[ACTIVE] if target == PERSON else sa.null()
        statement = sa.select(root.c.id, is_active).select_from(builder.joins.source).where(*where)
        if ctx.snapshot.dialect == "postgresql":
            # Whoever deletes one of them waits until this transaction ends, and then sees the record that refers to it.
            # Of two who share a record and then both change its roll-ups, neither could go on: they take turns at once.
            lock: dict[str, Any] = {"key_share": True} if will_change else {"read": True}
            statement = statement.order_by(root.c.id).with_for_update(of=root, **lock)
        ctx.snapshot.cache[key] = compile_sql(statement, ctx.snapshot.dialect)
    compiled: Compiled = ctx.snapshot.cache[key]
    params = {**actor_params(ctx), **{f"_i{index}": one for index, one in enumerate(ids)}}
    return [(row[0], row[1]) for row in connection.rows(compiled.sql, compiled.bind(params))]
