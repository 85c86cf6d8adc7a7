"""Writing the roles that people hold, and taking over those that an older release kept elsewhere."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from engine.context import Context
from engine.people.roles import ROLE, are_records
from engine.service import Records
from engine.store import rows, rows_history, system
from engine.store.database import Connection, new_id
from metadata.build.objects import POSITION

__all__ = ["take_over", "write_roles"]


def write_roles(ctx: Context, connection: Connection, user: str, roles: Iterable[str]) -> None:
    """Give a user exactly these roles, which are known."""
    if not are_records(ctx.snapshot):
        connection.sa.execute(sa.delete(system.user_role).where(system.user_role.c.user == user))
        if given := [{"user": user, "role": role} for role in roles]:
            connection.sa.execute(sa.insert(system.user_role), given)
        return
    table = ctx.snapshot.physical.table(ROLE)
    wanted = sa.select(table.c.role, table.c.id).where(table.c.user == user, table.c.deleted_at.is_(None))
    known: Mapping[str, str] = {role: str(line) for role, line in connection.sa.execute(wanted)}
    lines = [{"id": known[role]} if role in known else {"role": role} for role in roles]
    Records(ctx).update("user", user, {"roles": lines})


def take_over(ctx: Context, connection: Connection) -> None:
    """Make records of what an older release kept, once there is a table for them."""
    if not are_records(ctx.snapshot):
        return
    pairs = system.user_role.c
    user = ctx.snapshot.physical.table("user")
    wanted = sa.select(pairs.user, pairs.role).join(user, user.c.id == pairs.user).order_by(pairs.user, pairs.role)
    found = connection.sa.execute(wanted).all()
    if not found:
        return
    counts: dict[str, int] = {}
    made = []
    for person, role in found:
        counts[person] = counts.get(person, 0) + 1
        made.append({
            "id": new_id(ctx.now), "version": 1, "created_at": ctx.now, "modified_at": ctx.now, "user": person,
            "role": role, POSITION: counts[person],
        })  # fmt: skip
    rows.insert_many(ctx, connection, ROLE, made)
    changes = [(row["id"], 1, "create", {"role": (None, row["role"])}) for row in made]
    rows_history.write(ctx, connection, ROLE, changes)
    connection.sa.execute(sa.delete(system.user_role))
