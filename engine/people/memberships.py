"""What people belong to besides departments, and the permission sets that were given to them there."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.people.departments import DEPARTMENT, upwards
from engine.people.lazily import Lazily
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Compiled, Connection, compile_sql
from engine.tenants import Tenant

__all__ = ["ASSIGNMENT", "TEAM", "Teams", "given_sets", "sets_of"]

TEAM = "team"
ASSIGNMENT = "permission_assignment"


class Teams(Lazily):
    """Ids of the active teams that a person is in."""

    __slots__ = ()

    def __init__(self, tenant: Tenant, user: str, snapshot: Snapshot | None = None) -> None:
        """On the version of the request, or on the one that runs."""
        super().__init__(lambda: _active_teams(tenant, user, snapshot or tenant.snapshot()))


def _active_teams(tenant: Tenant, user: str, snapshot: Snapshot) -> list[str]:
    if TEAM not in snapshot.definitions.objects:
        return []
    if "teams" not in snapshot.cache:
        chosen = _teams_of(snapshot, sa.bindparam("_own", type_=types.Text()))
        ordered = chosen.order_by(chosen.selected_columns[0])
        snapshot.cache["teams"] = compile_sql(ordered, snapshot.dialect)
    compiled: Compiled = snapshot.cache["teams"]
    with tenant.database.read() as connection:
        return [row[0] for row in connection.rows(compiled.sql, compiled.bind({"_own": user}))]


def _teams_of(snapshot: Snapshot, user: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """An id stands in no other id, so it is found only where it is one of the members."""
    team = snapshot.physical.table(TEAM).alias("t")
    place = sa.func.instr if snapshot.dialect == "sqlite" else sa.func.strpos
    is_member = place(team.c.members, user, type_=sa.Integer()) > sa.literal_column("0")
    return sa.select(team.c.id).where(team.c.deleted_at.is_(None), team.c.is_active, is_member)


def given_sets(
    snapshot: Snapshot, user: sa.ColumnElement[Any], department: sa.ColumnElement[Any], today: sa.ColumnElement[Any]
) -> list[sa.ColumnElement[Any]]:
    """Permission sets that were given to a user, to their department or one above it, and to their active teams: three
    texts of names joined by commas. Each looks for its own in an index, so that none costs what the others hold."""
    if not {ASSIGNMENT, TEAM, DEPARTMENT} <= snapshot.definitions.objects.keys():
        return []
    own_text = sa.cast(user, sa.Text()) if snapshot.dialect == "postgresql" else user
    up = upwards(snapshot, department, "above_me")
    teams = _teams_of(snapshot, own_text)
    if isinstance(user, sa.Column):
        teams = teams.correlate(user.table)  # of the statement around, two levels up
    found = []
    for receiver in ("user", "department", "team"):
        given = snapshot.physical.table(ASSIGNMENT).alias(f"given_{receiver}")
        column = given.c[receiver]
        wanted = {
            "user": column == user,
            "department": column.in_(sa.select(up.c.id)),
            "team": column.in_(teams),
        }[receiver]
        name = given.c.permission_set
        joined = sa.func.group_concat(name, ",") if snapshot.dialect == "sqlite" else sa.func.string_agg(name, ",")
        is_valid = sa.or_(given.c.expires_on.is_(None), given.c.expires_on >= today)
        found.append(sa.select(joined).where(given.c.deleted_at.is_(None), is_valid, wanted).scalar_subquery())
    return found  # type: ignore[return-value]


def sets_of(connection: Connection, snapshot: Snapshot, user: str, today: date) -> list[str]:
    """Permission sets that were given to a user, by whatever way; names may be there twice."""
    table = snapshot.physical.table("user")
    if DEPARTMENT not in table.c:
        return []
    if "sets of" not in snapshot.cache:
        who, day = sa.bindparam("_user", type_=types.Id()), sa.bindparam("_today", type_=types.Date())
        own = sa.select(table.c[DEPARTMENT]).where(table.c.id == who).scalar_subquery()
        columns = given_sets(snapshot, who, own, day)
        snapshot.cache["sets of"] = compile_sql(sa.select(*columns), snapshot.dialect) if columns else None
    compiled: Compiled | None = snapshot.cache["sets of"]
    if compiled is None:
        return []
    [found] = connection.rows(compiled.sql, compiled.bind({"_user": user, "_today": today}))
    return [name for text in found if text for name in text.split(",")]
