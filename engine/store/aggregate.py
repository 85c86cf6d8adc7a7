"""Records counted, summed and averaged by groups, through the query compiler: the same Scope, joins and conditions.

One statement gives the groups; the total over all matching records comes from them, or from one statement more.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.service_answers import Aggregation
from engine.store import types
from engine.store.aggregate_having import Having, condition, read_having
from engine.store.aggregate_sql import Convert, Measured, measured, period
from engine.store.aggregate_terms import (
    Group,
    Measure,
    bad,
    column_of,
    column_type,
    read_groups,
    read_measures,
    sort_places,
)
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query import MAX_SEARCH, actor_params
from engine.store.query_build import Builder
from engine.store.query_cache import Kept
from engine.store.query_conditions import ascii_lower, clean_text
from engine.store.query_filter import Filter, read_filter
from engine.store.query_keyset import Key, order
from engine.store.query_paths import Steps, need_object
from engine.store.zones import clocks_of
from metadata.model import SortKey

__all__ = ["MAX_GROUPS_FOUND", "AggregateQuery", "aggregate"]

MAX_GROUPS_FOUND = 1000

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """Which records of an object, grouped by what, and what is told of each group."""

    object: str
    group: tuple[str, ...] = ()  # paths, of dates with a period: "account.region", "close_date:month"; () is no groups
    measures: tuple[str, ...] = ("count()",)  # "sum(amount)"
    filter: str = ""  # a formula on records
    having: str = ""  # a condition on measures: "sum(amount) > 1000 and count() >= 2"
    sort: tuple[SortKey, ...] = ()  # groups and measures, by their texts; the groups are always the last keys
    limit: int = MAX_GROUPS_FOUND
    search: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, read and checked."""

    query: AggregateQuery
    groups: tuple[Group, ...]
    measures: tuple[Measure, ...]
    places: tuple[tuple[int, bool], ...]  # of what is sorted by
    filter: Filter | None
    having: Having | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One shape of query, compiled."""

    groups: Compiled | None
    total: Compiled
    texts: tuple[str, ...]  # keys of an answer
    loaders: tuple[tuple[int, Convert], ...]  # (place in a row, conversion) of the groups
    measured: tuple[Measured, ...]


def aggregate(ctx: Context, connection: Connection, query: AggregateQuery) -> Aggregation:
    """Raises BadInput, NotFound."""
    connection.need(ctx.tenant.database)
    asked, params = _read(ctx, query)
    try:
        return _run(ctx, connection, asked, params, is_wide=False)
    except sqlite3.OperationalError as error:
        if "integer overflow" not in str(error):
            raise
        return _run(ctx, connection, asked, params, is_wide=True)


def _read(ctx: Context, query: AggregateQuery) -> tuple[Asked, dict[str, Any]]:
    """The query, checked, and all that it binds."""
    need_object(ctx.scope, query.object)
    if not 1 <= query.limit <= MAX_GROUPS_FOUND:
        message = f"limit is {query.limit}; it must be from 1 to {MAX_GROUPS_FOUND}"
        raise bad("limit", "query.limit", message)
    if len(query.search) > MAX_SEARCH:
        raise bad("search", "query.search", f"the search text has more than {MAX_SEARCH} characters")
    groups = read_groups(ctx, query.object, query.group)
    measures = read_measures(ctx, query.object, query.measures)
    if not groups and (query.having or query.sort):
        clause = "having" if query.having else "sort"
        raise bad(clause, "aggregate.ungrouped", f"{clause} is about groups; there are none", "name a group")
    params = actor_params(ctx)
    params["limit"] = query.limit + 1
    if query.search.strip():
        params["search"] = ascii_lower(clean_text(query.search, "search").strip())
    filter_ = read_filter(ctx, query.object, query.filter) if query.filter else None
    params |= filter_.values if filter_ else {}
    having = read_having(ctx, query.object, query.having) if query.having else None
    params |= having.values if having else {}
    if any(group.period and group.target.field.value == "datetime" for group in groups):
        clocks = clocks_of(ctx.time_zone)
        params["_zone"] = ctx.time_zone.key
        params["_zone_changes"], params["_zone_offsets"] = list(clocks.changes), list(clocks.offsets)
    places = tuple(sort_places(groups, measures, query.sort))
    return Asked(query, groups, measures, places, filter_, having), params


def _run(ctx: Context, connection: Connection, asked: Asked, params: Mapping[str, Any], is_wide: bool) -> Aggregation:
    plan = _plan_of(ctx, asked, is_wide)
    rows: list[Row] = []
    if plan.groups is not None:
        rows = list(connection.rows_planned(plan.groups.sql, plan.groups.bind(params)))
    is_truncated = len(rows) > asked.query.limit
    del rows[asked.query.limit :]
    width = len(asked.groups)
    keyed = [[row[place] for row in rows] for place in range(width)]
    for place, load in plan.loaders:
        keyed[place] = _converted(keyed[place], load)
    columns = [_converted((row[n] for row in rows), found.read) for n, found in enumerate(plan.measured, width)]
    total = None
    if plan.groups is not None and not is_truncated and asked.having is None:
        total = _summed(asked.measures, columns)
    if total is None:
        row = connection.rows_planned(plan.total.sql, plan.total.bind(params))[0]
        total = [_converted([value], found.read)[0] for value, found in zip(row, plan.measured, strict=True)]
    shown = [_converted(column, found.show) for column, found in zip(columns, plan.measured, strict=True)]
    groups = [dict(zip(plan.texts, values, strict=True)) for values in zip(*keyed, *shown, strict=True)]
    totals = [_converted([value], found.show)[0] for value, found in zip(total, plan.measured, strict=True)]
    return Aggregation(groups, dict(zip(plan.texts[width:], totals, strict=True)), is_truncated)


def _converted(column: Iterable[Any], convert: Convert) -> list[Any]:
    return [None if value is None else convert(value) for value in column]


def _summed(measures: Sequence[Measure], columns: Sequence[list[Any]]) -> list[Any] | None:
    """The total of all groups, from their measures; None where these do not tell it."""
    total: list[Any] = []
    for measure, column in zip(measures, columns, strict=True):
        filled = [value for value in column if value is not None]
        match measure.function:
            case "sum" | "count":
                total.append(sum(filled))
            case "min" | "max":
                choose = min if measure.function == "min" else max
                total.append(choose(filled, default=None))
            case _:
                return None
    return total


def _plan_of(ctx: Context, asked: Asked, is_wide: bool) -> Plan:
    query = asked.query
    key = (
        ctx.scope.key, query.object, query.group, tuple(measure.text for measure in asked.measures), asked.places,
        asked.filter and asked.filter.shape, asked.having and asked.having.shape, bool(query.search.strip()), is_wide,
    )  # fmt: skip
    caches: dict[Any, Any] = ctx.snapshot.cache
    cache: Kept[Plan] = caches.get("aggregates") or caches.setdefault("aggregates", Kept(500))
    return cache.get(key) or cache.put(key, _plan(ctx, asked, is_wide))


def _plan(ctx: Context, asked: Asked, is_wide: bool) -> Plan:
    dialect = ctx.snapshot.dialect
    _, totals = _measured_rows(ctx, asked, (), is_wide)
    total = sa.select(*(totals[m.text].value.label(f"m{n}") for n, m in enumerate(asked.measures)))
    if not asked.measures or all(m.target is None for m in asked.measures):
        total = total.select_from(_measured_rows(ctx, asked, (), is_wide)[0])
    groups = _grouped(ctx, asked, is_wide) if asked.groups else None
    loaders = []
    for place, group in enumerate(asked.groups):
        kind: Any = column_type(ctx, group.target)
        if not group.period and (load := kind.json_loader(dialect)) is not None:
            loaders.append((place, load))
    return Plan(
        groups=compile_sql(groups, dialect) if groups is not None else None,
        total=compile_sql(total, dialect),
        texts=(*(group.text for group in asked.groups), *(measure.text for measure in asked.measures)),
        loaders=tuple(loaders),
        measured=tuple(totals[measure.text] for measure in asked.measures),
    )


def _grouped(ctx: Context, asked: Asked, is_wide: bool) -> sa.Select[Any]:
    rows, measures = _measured_rows(ctx, asked, asked.groups, is_wide)
    keys = [rows.c[f"g{n}"] for n in range(len(asked.groups))]
    shown: list[Any] = [*keys, *(measures[m.text].value.label(f"m{n}") for n, m in enumerate(asked.measures))]
    nullable = [True] * len(keys) + [measures[m.text].is_nullable for m in asked.measures]
    for place, group in enumerate(asked.groups):
        nullable[place] = len(group.target.steps) > 1 or not group.target.field.is_required
    ordering = [Key(shown[place], is_descending, nullable[place]) for place, is_descending in asked.places]
    statement = sa.select(*shown).select_from(rows).group_by(*keys)
    if asked.having is not None:
        statement = statement.having(condition(ctx.snapshot.dialect, asked.having, measures))
    limit = sa.bindparam("limit", type_=types.Integer())
    return statement.order_by(*order(ordering, ctx.snapshot.dialect)).limit(limit)


def _measured_rows(
    ctx: Context, asked: Asked, groups: Sequence[Group], is_wide: bool
) -> tuple[sa.Subquery, dict[str, Measured]]:
    """The matching records with what they are grouped by (`g0`, …) and what is measured, and the measures over them."""
    dialect = ctx.snapshot.dialect
    builder = Builder(ctx.snapshot, ctx.scope, asked.query.object)
    columns: list[Any] = []
    for n, group in enumerate(groups):
        column = column_of(ctx, builder, group.target)
        columns.append((period(dialect, column, group.period) if group.period else column).label(f"g{n}"))
    wanted = [*asked.measures, *(asked.having.measures if asked.having and groups else ())]
    measures = {measure.text: measure for measure in wanted}.values()
    names: dict[Steps, str] = {}
    for measure in measures:
        if measure.target is not None and measure.target.steps not in names:
            names[measure.target.steps] = f"v{len(names)}"
            columns.append(column_of(ctx, builder, measure.target).label(names[measure.target.steps]))
    where = builder.visible(in_trash=False)
    if asked.filter is not None:
        where.append(builder.formula(asked.filter.node))
    if asked.query.search.strip():
        where.append(builder.search())
    found = sa.select(*(columns or [sa.literal_column("1").label("one")])).select_from(builder.joins.source)
    rows = found.where(*where).subquery("s")
    made = {
        m.text: measured(dialect, m, rows.c[names[m.target.steps]] if m.target else None, is_wide) for m in measures
    }
    return rows, made
