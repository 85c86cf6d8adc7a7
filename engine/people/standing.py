"""A person as a request of theirs would find them: what they hold, and from where they hold it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.context import Actor, Context, context_of
from engine.errors import NotFound
from engine.people.authentication import zone_of
from engine.people.departments import DEPARTMENT, Departments, upwards
from engine.people.memberships import ASSIGNMENT, TEAM, Teams, sets_of
from engine.people.roles import held
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Connection

__all__ = ["Source", "Standing", "sources_of", "standing_of"]

USER = "user"


@dataclass(frozen=True, slots=True)
class Standing:
    """`context` is as after a sign-in; whoever is not active is refused at every door, whatever it holds."""

    context: Context
    is_active: bool


@dataclass(frozen=True, slots=True)
class Source:
    """To whom a permission set was given: `kind` is "user", "department" or "team", `holder` its id."""

    permission_set: str
    kind: str
    holder: str
    expires_on: date | None = None


def standing_of(ctx: Context, user: str, snapshot: Snapshot | None = None) -> Standing:
    """Of a user who is not deleted. Raises NotFound. `ctx` gives the tenant and the time, never its rights."""
    snapshot = snapshot or ctx.snapshot
    table = snapshot.physical.table(USER)
    columns = {name: table.c[name] for name in ("username", "name", "language", "time_zone", "is_active", DEPARTMENT)
               if name in table.c}  # fmt: skip
    with ctx.tenant.database.read() as connection:
        wanted = sa.select(*columns.values()).where(table.c.id == user, table.c.deleted_at.is_(None))
        found = connection.sa.execute(wanted).first() if types.is_id(user) else None
        if found is None:
            raise NotFound(f"no user '{user}'", code="user.unknown")
        row: Mapping[str, Any] = dict(zip(columns, found, strict=True))
        pairs = held(snapshot)
        person, role = pairs.selected_columns
        roles = connection.sa.execute(pairs.where(person == user).with_only_columns(role)).scalars().all()
        sets = sets_of(connection, snapshot, user, ctx.now.date())
    own = row.get(DEPARTMENT)
    actor = Actor(
        user, row["username"], row["name"] or "", frozenset(map(str, roles)), row["language"] or "en",
        zone_of(row["time_zone"] or "UTC"), departments=Departments(ctx.tenant, own, snapshot) if own else (),
        permission_sets=frozenset(sets), teams=Teams(ctx.tenant, user, snapshot),
    )  # fmt: skip
    return Standing(context_of(ctx.tenant, actor, ctx.now, snapshot), bool(row["is_active"]))


def sources_of(connection: Connection, snapshot: Snapshot, user: str, today: date) -> list[Source]:
    """Where the permission sets come from that were given to a person, their department or their teams, today."""
    if not {ASSIGNMENT, TEAM, DEPARTMENT} <= snapshot.definitions.objects.keys():
        return []
    given, person = snapshot.physical.table(ASSIGNMENT), snapshot.physical.table(USER)
    own = sa.select(person.c[DEPARTMENT]).where(person.c.id == user).scalar_subquery()
    up = upwards(snapshot, own, "above_them")
    team = snapshot.physical.table(TEAM)
    teams = [
        row[0] for row in connection.sa.execute(
            sa.select(team.c.id, team.c.members).where(team.c.deleted_at.is_(None), team.c.is_active)
        ) if user in (row[1] or ())
    ]  # fmt: skip
    ways = {"user": given.c.user == user, DEPARTMENT: given.c[DEPARTMENT].in_(sa.select(up.c.id)),
            TEAM: given.c.team.in_(teams)}  # fmt: skip
    is_valid = sa.or_(given.c.expires_on.is_(None), given.c.expires_on >= today)
    found: list[Source] = []
    for kind, condition in ways.items():
        wanted = sa.select(given.c.permission_set, given.c[kind], given.c.expires_on)
        rows = connection.sa.execute(wanted.where(given.c.deleted_at.is_(None), is_valid, condition))
        found += [Source(name, kind, str(holder), until) for name, holder, until in rows]
    return found
