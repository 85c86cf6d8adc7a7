"""Whose turn it is: each in their order, counted by the tenant."""

from collections.abc import Sequence
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.store import system_runs, types
from engine.store.database import Compiled, Connection, compile_sql

__all__ = ["next_turn"]


def next_turn(connection: Connection, key: str, among: Sequence[str]) -> str:
    """The one after whoever had the last turn of that key, in the order of `among`; the first where nobody had, or
    who had is not among them any more. Others who ask wait until this transaction ends. "" where there is nobody."""
    if not among:
        return ""
    read, write = _read(connection.dialect), _write(connection.dialect)
    connection.rows(write[0].sql, write[0].bind({"_key": key}))
    last = connection.rows(read.sql, read.bind({"_key": key}))[0][0]
    place = among.index(last) + 1 if last in among else 0
    chosen = among[place % len(among)]
    connection.run(write[1].sql, write[1].bind({"_key": key, "_last": chosen}))
    return chosen


@cache
def _read(dialect: str) -> Compiled:
    table = system_runs.turn
    return compile_sql(sa.select(table.c.last).where(table.c.key == sa.bindparam("_key", type_=types.Text())), dialect)


@cache
def _write(dialect: str) -> tuple[Compiled, Compiled]:
    """To make sure of the row, which locks it; to say who had it."""
    table = system_runs.turn
    key = sa.bindparam("_key", type_=types.Text())
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    made = insert.values(key=key, last="").on_conflict_do_update(index_elements=["key"], set_={"last": table.c.last})
    taken = sa.update(table).where(table.c.key == key).values(last=sa.bindparam("_last", type_=types.Text()))
    return compile_sql(made.returning(table.c.key), dialect), compile_sql(taken, dialect)
