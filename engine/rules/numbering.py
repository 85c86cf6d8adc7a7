"""Values that the engine gives new records in turn, such as L-2026-00017."""

from collections.abc import Sequence
from typing import Any

from engine.context import Context
from engine.rules.values import Rules
from engine.store import rows_counters
from engine.store.database import Connection

__all__ = ["number"]


def number(ctx: Context, connection: Connection, rules: Rules, rows: Sequence[dict[str, Any]]) -> None:
    """Fills the numbered fields of new rows that have no value there yet, in the rows' order.

    Dates in a number are those of `created_at`, in the person's zone.
    """
    for rule in rules.generated:
        generate, period_of, name = rule.type.generate, rule.type.counter_period, rule.field.name
        assert generate is not None
        periods: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            if row.get(name) is None:
                at = row["created_at"].astimezone(ctx.time_zone)
                periods.setdefault(period_of(rule.field, at) if period_of else "", []).append(row)
        start = rule.type.counter_start(rule.field) if rule.type.counter_start else 1
        for period, empty in periods.items():
            first = rows_counters.take(connection, ctx.snapshot, rules.object, name, period, len(empty), start)
            for index, row in enumerate(empty):
                row[name] = generate(rule.field, row["created_at"].astimezone(ctx.time_zone), first + index)
