"""The lines of one record, as they are before they are written."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import Builder
from engine.store.query_conditions import in_list, padded
from engine.store.rows import Current, chunks, columns_of, kept, shape_of
from metadata.model import Field

__all__ = ["last_positions", "lines"]


def lines(
    ctx: Context, connection: Connection, child: str, by: Field, key: str, order: tuple[str, ...], most: int,
    is_locked: bool,
) -> list[Current]:  # fmt: skip
    """Those that this person may read, in order, whose field `by` holds `key`; others wait for these if `is_locked`."""
    connection.need(ctx.tenant.database)
    place = ("lines", ctx.scope.key, child, by.name, order, is_locked)
    compiled = kept(ctx.snapshot).get(place)
    if compiled is None:
        builder = Builder(ctx.snapshot, ctx.scope, child)
        root = builder.joins.root
        columns: list[Any] = [root.c[name] for name in columns_of(ctx.snapshot, child)]
        where = [*builder.visible(in_trash=False), root.c[by.name] == sa.bindparam("_key", type_=root.c[by.name].type)]
        sorting = [root.c[name].nulls_last() for name in order]
        statement = sa.select(*columns).select_from(builder.joins.source).where(*where)
        statement = statement.order_by(*sorting, root.c.id).limit(sa.bindparam("_most", type_=types.Integer()))
        if is_locked and ctx.snapshot.dialect == "postgresql":
            statement = statement.with_for_update(of=root)
        compiled = kept(ctx.snapshot).put(place, compile_sql(statement, ctx.snapshot.dialect))
    shape = shape_of(ctx.snapshot, child)
    found = connection.rows(compiled.sql, compiled.bind({**actor_params(ctx), "_key": key, "_most": most}))
    return [Current(row, shape, True) for row in found]


def last_positions(
    connection: Connection, snapshot: Snapshot, child: str, by: str, position: str, keys: Sequence[str]
) -> dict[str, int]:
    """By what the field `by` holds: the last position among these lines; nothing where there is none."""
    found: dict[str, int] = {}
    for chunk in chunks(keys):
        wanted = padded(chunk)
        place = ("last positions", child, by, position, len(wanted))
        compiled = kept(snapshot).get(place)
        if compiled is None:
            table = snapshot.physical.table(child)
            among = in_list(table.c[by], [f"_k{index}" for index in range(len(wanted))])
            statement = sa.select(table.c[by], sa.func.max(table.c[position])).where(
                among, table.c.deleted_at.is_(None), table.c[position].is_not(None)
            )
            compiled = kept(snapshot).put(place, compile_sql(statement.group_by(table.c[by]), snapshot.dialect))
        params = {f"_k{index}": one for index, one in enumerate(wanted)}
        found |= {key: int(last) for key, last in connection.rows(compiled.sql, compiled.bind(params))}
    return found
