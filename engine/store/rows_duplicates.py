"""Keys under which records are found that may be the same thing: written beside the records, and looked up by index.

Keys of deleted records stay: a look-up passes over them, and a record that is restored is found again.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import system, types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import rule_on
from engine.store.query_conditions import in_list, padded
from engine.store.query_rows import loaders
from engine.store.rows import chunks, may_flag
from metadata.formula import Node

__all__ = ["Found", "Search", "drop", "find", "lock", "put", "stored"]

KEPT = system.duplicate_key.c
PER_KEY = 100  # records that one key gives: the newest
MOST_KEYS = 64  # of one statement


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked of the records of one object beside their keys; the same for all look-ups of a version."""

    conditions: tuple[tuple[str, Node], ...]  # (id of a rule, what a record must meet to count under it)
    free: frozenset[str]  # rules that take records which meet none of their conditions, too
    fields: tuple[str, ...]  # whose values come along


@dataclass(frozen=True, slots=True)
class Found:
    """A living record that is kept under a key."""

    key: str
    rule: str
    record: str
    is_visible: bool  # to the person who acts
    meets: tuple[bool, ...]  # each of the conditions
    values: Mapping[str, Any]


def put(connection: Connection, snapshot: Snapshot, rows: Iterable[tuple[str, str, str, str]]) -> None:
    """(key, record, rule, object) each."""
    compiled = _compiled(snapshot, "duplicate insert", _insert)
    tables = snapshot.physical.names.tables
    bound = [
        compiled.bind({"_key": key, "_record": record, "_rule": rule, "_object": tables[name]})
        for key, record, rule, name in rows
    ]
    if len(bound) == 1:
        connection.run(compiled.sql, bound[0])
    elif bound:
        connection.run_many(compiled.sql, bound)


def _insert() -> sa.Insert:
    values = {column: sa.bindparam(f"_{column.name}", type_=column.type) for column in KEPT}
    return sa.insert(system.duplicate_key).values(values)


def drop(connection: Connection, snapshot: Snapshot, records: Sequence[str], rules: Iterable[str]) -> None:
    """The keys of some records under some rules."""
    compiled = _compiled(snapshot, "duplicate delete", _delete)
    bound = [compiled.bind({"_record": record, "_rule": rule}) for rule in set(rules) for record in records]
    if len(bound) == 1:
        connection.run(compiled.sql, bound[0])
    elif bound:
        connection.run_many(compiled.sql, bound)


def _delete() -> sa.Delete:
    record, rule = (sa.bindparam(f"_{column.name}", type_=column.type) for column in (KEPT.record, KEPT.rule))
    return sa.delete(system.duplicate_key).where(KEPT.record == record, KEPT.rule == rule)


def lock(connection: Connection, keys: Iterable[str]) -> None:
    """On PostgreSQL: whoever looks for one of these keys waits until this transaction ends, and then finds its rows.

    In one order, so that two who want several do not wait for each other. SQLite has one writer at a time anyway.
    """
    if wanted := sorted(keys):
        sql = "SELECT pg_advisory_xact_lock(hashtextextended(k, 1)) FROM unnest(%s::text[]) AS k"
        connection.rows(sql, (wanted,))


def find(
    ctx: Context, connection: Connection, object_name: str, keys: Iterable[str], search: Search, own: Container[str]
) -> list[Found]:
    """Records under these keys. One statement for 64 keys; each key is looked up in an index.

    `own`: keys under which the records are kept that others are looked for. Where nothing else is kept, which is the
    rule in a load, a key is not looked at further.
    """
    connection.need(ctx.tenant.database)
    found: list[Found] = []
    wanted = list(_kept_by_others(connection, ctx.snapshot, sorted(keys), own))
    for start in range(0, len(wanted), MOST_KEYS):
        part = wanted[start : start + MOST_KEYS]
        size = len(padded(part))
        compiled = _find_sql(ctx, object_name, size, search)
        part += [""] * (size - len(part))  # finds nothing; a key that stands twice would find everything twice
        params = {**actor_params(ctx), **{f"_k{index}": key for index, key in enumerate(part)}}
        found += _read(ctx.snapshot, object_name, connection.rows(compiled.sql, compiled.bind(params)), search)
    return found


def _kept_by_others(
    connection: Connection, snapshot: Snapshot, keys: Sequence[str], own: Container[str]
) -> Iterator[str]:
    for chunk in chunks(keys):
        wanted = padded(chunk)

        def statement(size: int = len(wanted)) -> sa.Select[Any]:
            among = in_list(KEPT.key, [f"_k{index}" for index in range(size)])
            count: sa.ColumnElement[int] = sa.func.count()
            return sa.select(KEPT.key, count).where(among).group_by(KEPT.key)

        compiled = _compiled(snapshot, ("duplicate kept", len(wanted)), statement)
        params = {f"_k{index}": one for index, one in enumerate(wanted)}
        for key, count in connection.rows(compiled.sql, compiled.bind(params)):
            if count > 1 or key not in own:
                yield key


def _find_sql(ctx: Context, object_name: str, size: int, search: Search) -> Compiled:
    def statement() -> sa.Executable:
        parts = [_one_key(ctx, object_name, f"_k{index}", search).subquery(f"p{index}") for index in range(size)]
        return sa.union_all(*map(sa.select, parts)) if size > 1 else sa.select(parts[0])

    return _compiled(ctx.snapshot, ("duplicate find", ctx.scope.key, object_name, size), statement)


def _one_key(ctx: Context, object_name: str, key: str, search: Search) -> sa.Select[Any]:
    kept, table = system.duplicate_key.alias("k"), ctx.snapshot.physical.table(object_name).alias("t")
    met = [(rule, rule_on(ctx.snapshot, table, object_name, [node])) for rule, node in search.conditions]
    where = [kept.c.key == sa.bindparam(key, type_=types.Text()), table.c.deleted_at.is_(None)]
    for rule in dict.fromkeys(rule for rule, _ in met):
        if rule not in search.free:
            where.append(sa.or_(kept.c.rule != rule, *(condition for of, condition in met if of == rule)))
    one: sa.ColumnElement[int] = sa.literal_column("1")
    zero: sa.ColumnElement[int] = sa.literal_column("0")
    columns: list[Any] = [kept.c.key, kept.c.rule, kept.c.record, may_flag(ctx, table, object_name, "read")]
    columns += [sa.case((condition, one), else_=zero).label(f"m{i}") for i, (_, condition) in enumerate(met)]
    columns += [table.c[name].label(f"f{i}") for i, name in enumerate(search.fields)]
    chosen = sa.select(*columns).select_from(kept.join(table, table.c.id == kept.c.record)).where(*where)
    return chosen.order_by(kept.c.record.desc()).limit(sa.literal_column(str(PER_KEY)))


def _read(snapshot: Snapshot, object_name: str, rows: Iterable[tuple[Any, ...]], search: Search) -> Iterator[Found]:
    start = 4 + len(search.conditions)
    load = _loader(snapshot, object_name, search.fields)
    for row in rows:
        meets = tuple(flag == 1 for flag in row[4:start])
        yield Found(row[0], row[1], row[2], row[3] == 1, meets, load(row[start:]))


def stored(
    connection: Connection, snapshot: Snapshot, object_name: str, fields: Sequence[str], ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """id -> stored values of some fields, in the trash or not."""
    found: dict[str, dict[str, Any]] = {}
    load = _loader(snapshot, object_name, fields)
    for chunk in chunks(ids):
        wanted = padded(chunk)

        def statement(size: int = len(wanted)) -> sa.Select[Any]:
            table = snapshot.physical.table(object_name)
            among = in_list(table.c.id, [f"_i{index}" for index in range(size)])
            return sa.select(table.c.id, *(table.c[name] for name in fields)).where(among)

        compiled = _compiled(snapshot, ("duplicate values", object_name, tuple(fields), len(wanted)), statement)
        params = {f"_i{index}": one for index, one in enumerate(wanted)}
        found.update({row[0]: load(row[1:]) for row in connection.rows(compiled.sql, compiled.bind(params))})
    return found


def _loader(snapshot: Snapshot, object_name: str, fields: Sequence[str]) -> Callable[[Sequence[Any]], dict[str, Any]]:
    column_types = [snapshot.physical.column(object_name, name).type for name in fields]
    python = loaders(column_types, snapshot.dialect, "loader")

    def load(row: Sequence[Any]) -> dict[str, Any]:
        values = dict(zip(fields, row, strict=True))
        for place, convert in python:
            if row[place] is not None:
                values[fields[place]] = convert(row[place])
        return values

    return load


def _compiled(snapshot: Snapshot, key: object, statement: Callable[[], sa.Executable]) -> Compiled:
    if key not in snapshot.cache:
        snapshot.cache[key] = compile_sql(statement(), snapshot.dialect)
    compiled: Compiled = snapshot.cache[key]
    return compiled
