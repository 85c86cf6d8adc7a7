"""Settings: objects that have exactly one record, which a publish makes and nobody deletes."""

from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import Conflict
from engine.rules import rollups
from engine.rules.numbering import number
from engine.rules.values import rules_of
from engine.snapshot import Snapshot
from engine.store import rows, rows_history
from engine.store.database import Connection, new_id
from metadata.model import Action

__all__ = ["make_missing", "record_of", "refuse_another"]


def refuse_another(snapshot: Snapshot, action: Action, object_name: str) -> None:
    """Raises Conflict for what would leave a settings object with two records or none."""
    definition = snapshot.definitions.objects.get(object_name)
    if definition is not None and definition.kind == "single" and action in ("create", "delete"):
        done = "another one cannot be made" if action == "create" else "it cannot be deleted or restored"
        message = f"'{object_name}' has exactly one record: {done}"
        raise Conflict(message, code="object.single", fix="change that one")


def record_of(ctx: Context, connection: Connection, object_name: str) -> str | None:
    table = ctx.snapshot.physical.table(object_name)
    found: str | None = connection.sa.scalar(
        sa.select(table.c.id).where(table.c.deleted_at.is_(None)).order_by(table.c.id)
    )
    return found


def make_missing(ctx: Context, connection: Connection) -> None:
    """The record of each settings object that has none, with its defaults; what is required may be blank in it."""
    for name, definition in ctx.snapshot.definitions.objects.items():
        if definition.kind != "single" or record_of(ctx, connection, name) is not None:
            continue
        rules = rules_of(ctx.snapshot, name)
        row: dict[str, Any] = {field: default(ctx) for field, default in rules.defaults}
        row |= {
            "id": new_id(ctx.now), "version": 1, "created_at": ctx.now, "modified_at": ctx.now,
            **rollups.beginning(ctx.snapshot, name),
        }  # fmt: skip
        number(ctx, connection, rules, [row])
        rows.insert_many(ctx, connection, name, [row])
        rows_history.write(ctx, connection, name, [(row["id"], 1, "create", {})])
