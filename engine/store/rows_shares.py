"""The rows of fs_share: which records were given to whom. A share that has expired stays, and lets nothing through."""

from typing import Any

import sqlalchemy as sa

from engine.snapshot import Snapshot
from engine.store import system
from engine.store.database import Connection

__all__ = ["add", "drop", "of_record"]

SHARE = system.share.c
Row = dict[str, Any]


def of_record(connection: Connection, snapshot: Snapshot, object_name: str, record_id: str) -> list[Row]:
    """Oldest first, the expired ones among them."""
    statement = sa.select(system.share).where(
        SHARE.record == record_id, SHARE.object == snapshot.physical.names.tables[object_name]
    )
    return [dict(row._mapping) for row in connection.sa.execute(statement.order_by(SHARE.id))]


def add(connection: Connection, snapshot: Snapshot, object_name: str, row: Row) -> None:
    """In the place of one with the same holder: a record is shared with each of them once."""
    table = snapshot.physical.names.tables[object_name]
    same = sa.delete(system.share).where(
        SHARE.record == row["record"], SHARE.object == table, SHARE.kind == row["kind"], SHARE.to == row["to"]
    )
    connection.sa.execute(same)
    connection.sa.execute(sa.insert(system.share).values({**row, "object": table}))


def drop(connection: Connection, share: str) -> None:
    connection.sa.execute(sa.delete(system.share).where(SHARE.id == share))
