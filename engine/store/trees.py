"""Where records stand in their tree: how many are above each, how many levels below."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.snapshot import Snapshot
from engine.store.database import Connection, compile_sql
from engine.store.query_conditions import in_list, padded
from engine.store.rows import chunks, kept

__all__ = ["LEVELS", "heights", "lock", "ways_up"]

LEVELS = 50  # of a tree
FURTHER = LEVELS + 1  # as far as is looked


def lock(connection: Connection, snapshot: Snapshot, object_name: str, schema: str) -> None:
    """Whoever moves records of this tree takes turns: two moves that are each right can make a circle together."""
    if snapshot.dialect == "postgresql":
        name = f"fieldstone tree {schema} {snapshot.physical.names.tables[object_name]}"
        connection.rows("SELECT 1 FROM pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))


def ways_up(
    connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str]
) -> dict[str, tuple[int, bool]]:
    """By id: how many records are above it (counted no further than a tree is deep), and whether it is one of them."""
    return {row[0]: (row[1], bool(row[2])) for row in _walk(connection, snapshot, object_name, ids, is_up=True)}


def heights(connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str]) -> dict[str, int]:
    """By id: how many levels are below it."""
    return {row[0]: row[1] for row in _walk(connection, snapshot, object_name, ids, is_up=False)}


def _walk(
    connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str], is_up: bool
) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for chunk in chunks(ids):
        wanted = padded(chunk)
        key = ("tree", object_name, is_up, len(wanted))
        compiled = kept(snapshot).get(key)
        if compiled is None:
            compiled = kept(snapshot).put(
                key, compile_sql(_walk_sql(snapshot, object_name, len(wanted), is_up), snapshot.dialect)
            )
        found += connection.rows(compiled.sql, compiled.bind({f"_i{index}": one for index, one in enumerate(wanted)}))
    return found


def _walk_sql(snapshot: Snapshot, object_name: str, size: int, is_up: bool) -> sa.Select[Any]:
    by = snapshot.definitions.objects[object_name].tree
    table = snapshot.physical.table(object_name)
    first, other = table.alias("a"), table.alias("b")
    among = in_list(first.c.id, [f"_i{index}" for index in range(size)])
    one = sa.literal_column("1", sa.Integer())
    most = sa.literal_column(str(FURTHER), sa.Integer())
    if is_up:
        start = sa.select(first.c.id.label("start"), first.c[by].label("id"), one.label("level"))
        walk = start.where(among, first.c[by].is_not(None)).cte("walk", recursive=True)
        next_ = sa.select(walk.c.start, other.c[by], walk.c.level + one).where(
            other.c.id == walk.c.id, other.c[by].is_not(None), walk.c.id != walk.c.start, walk.c.level < most
        )
    else:
        second = table.alias("c")
        start = sa.select(first.c.id.label("start"), second.c.id.label("id"), one.label("level"))
        start = start.where(among, second.c[by] == first.c.id, second.c.deleted_at.is_(None))
        walk = start.cte("walk", recursive=True)
        next_ = sa.select(walk.c.start, other.c.id, walk.c.level + one).where(
            other.c[by] == walk.c.id, other.c.deleted_at.is_(None), walk.c.level < most
        )
    walk = walk.union_all(next_)
    is_itself = sa.case((walk.c.id == walk.c.start, one), else_=sa.literal_column("0", sa.Integer()))
    columns = (walk.c.start, sa.func.max(walk.c.level), sa.func.max(is_itself))
    return sa.select(*columns).group_by(walk.c.start)
