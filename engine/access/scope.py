"""What the roles of a person let through: objects, actions, rows and fields. Made once per set of roles and version.

The grants of all roles add up, `"*"` being a grant on every object. A grant without a row rule lets all records
through; otherwise a record passes when it meets the rule of one grant. An object without `read` is as if it did not
exist: in lists, in paths, in what the API tells of the definitions.
"""

from engine.snapshot import Snapshot
from metadata.formula import Node, definition_names, parse
from metadata.model import ACTIONS, SYSTEM_FIELDS, Action, Field, Grant

__all__ = ["Scope", "full_scope", "scope_of"]

FULL = "*"


class Scope:
    """The union of what some roles grant. Immutable; `key` stands for it in caches of compiled statements."""

    def __init__(self, snapshot: Snapshot, key: str, grants: tuple[Grant, ...]) -> None:
        self.snapshot = snapshot
        self.key = key
        self._grants: dict[tuple[str, str], list[Grant]] = {}
        for grant in grants:
            for action in grant.actions:
                self._grants.setdefault((action, grant.object), []).append(grant)
        self._rules: dict[tuple[str, str], tuple[Node, ...]] = {}
        self._fields: dict[str, dict[str, Field]] = {}

    def can(self, action: Action, object_name: str) -> bool:
        """Whether some record of the object may be reached by this action."""
        if object_name not in self.snapshot.definitions.objects:
            return False
        return (action, object_name) in self._grants or (action, "*") in self._grants

    def actions(self, object_name: str) -> tuple[Action, ...]:
        return tuple(action for action in ACTIONS if self.can(action, object_name))

    def objects(self) -> tuple[str, ...]:
        """Names of the objects that can be read, in the order of the definitions."""
        return tuple(name for name in self.snapshot.definitions.objects if self.can("read", name))

    def rows(self, action: Action, object_name: str) -> tuple[Node, ...]:
        """Conditions of which a record must meet one; () when every record will do."""
        key = (action, object_name)
        if key not in self._rules:
            grants = [*self._grants.get(key, ()), *self._grants.get((action, "*"), ())]
            texts = [] if any(not grant.rows for grant in grants) else list(dict.fromkeys(g.rows for g in grants))
            self._rules[key] = tuple(self._rule(object_name, text) for text in texts)
        return self._rules[key]

    def _rule(self, object_name: str, text: str) -> Node:
        names = definition_names(self.snapshot.definitions.objects, object_name)
        return parse(text, names, functions=self.snapshot.plugins.functions)

    def readable(self, object_name: str) -> dict[str, Field]:
        """Field name -> field of all that may be read, system fields included; {} for an object that may not be."""
        if object_name not in self._fields:
            found: dict[str, Field] = {}
            if self.can("read", object_name):
                found = {**self.snapshot.definitions.objects[object_name].fields, **SYSTEM_FIELDS}
            self._fields[object_name] = found
        return self._fields[object_name]

    def fields(self, object_name: str) -> tuple[str, ...]:
        """What a record is read with unless fields are named: id and version first, without hidden fields."""
        readable = self.readable(object_name)
        if not readable:
            return ()
        own = (
            name for name, field in readable.items()
            if not field.is_hidden and name not in SYSTEM_FIELDS and field.source not in ("lines", "inverse")
        )  # fmt: skip
        return ("id", "version", *own, *(name for name in SYSTEM_FIELDS if name not in ("id", "version")))


def scope_of(snapshot: Snapshot, roles: frozenset[str]) -> Scope:
    """The scope of these roles. A role that the definitions do not have grants nothing."""
    key = ("scope", roles)
    if key not in snapshot.cache:
        known = sorted(role for role in roles if role in snapshot.definitions.roles)
        grants = tuple(grant for role in known for grant in snapshot.definitions.roles[role].grants)
        snapshot.cache[key] = Scope(snapshot, ",".join(known), grants)
    scope: Scope = snapshot.cache[key]
    return scope


def full_scope(snapshot: Snapshot) -> Scope:
    """Everything: what the system itself works with."""
    key = ("scope", FULL)
    if key not in snapshot.cache:
        snapshot.cache[key] = Scope(snapshot, FULL, (Grant("*", frozenset(ACTIONS)),))
    scope: Scope = snapshot.cache[key]
    return scope
