"""Values that the engine gives new records in turn, such as L-2026-00017."""

from collections.abc import Sequence
from typing import Any

from engine.context import Context
from engine.rules.reach import Reach
from engine.rules.reading import Needs, needs_of
from engine.rules.values import FieldRule, Rules
from engine.snapshot import Snapshot
from engine.store import rows_counters
from engine.store.database import Connection

__all__ = ["number"]


def number(ctx: Context, connection: Connection, rules: Rules, rows: Sequence[dict[str, Any]]) -> None:
    """Fills the numbered fields of new rows that have no value there yet, in the rows' order.

    Dates in a number are those of `created_at`, in the person's zone.
    """
    for rule in rules.generated:
        _number(ctx, connection, rules, rule, [row for row in rows if row.get(rule.field.name) is None])


def _number(
    ctx: Context, connection: Connection, rules: Rules, rule: FieldRule, rows: Sequence[dict[str, Any]]
) -> None:
    kind, field = rule.type, rule.field
    assert kind.generate is not None
    paths = kind.reads(field) if kind.reads else ()
    values = _values(ctx, connection, rules, field.name, paths, rows) if paths else [{}] * len(rows)
    moments = [row["created_at"].astimezone(ctx.time_zone) for row in rows]
    periods: dict[str, list[int]] = {}
    for index, at in enumerate(moments):
        period = kind.counter_period(field, at, values[index]) if kind.counter_period else ""
        periods.setdefault(period, []).append(index)
    start = kind.counter_start(field) if kind.counter_start else 1
    for period, indexes in periods.items():
        count = len(indexes)
        first = rows_counters.take(connection, ctx.snapshot, rules.object, field.name, period, count, start)
        for place, index in enumerate(indexes):
            rows[index][field.name] = kind.generate(field, moments[index], first + place, values[index])


def _values(
    ctx: Context, connection: Connection, rules: Rules, field: str, paths: Sequence[str], rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    reach = Reach(ctx, connection, rules.object, _needs(ctx.snapshot, rules.object, field, paths))
    blank = dict.fromkeys(path.partition(".")[0] for path in paths)
    whole = [{**blank, **row} for row in rows]
    reach.fill(whole)
    views = [reach.view(row) for row in whole]
    return [{path: view[path] for path in paths} for view in views]


def _needs(snapshot: Snapshot, object_name: str, field: str, paths: Sequence[str]) -> Needs:
    key = ("numbering", object_name, field)
    if key not in snapshot.cache:
        snapshot.cache[key] = needs_of(snapshot, object_name, (), paths)
    needs: Needs = snapshot.cache[key]
    return needs
