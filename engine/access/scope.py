"""What the roles of a person let through: objects, actions, rows and fields. Made once per set of roles and version.

The grants of all roles add up, `"*"` being a grant on every object. A grant without a row rule lets all records
through; otherwise a record passes when it meets the rule of one grant. An object without `read` is as if it did not
exist: in lists, in paths, in what the API tells of the definitions.

A record that belongs to another one, its master, follows that one: it is read where its master is, and written where
its master may be updated; of several that it belongs to at once, where all of them may be. Grants that name its object
limit that further.
"""

from engine.access.masters import belongs, through
from engine.snapshot import Snapshot
from metadata.formula import And, Node, Or, definition_names, parse
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
        self._named = frozenset(grant.object for grant in grants)
        self._rules: dict[tuple[str, str], tuple[Node, ...]] = {}
        self._fields: dict[str, dict[str, Field]] = {}

    def can(self, action: Action, object_name: str) -> bool:
        """Whether some record of the object may be reached by this action."""
        definition = self.snapshot.definitions.objects.get(object_name)
        if definition is None or (definition.kind == "single" and action in ("create", "delete")):
            return False
        if not definition.masters:
            return self._is_granted(action, object_name)
        return self.allows_lines(action, object_name) and self._reaches(action, object_name)

    def allows_lines(self, action: Action, object_name: str) -> bool:
        """Whether the grants that name an object let its records be written along with their master."""
        return object_name not in self._named or self._is_granted(action, object_name)

    def _is_granted(self, action: Action, object_name: str) -> bool:
        return (action, object_name) in self._grants or (action, "*") in self._grants

    def _reaches(self, action: Action, object_name: str) -> bool:
        """Whether some master can be; of an object whose records belong to all of theirs, whether each can be."""
        definition = self.snapshot.definitions.objects[object_name]
        found = {field.name for field, _, _ in self._masters(action, object_name)}
        return len(found) == len(definition.masters) if definition.belongs_to_all else bool(found)

    def _masters(self, action: Action, object_name: str) -> list[tuple[Field, str, tuple[Node, ...]]]:
        """(reference, master's object, its row rules) of the masters by which the object's records may be reached."""
        wanted: Action = "read" if action == "read" else "update"
        return [
            (field, name, self.rows(wanted, name))
            for field in self.snapshot.definitions.objects[object_name].masters
            for name in ((field.target,) if field.target else field.targets)
            if name != object_name and self.can(wanted, name)
        ]

    def actions(self, object_name: str) -> tuple[Action, ...]:
        return tuple(action for action in ACTIONS if self.can(action, object_name))

    def objects(self) -> tuple[str, ...]:
        """Names of the objects that can be read, in the order of the definitions."""
        return tuple(name for name in self.snapshot.definitions.objects if self.can("read", name))

    def rows(self, action: Action, object_name: str) -> tuple[Node, ...]:
        """Conditions of which a record must meet one; () when every record will do."""
        key = (action, object_name)
        if key not in self._rules:
            definition = self.snapshot.definitions.objects.get(object_name)
            own = self.own_rows(action, object_name)
            self._rules[key] = (
                self._with_masters(action, object_name, own) if definition and definition.masters else own
            )
        return self._rules[key]

    def own_rows(self, action: Action, object_name: str) -> tuple[Node, ...]:
        """The same, of the object's own grants alone: what limits lines that are written with their master."""
        definition = self.snapshot.definitions.objects.get(object_name)
        if definition and definition.masters and object_name not in self._named:
            return ()
        grants = [*self._grants.get((action, object_name), ()), *self._grants.get((action, "*"), ())]
        texts = [] if any(not grant.rows for grant in grants) else list(dict.fromkeys(g.rows for g in grants))
        return tuple(self._rule(object_name, text) for text in texts)

    def _with_masters(self, action: Action, object_name: str, own: tuple[Node, ...]) -> tuple[Node, ...]:
        masters = self._masters(action, object_name)
        count = sum(len(field.targets) or 1 for field in self.snapshot.definitions.objects[object_name].masters)
        if len(masters) == count and not any(rules for _, _, rules in masters):
            return own
        ways: dict[str, list[Node]] = {}
        for field, name, rules in masters:
            there = belongs(field, name)
            way = And((there, Or(tuple(through(field, name, rule) for rule in rules)))) if rules else there
            ways.setdefault(field.name, []).append(way)
        found: Node = Or(tuple(way for each in ways.values() for way in each))
        if self.snapshot.definitions.objects[object_name].belongs_to_all:
            found = And(tuple(Or(tuple(each)) for each in ways.values()))
        return (And((Or(own), found)),) if own else (found,)

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
            if not field.is_hidden and name not in SYSTEM_FIELDS and not field.is_list_of_records
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
