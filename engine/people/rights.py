"""What people hold by their roles and permission sets, and whether that is no more than somebody else holds."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.people.departments import DEPARTMENT
from engine.people.memberships import given_sets
from engine.people.roles import held
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Connection
from metadata.model import ACTIONS, Grant

__all__ = ["are_all", "at_most_of_sets", "cover", "full_roles", "has_admin", "held_by", "of_roles"]

EVERYTHING = Grant("*", frozenset(ACTIONS))
Grants = Sequence[Grant]


def of_roles(snapshot: Snapshot, roles: Iterable[str]) -> Grants:
    """A role that has gone grants nothing."""
    known = snapshot.definitions.roles
    return [grant for role in roles if role in known for grant in known[role].grants]


def at_most_of_sets(sets: Iterable[str]) -> Grants:
    """What permission sets may grant. Their rights are not known here, so they count as everything where somebody
    gives them, and as nothing where somebody has them."""
    return [EVERYTHING for _ in sets]


def are_all(mine: Grants) -> bool:
    return cover(mine, [EVERYTHING])


def cover(mine: Grants, theirs: Grants) -> bool:
    """Whether each of their rights is one of mine, too."""
    return all(any(_holds(one, grant, action) for one in mine) for grant in theirs for action in grant.actions)


def _holds(mine: Grant, theirs: Grant, action: Any) -> bool:
    if action not in mine.actions or mine.object not in (theirs.object, "*"):
        return False
    return not mine.rows or (mine.object == theirs.object and mine.rows == theirs.rows)


def held_by(connection: Connection, snapshot: Snapshot, users: Sequence[str], today: date) -> Mapping[str, Grants]:
    """User -> what they hold now, deleted and inactive ones too."""
    pairs = held(snapshot)
    person, role = pairs.selected_columns
    roles: dict[str, list[str]] = {one: [] for one in users}
    for user_id, name in connection.sa.execute(pairs.where(person.in_(users)).with_only_columns(person, role)):
        roles[str(user_id)].append(name)
    return {
        one: [*of_roles(snapshot, roles[one]), *at_most_of_sets(_sets_of(connection, snapshot, one, today))]
        for one in users
    }


def _sets_of(connection: Connection, snapshot: Snapshot, user: str, today: date) -> list[str]:
    table = snapshot.physical.table("user")
    if DEPARTMENT not in table.c:
        return []
    own = sa.select(table.c[DEPARTMENT]).where(table.c.id == user).scalar_subquery()
    columns = given_sets(snapshot, sa.literal(user, types.Id()), own, sa.literal(today, types.Date()))
    found = connection.sa.execute(sa.select(*columns)).one() if columns else ()
    return [name for text in found if text for name in text.split(",")]


def full_roles(snapshot: Snapshot) -> list[str]:
    """Roles whose holders may do everything: administrators."""
    return [name for name, role in snapshot.definitions.roles.items() if are_all(role.grants)]


def has_admin(connection: Connection, snapshot: Snapshot) -> bool:
    """Whether some active person is an administrator."""
    pairs = held(snapshot)
    person, role = pairs.selected_columns
    user = snapshot.physical.table("user")
    wanted = (
        pairs.with_only_columns(user.c.id)
        .join(user, user.c.id == person)
        .where(role.in_(full_roles(snapshot)), user.c.deleted_at.is_(None), user.c.is_active)
        .limit(1)
    )
    return connection.sa.execute(wanted).first() is not None
