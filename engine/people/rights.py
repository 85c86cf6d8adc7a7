"""What people hold by their roles and permission sets, and whether that is no more than somebody else holds.

A role or permission set that the definitions do not have grants nothing to whoever holds it. Where somebody gives it,
it counts as everything: it may be defined tomorrow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine.access import cover as compared
from engine.access.scope import Scope, scope_of
from engine.people.memberships import sets_of
from engine.people.roles import held
from engine.snapshot import Snapshot
from engine.store.database import Connection

__all__ = ["Rights", "are_all", "cover", "full_roles", "has_admin", "held_by"]


@dataclass(frozen=True, slots=True)
class Rights:
    roles: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()

    def scope(self, snapshot: Snapshot) -> Scope:
        return scope_of(snapshot, self.roles, self.sets)

    def are_known(self, snapshot: Snapshot) -> bool:
        definitions = snapshot.definitions
        return self.roles <= definitions.roles.keys() and self.sets <= definitions.permission_sets.keys()


def are_all(snapshot: Snapshot, mine: Rights) -> bool:
    """Whether they make an administrator."""
    key = ("all rights", mine)
    if key not in snapshot.cache:
        snapshot.cache[key] = compared.are_all(mine.scope(snapshot))
    found: bool = snapshot.cache[key]
    return found


def cover(snapshot: Snapshot, mine: Rights, theirs: Rights) -> bool:
    """Whether each of their rights is one of mine, too."""
    if are_all(snapshot, mine):
        return True
    if not theirs.are_known(snapshot):
        return False
    key = ("covered rights", mine, theirs)
    if key not in snapshot.cache:
        snapshot.cache[key] = compared.cover(mine.scope(snapshot), theirs.scope(snapshot))
    found: bool = snapshot.cache[key]
    return found


def held_by(connection: Connection, snapshot: Snapshot, users: Sequence[str], today: date) -> Mapping[str, Rights]:
    """User -> what they hold now, deleted and inactive ones too."""
    pairs = held(snapshot)
    person, role = pairs.selected_columns
    roles: dict[str, list[str]] = {one: [] for one in users}
    for user_id, name in connection.sa.execute(pairs.where(person.in_(users)).with_only_columns(person, role)):
        roles[str(user_id)].append(name)
    return {one: Rights(frozenset(roles[one]), frozenset(sets_of(connection, snapshot, one, today))) for one in users}


def full_roles(snapshot: Snapshot) -> list[str]:
    """Roles whose holders may do everything: administrators."""
    return [name for name in snapshot.definitions.roles if are_all(snapshot, Rights(frozenset({name})))]


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
