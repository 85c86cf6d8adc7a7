"""Approvals that a write of their record asks again: their rows are taken before the record's, as whoever decides takes
them. In the other order two of them would wait for each other."""

from collections.abc import Iterable

import sqlalchemy as sa

from engine.snapshot import Snapshot
from engine.store import system_approvals
from engine.store.database import Connection
from metadata.processes import nodes_in

__all__ = ["hold_asked"]

CHUNK = 500
ASKED = "objects asked again"  # in a snapshot's cache


def hold_asked(snapshot: Snapshot, connection: Connection, object_name: str, ids: Iterable[str]) -> None:
    """Until the transaction ends. SQLite has one writer."""
    if connection.dialect == "sqlite" or object_name not in asked(snapshot):
        return
    table, wanted = system_approvals.approval, sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        roots = sa.select(table.c.root).where(table.c.record.in_(chunk), table.c.ended_at.is_(None))
        connection.sa.execute(
            sa.select(table.c.id).where(table.c.id.in_(roots)).order_by(table.c.id).with_for_update()
        ).all()


def asked(snapshot: Snapshot) -> frozenset[str]:
    """Objects with an approval of which a node is asked again where a field changes."""
    if ASKED not in snapshot.cache:
        approvals = snapshot.definitions.processes.approvals.values()
        snapshot.cache[ASKED] = frozenset(
            one.object for one in approvals if any(node.reset_on_change for node in nodes_in(one.flow))
        )
    found: frozenset[str] = snapshot.cache[ASKED]
    return found
