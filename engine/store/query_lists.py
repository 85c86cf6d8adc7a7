"""Records that refer to some others, such as their lines: one statement for all of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.store import types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import Builder
from engine.store.query_cache import Kept
from engine.store.query_conditions import in_list, padded
from engine.store.query_paths import need_path
from engine.store.query_rows import RowReader
from engine.store.references import id_in, written
from engine.store.rows import chunks
from metadata.model import Field

__all__ = ["Listed", "records_of"]

LISTS = "lists"


@dataclass(slots=True)
class Listed:
    """The records that refer to one record."""

    reader: RowReader
    rows: list[tuple[Any, ...]]
    is_truncated: bool = False

    def records(self) -> list[dict[str, Any]]:
        """JSON-ready."""
        return self.reader.records(self.rows)


def records_of(
    ctx: Context, connection: Connection, owner: str, ids: Sequence[str], child: str, by: Field,
    fields: tuple[str, ...], order: tuple[str, ...], most: int,
) -> dict[str, Listed]:  # fmt: skip
    """By the id of the record of `owner` that they refer to: the first `most` visible records of `child`, in order."""
    connection.need(ctx.tenant.database)
    found: dict[str, Listed] = {}
    for chunk in chunks(list(dict.fromkeys(ids))):
        wanted = padded(chunk)
        compiled, reader = _prepared(ctx, owner, len(wanted), child, by, fields, order)
        params = actor_params(ctx)
        params |= {f"_i{index}": written(by, owner, one) for index, one in enumerate(wanted)}
        params["_most"] = most + 1
        for parent, _, *row in connection.rows(compiled.sql, compiled.bind(params)):
            listed = found.setdefault(parent, Listed(reader, []))
            if len(listed.rows) < most:
                listed.rows.append(tuple(row))
            else:
                listed.is_truncated = True
        for one in chunk:
            found.setdefault(one, Listed(reader, []))
    return found


def _prepared(
    ctx: Context, owner: str, size: int, child: str, by: Field, fields: tuple[str, ...], order: tuple[str, ...]
) -> tuple[Compiled, RowReader]:
    caches: dict[Any, Any] = ctx.snapshot.cache
    kept: Kept[tuple[Compiled, RowReader]] = caches.get(LISTS) or caches.setdefault(LISTS, Kept(500))
    key = (ctx.scope.key, owner, size, child, by.name, fields, order)
    return kept.get(key) or kept.put(key, _made(ctx, owner, size, child, by, fields, order))


def _made(
    ctx: Context, owner: str, size: int, child: str, by: Field, fields: tuple[str, ...], order: tuple[str, ...]
) -> tuple[Compiled, RowReader]:
    builder = Builder(ctx.snapshot, ctx.scope, child)
    targets = [need_path(ctx.scope, child, path, "fields") for path in fields or ctx.scope.fields(child)]
    selection = builder.selection(targets)
    columns = builder.columns(selection)
    root, names = builder.joins.root, [f"_i{index}" for index in range(size)]
    where, column = builder.visible(in_trash=False), root.c[by.name]
    source = builder.joins.source
    if by.refers_to_many:
        others = ctx.snapshot.physical.table(owner).alias("parent")
        parent: Any = others.c.id
        place = sa.func.instr if ctx.snapshot.dialect == "sqlite" else sa.func.strpos
        held: Any = place(column, sa.cast(parent, types.Text()), type_=sa.Integer()) > 0
        source, where = source.join(others, held), [*where, in_list(parent, names)]
    else:
        where.append(in_list(column, names))
        parent = id_in(ctx.snapshot.dialect, column, owner) if by.refers_to_any else column
    sorting = [root.c[name].nulls_last() if name != "id" else root.c.id for name in (*order, "id")]
    number = sa.func.row_number().over(partition_by=parent, order_by=sorting)
    inner = sa.select(parent.label("_parent"), number.label("_n"), *columns).select_from(source).where(*where)
    numbered = inner.subquery("n")
    most = sa.bindparam("_most", type_=types.Integer())
    statement = sa.select(*numbered.c).where(numbered.c["_n"] <= most).order_by(numbered.c["_parent"], numbered.c["_n"])
    return compile_sql(statement, ctx.snapshot.dialect), RowReader(selection, ctx.snapshot.dialect)
