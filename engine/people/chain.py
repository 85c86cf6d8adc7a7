"""Who stands above whom: the manager chain, the head of a department or of the next one above it, and deputies.

People who are not active stand in no answer: whoever is above them does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.people.departments import DEPARTMENT, upwards
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Connection

__all__ = ["Head", "deputies_of", "head_of", "manager_chain", "manager_of"]

LEVELS = 100  # a chain ends here, whatever the records say


@dataclass(frozen=True, slots=True)
class Head:
    """Who heads a department, or the nearest one above it that has an active head."""

    user: str
    department: str
    deputies: Sequence[str]  # of that department, active ones, in order


def manager_chain(connection: Connection, snapshot: Snapshot, user: str) -> Sequence[str]:
    """Ids of the active people above a user, the nearest first; () for one who has no manager."""
    table = snapshot.physical.table("user")
    first, above = table.alias("a"), table.alias("b")
    zero: Any = sa.literal_column("0", sa.Integer())
    start: Any = sa.select(first.c.manager.label("id"), zero.label("level")).where(first.c.id == user)
    up = start.cte("up", recursive=True)
    more = sa.select(above.c.manager, up.c.level + 1).where(above.c.id == up.c.id, up.c.level < LEVELS)
    up = up.union(more)
    wanted = (
        sa.select(table.c.id)
        .join(up, up.c.id == table.c.id)
        .where(table.c.deleted_at.is_(None), table.c.is_active, table.c.id != user)
        .order_by(up.c.level)
    )
    return tuple(dict.fromkeys(str(one) for one in connection.sa.execute(wanted).scalars()))


def manager_of(connection: Connection, snapshot: Snapshot, user: str) -> str | None:
    """The nearest active person above."""
    return next(iter(manager_chain(connection, snapshot, user)), None)


def head_of(connection: Connection, snapshot: Snapshot, department: str, but: str = "") -> Head | None:
    """`but`: somebody who may not be the answer, such as who asks; then it is the head further up."""
    table = snapshot.physical.table(DEPARTMENT)
    up = upwards(snapshot, sa.literal(department, types.Id()))
    rows = connection.sa.execute(
        sa.select(table.c.id, table.c.parent, table.c.head, table.c.deputies).join(up, up.c.id == table.c.id)
    ).all()
    known = {str(row[0]): row for row in rows}
    active = _active(connection, snapshot, [one for row in rows for one in (row[2], *(row[3] or ())) if one])
    place: str | None = department
    for _ in range(len(known)):  # no circle is gone round twice
        if place is None or place not in known:
            break
        _, parent, head, deputies = known[place]
        if head in active and head != but:
            return Head(str(head), place, tuple(one for one in deputies or () if one in active))
        place = parent
    return None


def deputies_of(connection: Connection, snapshot: Snapshot, department: str) -> Sequence[str]:
    """Ids of those who stand in for the head, in order; those who are active."""
    table = snapshot.physical.table(DEPARTMENT)
    wanted = sa.select(table.c.deputies).where(table.c.id == department, table.c.deleted_at.is_(None))
    found = connection.sa.execute(wanted).scalar() or ()
    active = _active(connection, snapshot, found)
    return tuple(one for one in found if one in active)


def _active(connection: Connection, snapshot: Snapshot, users: Sequence[str]) -> set[str]:
    table = snapshot.physical.table("user")
    wanted = sa.select(table.c.id).where(table.c.id.in_(list(users)), table.c.deleted_at.is_(None), table.c.is_active)
    return {str(one) for one in connection.sa.execute(wanted).scalars()} if users else set()
