"""Counters of numbered fields. A number is taken in the record's own transaction: none is lost, none comes twice."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.snapshot import Snapshot
from engine.store import system, types
from engine.store.database import Compiled, Connection, compile_sql

__all__ = ["take"]


def take(
    connection: Connection,
    snapshot: Snapshot,
    object_name: str,
    field: str,
    period: str,
    count: int = 1,
    start: int = 1,
) -> int:
    """The first of `count` numbers, from `start`. Others who number the same field wait until this transaction ends."""
    if "counter" not in snapshot.cache:
        snapshot.cache["counter"] = _take_sql(snapshot.dialect)
    compiled: Compiled = snapshot.cache["counter"]
    names = snapshot.physical.names  # physical names: the count goes on after a rename
    values = {
        "_object": names.tables[object_name], "_field": names.columns[object_name][field], "_period": period,
        "_count": count, "_first": start - 1 + count,
    }  # fmt: skip
    last: int = connection.rows(compiled.sql, compiled.bind(values))[0][0]
    return last - count + 1


def _take_sql(dialect: str) -> Compiled:
    table = system.counter
    count = sa.bindparam("_count", type_=types.Integer())
    first = sa.bindparam("_first", type_=types.Integer())
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    values = {name: sa.bindparam(f"_{name}", type_=table.c[name].type) for name in ("object", "field", "period")}
    more = sa.type_coerce(table.c.value, sa.Integer()) + sa.type_coerce(count, sa.Integer())
    statement = insert.values({**values, "value": first}).on_conflict_do_update(
        index_elements=["object", "field", "period"], set_={"value": more}
    )
    return compile_sql(statement.returning(table.c.value), dialect)
