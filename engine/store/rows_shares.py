"""The rows of fs_share: which records were given to whom. A share that has expired stays, and lets nothing through."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from engine.snapshot import Snapshot
from engine.store import system
from engine.store.database import Connection

__all__ = ["add", "drop", "forget", "move", "move_back", "of_record"]

SHARE = system.share.c
Row = dict[str, Any]
MOST = 500  # ids of one statement


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


def move(
    connection: Connection, snapshot: Snapshot, object_name: str, losers: Sequence[str], master: str
) -> list[tuple[str, str]]:
    """Of records that are merged into one: (share, whose it was) of those that are the master's now. A holder who has a
    share of the master keeps that one."""
    held = {(row["kind"], row["to"]) for row in of_record(connection, snapshot, object_name, master)}
    moved: list[tuple[str, str]] = []
    for loser in losers:
        for row in of_record(connection, snapshot, object_name, loser):
            if (holder := (row["kind"], row["to"])) not in held:
                held.add(holder)
                moved.append((row["id"], loser))
    _place(connection, [(share, loser, master) for share, loser in moved])
    return moved


def move_back(connection: Connection, moved: Sequence[tuple[str, str]], master: str) -> None:
    """Those that were ended since stay so."""
    _place(connection, [(share, master, loser) for share, loser in moved])


def _place(connection: Connection, changes: Iterable[tuple[str, str, str]]) -> None:
    for share, now, then in changes:
        change = sa.update(system.share).where(SHARE.id == share, SHARE.record == now).values(record=then)
        connection.sa.execute(change)


def forget(connection: Connection, ids: Sequence[str]) -> None:
    """All shares of these records, and those with them: a person's or a team's."""
    for start in range(0, len(ids), MOST):
        some = list(ids[start : start + MOST])
        connection.sa.execute(sa.delete(system.share).where(sa.or_(SHARE.record.in_(some), SHARE.to.in_(some))))
