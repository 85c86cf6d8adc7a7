"""Approvals that run while their definition changes: they stay on the version that they began with."""

from collections.abc import Sequence

import sqlalchemy as sa

from engine.store import system, system_approvals
from engine.store.database import Connection

__all__ = ["running_of"]


def running_of(connection: Connection, approvals: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """(approval, how many instances of it run) of those of these names that have any."""
    table = system_approvals.approval
    if not approvals or table.name not in system.names_of(connection):  # an older release made the tables
        return ()
    wanted = (
        sa.select(table.c.approval, sa.func.count())
        .where(table.c.ended_at.is_(None), table.c.approval.in_(list(approvals)))
        .group_by(table.c.approval)
        .order_by(table.c.approval)
    )
    return tuple((str(name), int(count)) for name, count in connection.sa.execute(wanted))
