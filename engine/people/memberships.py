"""What people belong to besides departments, and the permission sets that were given to them there."""

from typing import Any

import sqlalchemy as sa

from engine.people.departments import DEPARTMENT, upwards
from engine.people.lazily import Lazily
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Compiled, compile_sql

__all__ = ["ASSIGNMENT", "TEAM", "Teams", "given_sets"]

TEAM = "team"
ASSIGNMENT = "permission_assignment"


class Teams(Lazily):
    """Ids of the active teams that a person is in."""

    __slots__ = ()

    def _find(self) -> tuple[str, ...]:
        snapshot = self._tenant.snapshot()
        if TEAM not in snapshot.definitions.objects:
            return ()
        if "teams" not in snapshot.cache:
            chosen = _teams_of(snapshot, sa.bindparam("_own", type_=types.Text()))
            ordered = chosen.order_by(chosen.selected_columns[0])
            snapshot.cache["teams"] = compile_sql(ordered, snapshot.dialect)
        compiled: Compiled = snapshot.cache["teams"]
        with self._tenant.database.read() as connection:
            rows = connection.rows(compiled.sql, compiled.bind({"_own": self._own}))
        return tuple(row[0] for row in rows)


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
