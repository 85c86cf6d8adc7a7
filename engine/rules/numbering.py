"""Values that the engine gives new records in turn, such as L-2026-00017."""

from collections.abc import Sequence
from typing import Any

from engine.context import Context
from engine.rules.values import Rules
from engine.store import rows_counters
from engine.store.database import Connection

__all__ = ["number"]


def number(ctx: Context, connection: Connection, rules: Rules, rows: Sequence[dict[str, Any]]) -> None:
    """Fills the numbered fields of new rows that have no value there yet."""
    now = ctx.now.astimezone(ctx.time_zone)
    for rule in rules.generated:
        generate, name = rule.type.generate, rule.field.name
        assert generate is not None
        empty = [row for row in rows if row.get(name) is None]
        if not empty:
            continue
        period = rule.type.counter_period(rule.field, now) if rule.type.counter_period else ""
        first = rows_counters.take(connection, ctx.snapshot, rules.object, name, period, len(empty))
        for index, row in enumerate(empty):
            row[name] = generate(rule.field, now, first + index)
