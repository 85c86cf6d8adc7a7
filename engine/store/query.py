"""The one query compiler: what is asked for, as plain data, becomes SQL that is compiled once and kept.

Every field that any clause names is checked against the Scope here; every statement carries the Scope's row rules.
The text of a statement depends on the shape of the query only: literals, limits and cursors are bound.
"""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import BadInput, InputProblem
from engine.formula.fields import lifted
from engine.store import types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query_build import Builder, Selection
from engine.store.query_cache import Kept
from engine.store.query_conditions import ascii_lower, clean_text, condition_values, in_list, padded
from engine.store.query_filter import Filter, read_filter
from engine.store.query_keyset import Key, after, read_cursor, write_cursor
from engine.store.query_paths import Target, need_object, need_path
from engine.store.query_rows import RowReader
from metadata.formula import Node
from metadata.model import SortKey

__all__ = ["COUNT_CAP", "MAX_LIMIT", "Found", "Query", "SortKey", "cursor_behind", "find", "one"]

MAX_LIMIT = 1000
COUNT_CAP = 1000
MAX_SEARCH = 200  # characters
MAX_FIELDS = 200
MAX_SORT_KEYS = 6
COUNTS = ("none", "capped", "exact")
NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Query:
    """Which records of an object, which fields of them, in which order."""

    object: str
    fields: tuple[str, ...] = ()  # paths: "account.name"; () is every readable field of the object that is not hidden
    filter: str = ""  # a formula
    sort: tuple[SortKey, ...] = ()  # the id is always the last key
    limit: int = 50  # 1 to 1000
    cursor: str = ""  # `next` of the page before
    count: str = "none"  # "none", "capped" (stops at 1,000) or "exact"
    search: str = ""  # found in one of the object's search fields
    conditions: tuple[tuple[str, str, Any], ...] = ()  # (path, operator, value); query_conditions.OPERATORS
    in_trash: bool = False  # deleted records instead of living ones
    ids: tuple[str, ...] = ()  # only these
    rule: Node | None = None  # a condition that sees everything: the filter of a reference


@dataclass(frozen=True, slots=True)
class Found:
    """Rows as the driver gave them, and how to read them."""

    reader: RowReader
    rows: list[tuple[Any, ...]]
    next: str | None
    count: int | None
    count_is_capped: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """One shape of query, compiled. Its segments are added as cursors come by: see query_keyset."""

    builder: Builder
    selection: Selection
    where: tuple[sa.ColumnElement[bool], ...]
    reader: RowReader
    keys: tuple[Key, ...]
    sorting: slice  # where a row holds its sort values
    sort_loaders: tuple[Any, ...]
    first: Compiled
    count: Compiled | None
    segments: dict[tuple[bool, ...], list[Compiled]] = field(default_factory=dict)


def find(ctx: Context, connection: Connection, query: Query) -> Found:
    """Run a query: one statement, and one more to count; a page after a cursor may take a few."""
    connection.need(ctx.tenant.database)
    plan, params = _prepared(ctx, query)
    limit = query.limit
    params["limit"] = limit + 1
    # How many records a condition or a cursor leaves depends on its values: so does the best plan.
    is_narrowed = bool(query.filter or query.conditions or query.search or query.rule)
    is_narrowed = is_narrowed or ctx.scope.is_shared("read", query.object)
    read = connection.rows_planned if is_narrowed else connection.rows
    if query.cursor:
        rows = _rows_after(ctx, connection, plan, query, params)
    else:
        rows = read(plan.first.sql, plan.first.bind(params))
    following = None
    if len(rows) > limit:
        del rows[limit:]
        values = [
            load(value) if load else value
            for load, value in zip(plan.sort_loaders, rows[-1][plan.sorting], strict=True)
        ]
        following = write_cursor(_cursor_shape(query), values)
    count, is_capped = None, False
    if plan.count is not None:
        count = read(plan.count.sql, plan.count.bind(params))[0][0]
        if query.count == "capped" and count > COUNT_CAP:
            count, is_capped = COUNT_CAP, True
    return Found(plan.reader, rows, following, count, is_capped)


def one(ctx: Context, connection: Connection, object_name: str, record_id: str, fields: tuple[str, ...]) -> Found:
    """The record with this id, if the Scope lets it through: no row or one."""
    connection.need(ctx.tenant.database)
    cache: Kept[tuple[Compiled, RowReader]] = _cache(ctx, "one", 500)
    key = (ctx.scope.key, object_name, fields)
    found = cache.get(key)
    if found is None:
        query = Query(object_name, fields)
        builder, targets = _builder(ctx, query)
        selection = builder.selection(targets)
        columns = builder.columns(selection)
        where = [*builder.visible(in_trash=False), builder.joins.root.c.id == sa.bindparam("_id", type_=types.Id())]
        statement = sa.select(*columns).select_from(builder.joins.source).where(*where)
        compiled = compile_sql(statement, ctx.snapshot.dialect)
        found = cache.put(key, (compiled, RowReader(selection, ctx.snapshot.dialect)))
    compiled, reader = found
    if not types.is_id(record_id):
        return Found(reader, [], None, None, False)
    params = actor_params(ctx)
    params["_id"] = record_id
    return Found(reader, connection.rows(compiled.sql, compiled.bind(params)), None, None, False)


def actor_params(ctx: Context) -> dict[str, Any]:
    """What every statement may bind."""
    actor = ctx.actor
    return {
        "_now": ctx.now, "_today": ctx.today, "_zone": ctx.time_zone.key, "_actor_id": actor.id or None,
        "_actor_username": actor.username, "_roles": sorted(actor.roles), "_departments": actor.departments,
        "_fiscal_start": ctx.snapshot.definitions.fiscal_year_start, **ctx.circle,
    }  # fmt: skip


def _rows_after(
    ctx: Context, connection: Connection, plan: Plan, query: Query, params: dict[str, Any]
) -> list[tuple[Any, ...]]:
    values = read_cursor(_cursor_shape(query), plan.keys, query.cursor)
    is_blank = tuple(value is None for value in values)
    segments = plan.segments.get(is_blank)
    if segments is None:
        segments = plan.segments[is_blank] = [
            compile_sql(plan.builder.page(plan.selection, plan.keys, [*plan.where, condition]), ctx.snapshot.dialect)
            for condition in after(plan.keys, is_blank)
        ]
    params |= {f"c{index}": value for index, value in enumerate(values)}
    rows: list[tuple[Any, ...]] = []
    for segment in segments:
        params["limit"] = query.limit + 1 - len(rows)
        rows += connection.rows_planned(segment.sql, segment.bind(params))
        if len(rows) > query.limit:
            break
    return rows


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query binds, by name, and what of it shapes the statement."""

    conditions: tuple[tuple[Target, str, tuple[str, ...]], ...]  # (target, operator, names of the values)
    ids: tuple[str, ...]  # names
    filter: Filter | None
    rule: Node | None  # its literals lifted out


def _prepared(ctx: Context, query: Query) -> tuple[Plan, dict[str, Any]]:
    """The plan for a query's shape, and all that it binds but limit and cursor."""
    _check_bounds(query)
    need_object(ctx.scope, query.object)
    params = actor_params(ctx)
    if query.search.strip():
        params["search"] = ascii_lower(clean_text(query.search, "search").strip())
    ids: tuple[str, ...] = ()
    if query.ids:
        values = padded([one for one in query.ids if types.is_id(one)] or [NO_ID])
        ids = tuple(f"_i{index}" for index in range(len(values)))
        params.update(zip(ids, values, strict=True))
    filter_ = None
    if query.filter:
        filter_ = read_filter(ctx, query.object, query.filter)
        params.update(filter_.values)
    rule = None
    if query.rule is not None:
        rule = lifted(ctx.snapshot, query.object, query.rule)
        params.update(rule.values)
    asked = Asked(_read_conditions(ctx, query, params), ids, filter_, rule.node if rule else None)
    key = (
        ctx.scope.key, query.object, query.fields, query.sort, query.count, query.in_trash, bool(query.search.strip()),
        len(ids), filter_ and filter_.shape, rule and rule.shape, tuple((c[0].steps, *c[1:]) for c in asked.conditions),
    )  # fmt: skip
    cache: Kept[Plan] = _cache(ctx, "plans", 1000)
    plan = cache.get(key) or cache.put(key, _plan(ctx, query, asked))
    return plan, params


def _check_bounds(query: Query) -> None:
    """Raises BadInput. Called for every query: the messages are made only when one is needed."""
    is_small = len(query.search) <= MAX_SEARCH and len(query.fields) <= MAX_FIELDS and len(query.ids) <= MAX_LIMIT
    if is_small and 1 <= query.limit <= MAX_LIMIT and query.count in COUNTS and len(query.sort) <= MAX_SORT_KEYS:
        return
    checks = (
        (1 <= query.limit <= MAX_LIMIT, "limit", f"limit is {query.limit}; it must be from 1 to {MAX_LIMIT}"),
        (query.count in COUNTS, "count", f"no count '{query.count}'; write one of {', '.join(COUNTS)}"),
        (len(query.search) <= MAX_SEARCH, "search", f"the search text has more than {MAX_SEARCH} characters"),
        (len(query.fields) <= MAX_FIELDS, "fields", f"more than {MAX_FIELDS} fields"),
        (len(query.sort) <= MAX_SORT_KEYS, "sort", f"more than {MAX_SORT_KEYS} sort keys"),
        (len(query.ids) <= MAX_LIMIT, "ids", f"more than {MAX_LIMIT} ids"),
    )
    problems = [InputProblem(path, f"query.{path}", message) for is_good, path, message in checks if not is_good]
    if problems:
        raise BadInput(problems[0].message, code=problems[0].code, problems=problems)


def _read_conditions(
    ctx: Context, query: Query, params: dict[str, Any]
) -> tuple[tuple[Target, str, tuple[str, ...]], ...]:
    """The screen's conditions; binds their values."""
    found: list[tuple[Target, str, tuple[str, ...]]] = []
    for path, operator, value in query.conditions:
        target = need_path(ctx.scope, query.object, path, "conditions")
        values = condition_values(ctx.snapshot, target, operator, value)
        values = padded(values) if values else values
        names = tuple(f"k{len(found)}_{index}" for index in range(len(values)))
        params.update(zip(names, values, strict=True))
        found.append((target, operator, names))
    return tuple(found)


def _builder(ctx: Context, query: Query) -> tuple[Builder, list[Target]]:
    need_object(ctx.scope, query.object)
    paths = query.fields or ctx.scope.fields(query.object)
    targets = [need_path(ctx.scope, query.object, path, "fields") for path in dict.fromkeys(paths)]
    return Builder(ctx.snapshot, ctx.scope, query.object), targets


def _plan(ctx: Context, query: Query, asked: Asked) -> Plan:
    dialect = ctx.snapshot.dialect
    builder, targets = _builder(ctx, query)
    keys = builder.keys(query.sort)
    where = _where(builder, query, asked)
    selection = builder.selection(targets)
    count = None
    if query.count != "none":
        counter = Builder(ctx.snapshot, ctx.scope, query.object)
        counted = _where(counter, query, asked)
        rows: Any = sa.select(sa.literal_column("1").label("one")).select_from(counter.joins.source).where(*counted)
        if query.count == "capped":
            rows = rows.limit(COUNT_CAP + 1)
        count = compile_sql(sa.select(sa.func.count()).select_from(rows.subquery()), dialect)
    end = len(selection.paths) + len(keys)
    return Plan(
        builder=builder,
        selection=selection,
        where=tuple(where),
        reader=RowReader(selection, dialect),
        keys=keys,
        sorting=slice(end - len(keys), end),
        sort_loaders=tuple(_loader(key.column.type, dialect) for key in keys),
        first=compile_sql(builder.page(selection, keys, where), dialect),
        count=count,
    )


def _where(builder: Builder, query: Query, asked: Asked) -> list[sa.ColumnElement[bool]]:
    where = builder.visible(query.in_trash)
    if asked.ids:
        where.append(in_list(builder.joins.root.c.id, asked.ids))
    if asked.filter is not None:
        where.append(builder.formula(asked.filter.node))
    if asked.rule is not None:
        where.append(builder.formula(asked.rule, trusted=True))
    where += [builder.condition(target, operator, names) for target, operator, names in asked.conditions]
    if query.search.strip():
        where.append(builder.search())
    return where


def _loader(column_type: sa.types.TypeEngine[Any], dialect: str) -> Any:
    assert isinstance(column_type, types.StoredType)
    return types.blank_kept(column_type.loader(dialect))


def cursor_behind(query: Query, record_id: str) -> str:
    """Where a query in the order of ids goes on behind that record, which need not be there any more."""
    assert not query.sort
    return write_cursor(_cursor_shape(query), [record_id])


def _cursor_shape(query: Query) -> str:
    return repr((query.object, query.filter, query.sort, query.search, query.conditions, query.in_trash, query.ids))


def _cache(ctx: Context, name: str, size: int) -> Kept[Any]:
    caches: dict[Any, Any] = ctx.snapshot.cache
    kept: Kept[Any] | None = caches.get(("kept", name))
    return caches.setdefault(("kept", name), Kept(size)) if kept is None else kept
