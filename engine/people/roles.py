"""Which roles people hold, in statements: lines of their user record, in releases before rows of fs_user_role."""

from typing import Any

import sqlalchemy as sa

from engine.snapshot import Snapshot
from engine.store import system

__all__ = ["ROLE", "are_records", "held", "of_user"]

ROLE = "user_role"


def are_records(snapshot: Snapshot) -> bool:
    """Whether roles are records; they are not until something is published after the upgrade that brought them."""
    return ROLE in snapshot.definitions.objects


def held(snapshot: Snapshot) -> sa.Select[Any]:
    """(user, role) of all."""
    if not are_records(snapshot):
        return sa.select(system.user_role.c.user, system.user_role.c.role)
    table = snapshot.physical.table(ROLE)
    return sa.select(table.c.user, table.c.role).where(table.c.deleted_at.is_(None))


def of_user(snapshot: Snapshot, user: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    """Names of the roles of one user, joined by commas."""
    pairs = held(snapshot)
    column, role = pairs.selected_columns
    joined = sa.func.group_concat(role, ",") if snapshot.dialect == "sqlite" else sa.func.string_agg(role, ",")
    return pairs.with_only_columns(joined).where(column == user).scalar_subquery()
