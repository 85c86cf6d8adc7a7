"""Whether what new values refer to, records and files, exists and is visible to the person who refers to it."""

from collections.abc import Iterable, Sequence
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

__all__ = ["missing_targets"]


def missing_targets(
    ctx: Context, connection: Connection, rules: Rules, rows: Sequence[dict[str, Any]]
) -> list[tuple[int, InputProblem]]:
    """(index of the row, problem) of each reference that leads nowhere: one statement per object referred to.

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
                if one not in found.get(target, ()) and not _is_self(ctx, name, one):
                    message = f"'{name}': no {target} has the id '{one}'"
                    values = (("id", one),)
                    problems.append((index, InputProblem(name, "reference.unknown", message, "choose another", values)))
    return problems


def _is_self(ctx: Context, name: str, value: str) -> bool:
    """Who acts exists: every write names them as owner, so this spares a statement."""
    return name == "owner" and value == ctx.actor.id


def _visible(
    ctx: Context, connection: Connection, target: str, ids: Sequence[str], will_change: bool = False
) -> set[str]:
    if not ctx.scope.can("read", target):
        return set()
    return {one for chunk in chunks(ids) for one in _among(ctx, connection, target, padded(chunk), will_change)}


def _among(ctx: Context, connection: Connection, target: str, ids: Sequence[str], will_change: bool) -> Iterable[str]:
    key = ("targets", ctx.scope.key, target, len(ids), will_change)
    if key not in ctx.snapshot.cache:
        builder = Builder(ctx.snapshot, ctx.scope, target)
        root = builder.joins.root
        where = [*builder.visible(in_trash=False), in_list(root.c.id, [f"_i{index}" for index in range(len(ids))])]
        statement = sa.select(root.c.id).select_from(builder.joins.source).where(*where)
        if ctx.snapshot.dialect == "postgresql":
            # Whoever deletes one of them waits until this transaction ends, and then sees the record that refers to it.
            # Of two who share a record and then both change its roll-ups, neither could go on: they take turns at once.
            lock: dict[str, Any] = {"key_share": True} if will_change else {"read": True}
            statement = statement.order_by(root.c.id).with_for_update(of=root, **lock)
        ctx.snapshot.cache[key] = compile_sql(statement, ctx.snapshot.dialect)
    compiled: Compiled = ctx.snapshot.cache[key]
    params = {**actor_params(ctx), **{f"_i{index}": one for index, one in enumerate(ids)}}
    return [row[0] for row in connection.rows(compiled.sql, compiled.bind(params))]
