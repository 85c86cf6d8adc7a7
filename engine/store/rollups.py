"""Roll-ups in SQL: what a record's column holds, worked out anew from the records that are rolled up.

All roll-ups over one reference are one statement. It writes only records whose values differ, so that nothing is
touched that stays as it is; and it says which those were.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.formula.fields import lifted
from engine.formula.moments import once
from engine.formula.sql import Formula
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query_conditions import in_list, padded
from engine.store.query_paths import Joins, column_in_subquery
from engine.store.rows import chunks
from engine.store.sqlite_functions import HALF
from metadata.formula import definition_names, parse
from metadata.model import Field

__all__ = ["Group", "differing", "ids_after", "lock", "parents_of", "parents_through", "refresh"]

Column = sa.ColumnElement[Any]
EMPTY_IS_ZERO = ("count", "sum")
NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The roll-ups of one object over one reference to it."""

    parent: str
    child: str
    by: str
    fields: tuple[Field, ...]


def refresh(connection: Connection, snapshot: Snapshot, group: Group, parents: Sequence[str]) -> list[str]:
    """Work the group's roll-ups out anew for these records; those of them that now hold something else."""
    rows = _for_each(connection, snapshot, ("rollup", group), lambda size: _update(snapshot, group, size), parents)
    return [row[0] for row in rows]


def differing(
    connection: Connection, snapshot: Snapshot, group: Group, parents: Sequence[str]
) -> list[tuple[Any, ...]]:
    """(id, then stored and worked-out value of each field) of those of these records where they differ."""
    return _for_each(connection, snapshot, ("rollup differs", group), lambda n: _compare(snapshot, group, n), parents)


def _for_each(
    connection: Connection, snapshot: Snapshot, key: tuple[Any, ...], statement: Callable[[int], sa.Executable],
    ids: Iterable[str],
) -> list[tuple[Any, ...]]:  # fmt: skip
    """The rows of a statement about so many ids, which are bound as _i0, _i1, ..., for all of these."""
    found: list[tuple[Any, ...]] = []
    for chunk in chunks(sorted(ids)):
        wanted = padded(chunk)
        here = (*key, len(wanted))
        if here not in snapshot.cache:
            snapshot.cache[here] = compile_sql(statement(len(wanted)), snapshot.dialect)
        compiled: Compiled = snapshot.cache[here]
        params = {f"_i{index}": one for index, one in enumerate(wanted)}
        settings = {"_fiscal_start": snapshot.definitions.fiscal_year_start}
        found += connection.rows(compiled.sql, compiled.bind({**NOBODY, **settings, **params}))
    return found


def lock(connection: Connection, snapshot: Snapshot, object_name: str, ids: Iterable[str]) -> None:
    """Who else changes what is rolled up into these records waits for this transaction. SQLite has one writer."""

    def statement(size: int) -> sa.Select[Any]:
        table = snapshot.physical.table(object_name)
        # Not FOR UPDATE: who only refers to the record need not wait.
        return (
            sa.select(table.c.id).where(_among(table.c.id, size)).order_by(table.c.id).with_for_update(key_share=True)
        )

    if snapshot.dialect != "sqlite":
        _for_each(connection, snapshot, ("rollup lock", object_name), statement, ids)


def parents_of(connection: Connection, snapshot: Snapshot, group: Group, children: Iterable[str]) -> set[str]:
    """The records into which these children, deleted ones too, are rolled up."""

    def statement(size: int) -> sa.Select[Any]:
        table = snapshot.physical.table(group.child)
        by = table.c[group.by]
        return sa.select(by).distinct().where(_among(table.c.id, size), by.is_not(None))

    key = ("rollup parents", group.child, group.by)
    return {row[0] for row in _for_each(connection, snapshot, key, statement, children)}


def parents_through(
    connection: Connection, snapshot: Snapshot, group: Group, prefix: tuple[str, ...], ids: Iterable[str]
) -> set[str]:
    """The records into which those children are rolled up that refer, by the path `prefix`, to one of `ids`."""

    def statement(size: int) -> sa.Select[Any]:
        joins = Joins(snapshot, group.child, lambda alias, name: [])
        among, by = _among(joins.column(prefix, trusted=True), size), joins.root.c[group.by]
        return sa.select(by).distinct().select_from(joins.source).where(among, by.is_not(None))

    key = ("rollup through", group.child, group.by, prefix)
    return {row[0] for row in _for_each(connection, snapshot, key, statement, ids)}


def _among(column: Column, size: int) -> sa.ColumnElement[bool]:
    return in_list(column, [f"_i{index}" for index in range(size)])


def ids_after(connection: Connection, snapshot: Snapshot, object_name: str, last: str, limit: int) -> list[str]:
    """Ids of an object's records, deleted ones too, in order after `last` ("" from the start)."""
    key = ("rollup ids", object_name)
    if key not in snapshot.cache:
        table = snapshot.physical.table(object_name)
        after = table.c.id > sa.bindparam("_last", type_=types.Id())
        most = sa.bindparam("_limit", type_=types.Integer())
        snapshot.cache[key] = compile_sql(
            sa.select(table.c.id).where(after).order_by(table.c.id).limit(most), snapshot.dialect
        )
    compiled: Compiled = snapshot.cache[key]
    return [row[0] for row in connection.rows(compiled.sql, compiled.bind({"_last": last or NO_ID, "_limit": limit}))]


# Roll-ups depend on no person and no time: the check of definitions sees to it.
NOBODY: dict[str, Any] = {
    "_now": None, "_today": None, "_zone": "UTC", "_actor_id": None, "_actor_username": "", "_roles": [],
    "_departments": [],
}  # fmt: skip


def _update(snapshot: Snapshot, group: Group, size: int) -> sa.Update:
    table, new = snapshot.physical.table(group.parent), _worked_out(snapshot, group, size)
    columns = [(table.c[field.name], new.c[f"v{index}"]) for index, field in enumerate(group.fields)]
    differs = sa.or_(*(old.is_distinct_from(value) for old, value in columns))
    values: dict[Any, Any] = dict(columns)
    return sa.update(table).values(values).where(table.c.id == new.c.id, differs).returning(table.c.id)


def _compare(snapshot: Snapshot, group: Group, size: int) -> sa.Select[Any]:
    table, new = snapshot.physical.table(group.parent), _worked_out(snapshot, group, size)
    columns = [(table.c[field.name], new.c[f"v{index}"]) for index, field in enumerate(group.fields)]
    differs = sa.or_(*(old.is_distinct_from(value) for old, value in columns))
    both = [column for pair in columns for column in pair]
    return sa.select(table.c.id, *both).where(table.c.id == new.c.id, differs)


def _worked_out(snapshot: Snapshot, group: Group, size: int) -> sa.Subquery:
    parent = snapshot.physical.table(group.parent).alias("p")
    child = snapshot.physical.table(group.child).alias("c")
    on = sa.and_(child.c[group.by] == parent.c.id, child.c.deleted_at.is_(None))
    values = [_value(snapshot, group, child, field).label(f"v{i}") for i, field in enumerate(group.fields)]
    among = _among(parent.c.id, size)
    return (
        sa.select(parent.c.id, *values)
        .select_from(parent.outerjoin(child, on)).where(among).group_by(parent.c.id).subquery("n")
    )  # fmt: skip


def _value(snapshot: Snapshot, group: Group, child: sa.FromClause, field: Field) -> Column:
    column = column_in_subquery(snapshot, child, group.child)
    counts: Column = child.c.id.is_not(None)
    if field.filter:
        names = definition_names(snapshot.definitions.objects, group.child)
        node = parse(field.filter, names, functions=snapshot.plugins.functions)
        made = lifted(snapshot, group.child, node)
        formula = Formula(snapshot.dialect, snapshot.plugins.functions, column, made.values)
        counts = sa.and_(counts, formula.where(made.node))
    measured = column(tuple(field.measured.split("."))) if field.measured else child.c.id
    stored = snapshot.physical.type_of(field)
    return sa.type_coerce(_aggregate(snapshot.dialect, field, measured, stored, counts), stored)


def _aggregate(
    dialect: str, field: Field, measured: Column, stored: sa.types.TypeEngine[Any], counts: Column
) -> Column:
    source = measured.type
    if field.operation == "count":
        return sa.func.count(measured).filter(counts)
    if not isinstance(source, types.Decimal | types.Integer):
        return getattr(sa.func, field.operation)(measured, type_=stored).filter(counts)  # type: ignore[no-any-return]
    scales = [kind.scale if isinstance(kind, types.Decimal) else 0 for kind in (source, stored)]
    if dialect == "sqlite":
        return _sqlite_number(field.operation, sa.type_coerce(measured, sa.Integer()), scales[1] - scales[0], counts)
    return _postgres_number(field.operation, sa.type_coerce(measured, sa.Numeric()), scales[1], stored, counts)


def _sqlite_number(operation: str, whole: Column, shift: int, counts: Column) -> Column:
    """Sums of the upper and the lower halves do not overflow; the rest is Python's."""
    upper = whole.bitwise_rshift(sa.literal_column(str(HALF)))
    lower = whole.bitwise_and(sa.literal_column(str((1 << HALF) - 1)))
    if operation in ("min", "max"):
        found = getattr(sa.func, operation)(whole, type_=sa.Integer()).filter(counts)
        if shift == 0:
            return found  # type: ignore[no-any-return]
        return sa.func.fs_rolled(sa.literal_column("0"), found, sa.literal_column("1"), sa.literal_column(str(shift)))
    zero: Column = sa.literal_column("0")
    one: Column = sa.literal_column("1")
    sums = [sa.func.sum(half).filter(counts) for half in (upper, lower)]
    if operation == "sum":
        return sa.func.fs_rolled(*(sa.func.coalesce(half, zero) for half in sums), one, sa.literal_column(str(shift)))
    return sa.func.fs_rolled(*sums, sa.func.count(whole).filter(counts), sa.literal_column(str(shift)))


def _postgres_number(
    operation: str, number: Column, scale: int, stored: sa.types.TypeEngine[Any], counts: Column
) -> Column:
    digits = sa.literal_column(str(scale), sa.Integer())
    if operation == "average":
        # Halves away from zero, from whole numbers: a quotient of PostgreSQL's may be rounded already.
        unit = sa.cast(sa.literal_column(f"1e{scale}"), sa.Numeric())
        total: Column = sa.func.sum(number).filter(counts)
        count = sa.cast(sa.func.count(number).filter(counts), sa.Numeric())
        twice = sa.literal_column("2", sa.Numeric())
        found: Column = (
            sa.func.sign(total)
            * sa.func.div(
                sa.func.abs(total) * twice * unit + count, sa.func.nullif(count * twice, sa.literal_column("0"))
            )
            / unit
        )
    else:
        found = getattr(sa.func, operation)(number).filter(counts)
        if operation == "sum":
            found = sa.func.coalesce(found, sa.literal_column("0", sa.Numeric()))
    bound = sa.literal_column(f"1e{types.SQLITE_DIGITS - scale}", sa.Numeric())
    kind: Any = sa.BigInteger() if isinstance(stored, types.Integer) else sa.Numeric()
    build: Callable[[Any], Any] = lambda value: sa.case((sa.func.abs(value) < bound, sa.cast(value, kind)))  # noqa: E731
    return once(build, sa.func.round(found, digits, type_=sa.Numeric()))
