"""What the roles of a person let through: objects, actions, rows and fields. Cached per set of roles."""

from metadata.formula import Node
from metadata.model import Action

from engine.snapshot import Snapshot

__all__ = ["Scope", "full_scope", "scope_of"]


class Scope:
    """The union of what some roles grant. Immutable; `key` stands for it in caches of compiled statements."""

    key: str

    def can(self, action: Action, object_name: str) -> bool:
        raise NotImplementedError

    def rows(self, action: Action, object_name: str) -> Node | None:
        """The condition that a record must meet, or None: all records."""
        raise NotImplementedError

    def fields(self, object_name: str) -> tuple[str, ...]:
        """Readable field names, system fields included: id, version first; () for an object that cannot be read."""
        raise NotImplementedError


def scope_of(snapshot: Snapshot, roles: frozenset[str]) -> Scope:
    raise NotImplementedError


def full_scope(snapshot: Snapshot) -> Scope:
    raise NotImplementedError
