"""What a person's roles and permission sets let through: objects, actions, rows and fields. Made once per set of these.

The grants add up, `"*"` being a grant on every object. A grant lets through the records that meet its rows and that the
person has: all, unless the object's `sharing` says otherwise (engine/access/sharing.py). Restriction rules take away
from all of it. An object without `read` is as if it did not exist: in lists, in paths, in what the API tells of the
definitions; so is a field that is hidden (engine/access/fields.py).

A record that belongs to another one, its master, follows that one: it is read where its master is, and written where
its master may be updated; of several that it belongs to at once, where all of them may be. Grants that name its object
limit that further.
"""

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

from engine.access.fields import ALWAYS, HIDDEN, MASKED, OPEN, Level, level_of, reads_of
from engine.access.grants import Given, gathered, implied, system_permissions
from engine.access.masks import mask_of
from engine.access.masters import belongs, through
from engine.access.rules import all_of, any_of, identity, own_rule
from engine.access.sharing import restrictions, shared
from engine.snapshot import Snapshot
from metadata.formula import And, Held, Node, Or
from metadata.formula.nodes import parts
from metadata.model import ACTIONS, GRANTABLE, SYSTEM_FIELDS, Action, Field, Grant

__all__ = ["Scope", "full_scope", "scope_of"]

FULL = "*"
FOLLOWS: dict[Action, Action] = {"read": "read", "create": "update", "update": "update", "delete": "update",
                                   "transfer": "update"}  # fmt: skip
"""What is asked of the master for an action on what belongs to it; the same action for all others."""
AS_UPDATE: dict[Action, Action] = {"transfer": "update"}


class Scope:
    """The union of what some grants give. Immutable; `key` stands for it in caches of compiled statements."""

    def __init__(
        self, snapshot: Snapshot, key: str, given: tuple[Given, ...], roles: frozenset[str] = frozenset(),
        system: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.snapshot, self.key, self.given, self.roles, self.system = snapshot, key, given, roles, system
        self.is_full = key == FULL
        self._grants: dict[tuple[str, str], list[Grant]] = {}
        for one in given:
            for action in implied(one.grant):
                self._grants.setdefault((action, one.grant.object), []).append(one.grant)
        self._named = frozenset(one.grant.object for one in given)
        self.limits_fields = any(one.grant.fields for one in given)
        self._rules: dict[tuple[str, str], tuple[Node, ...]] = {}
        self._shared: dict[tuple[str, str], bool] = {}
        self._fields: dict[str, dict[str, Field]] = {}
        self._levels: dict[tuple[Action, str, str], Level] = {}

    def has(self, permission: str) -> bool:
        """Whether this system permission is granted."""
        return self.is_full or permission in self.system or "*" in self.system

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

    def names(self, object_name: str) -> bool:
        """Whether a grant names the object."""
        return object_name in self._named

    def _is_granted(self, action: Action, object_name: str) -> bool:
        asked = AS_UPDATE.get(action, action)
        return (asked, object_name) in self._grants or (asked, "*") in self._grants

    def _reaches(self, action: Action, object_name: str) -> bool:
        """Whether some master can be; of an object whose records belong to all of theirs, whether each can be."""
        definition = self.snapshot.definitions.objects[object_name]
        found = {field.name for field, _, _ in self._masters(action, object_name)}
        return len(found) == len(definition.masters) if definition.belongs_to_all else bool(found)

    def _masters(self, action: Action, object_name: str) -> list[tuple[Field, str, tuple[Node, ...]]]:
        """(reference, master's object, its row rules) of the masters by which the object's records may be reached."""
        wanted = FOLLOWS.get(action, action)
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

    def is_shared(self, action: Action, object_name: str) -> bool:
        """Whether whose a record is decides about it: how many there are depends on who asks."""
        key = (action, object_name)
        if key not in self._shared:
            self._shared[key] = any(has_people(node) for node in self.rows(action, object_name))
        return self._shared[key]

    def own_rows(self, action: Action, object_name: str) -> tuple[Node, ...]:
        """The same, of the object's own grants alone: what limits lines that are written with their master."""
        definition = self.snapshot.definitions.objects.get(object_name)
        if definition is None or self.is_full:
            return ()
        found: tuple[Node, ...] = ()
        if not definition.masters or object_name in self._named:
            found = self._granted_rows(action, object_name)
        stays = [node for _, node in restrictions(self.snapshot, self.roles, object_name)]
        if stays:
            whole = all_of([any_of(found) if found else None, *stays])
            found = (whole,) if whole is not None else ()
        return found

    def _granted_rows(self, action: Action, object_name: str) -> tuple[Node, ...]:
        """Grants by what they ask of whose a record is; of each, one of its own rules must be met."""
        definition = self.snapshot.definitions.objects[object_name]
        is_transfer = action == "transfer"
        by_sharing: dict[Hashable, tuple[Node | None, dict[Hashable, Node | None]]] = {}
        for grant in self.grants(action, object_name):
            whose = None if is_transfer else shared(self.snapshot, self.roles, action, definition, grant)
            rule = own_rule(self.snapshot, object_name, grant)
            by_sharing.setdefault(identity(whose), (whose, {}))[1][identity(rule)] = rule
        found: list[Node] = []
        for whose, rules in by_sharing.values():
            rows = [] if None in rules else [rule for rule in rules.values() if rule is not None]
            if whose is None and not rows:
                return ()
            if whose is None:
                found += rows
            else:
                whole = all_of([any_of(rows) if rows else None, whose])
                assert whole is not None
                found.append(whole)
        return tuple(found)

    def grants(self, action: Action, object_name: str) -> list[Grant]:
        """Those that name the object, then those on every object."""
        asked = AS_UPDATE.get(action, action)
        return [*self._grants.get((asked, object_name), ()), *self._grants.get((asked, "*"), ())]

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

    def readable(self, object_name: str) -> dict[str, Field]:
        """Field name -> field of all that may be read, system fields included; {} for an object that may not be.

        A field of which the mask is seen `is_masked`; one that is seen and never written by this person is read-only.
        """
        if object_name not in self._fields:
            found: dict[str, Field] = {}
            if self.can("read", object_name):
                found = {**self.snapshot.definitions.objects[object_name].fields, **SYSTEM_FIELDS}
                if self.limits_fields:
                    seen = {name: self._as_seen(object_name, field) for name, field in found.items()}
                    found = {name: field for name, field in seen.items() if field is not None}
            self._fields[object_name] = found
        return self._fields[object_name]

    def _as_seen(self, object_name: str, field: Field) -> Field | None:
        sees = self.sees(object_name, field.name)
        if sees == HIDDEN:
            return None
        is_written = any(self.writes(object_name, field.name, is_new) for is_new in (True, False))
        is_read_only = field.is_read_only or not is_written
        if sees == OPEN and is_read_only == field.is_read_only:
            return field
        return replace(field, is_masked=sees == MASKED, is_read_only=is_read_only)

    def sees(self, object_name: str, field_name: str) -> int:
        """HIDDEN, MASKED or OPEN: of a field of an object that may be read; so is what it is worked out from."""
        if not self.limits_fields:
            return OPEN
        own = self._level("read", object_name, field_name).sees
        definition = self.snapshot.definitions.objects[object_name]
        field = definition.fields.get(field_name)
        if own == HIDDEN or field is None or field.reveals or field.source not in ("formula", "rollup"):
            return own
        # Records that may not be read are blank to a formula; a roll-up was worked out for all.
        for name, read in reads_of(self.snapshot, object_name, field):
            is_read = self.can("read", name)
            if (is_read and self.sees(name, read) != OPEN) or (not is_read and field.source == "rollup"):
                return HIDDEN
        return own

    def writes(self, object_name: str, field_name: str, is_new: bool) -> bool:
        """Whether the grants let it be written, whatever the field's own definition says."""
        if not self.limits_fields:
            return True
        level = self._level("create" if is_new else "update", object_name, field_name)
        return level.writes and self.sees(object_name, field_name) != HIDDEN

    def _level(self, action: Action, object_name: str, field_name: str) -> Level:
        key = (action, object_name, field_name)
        if key not in self._levels:
            definition = self.snapshot.definitions.objects[object_name]
            field = definition.fields.get(field_name) or SYSTEM_FIELDS.get(field_name)
            grants = self._field_grants(action, object_name)
            is_known = field is not None and field_name not in ALWAYS
            self._levels[key] = level_of(grants, action, definition.sharing, field) if field and is_known else Level()
        return self._levels[key]

    def _field_grants(self, action: Action, object_name: str) -> list[Grant]:
        """Grants that decide about fields: of records that follow their master without grants of their own, those on
        every object, unless the master is granted by its name."""
        definition = self.snapshot.definitions.objects[object_name]
        if not definition.masters or object_name in self._named:
            return self.grants(action, object_name)
        targets = [
            name for field in definition.masters for name in ((field.target,) if field.target else field.targets)
        ]
        wanted = FOLLOWS.get(action, action)
        if any(self._grants.get((wanted, name)) for name in targets):
            return []
        return list(self._grants.get((wanted, "*"), ()))

    def fields(self, object_name: str) -> tuple[str, ...]:
        """What a record is read with unless fields are named: id and version first, without hidden fields."""
        readable = self.readable(object_name)
        if not readable:
            return ()
        own = (
            name for name, field in readable.items()
            if not field.is_hidden and name not in SYSTEM_FIELDS and not field.is_list_of_records
        )  # fmt: skip
        system = (name for name in SYSTEM_FIELDS if name not in ("id", "version") and name in readable)
        return ("id", "version", *own, *system)

    def masks(self, object_name: str) -> dict[str, Callable[[Any], Any]]:
        """Field -> what makes its mask of a value that is not blank, for fields of which only that is seen."""
        if not self.limits_fields:
            return {}
        return {name: mask_of(field) for name, field in self.readable(object_name).items() if field.is_masked}

    def title(self, object_name: str) -> str:
        """The field that names a record to this person: its id where they may not see the title."""
        title = self.snapshot.definitions.objects[object_name].title
        return title if title in self.readable(object_name) else "id"


def has_people(node: Node) -> bool:
    return isinstance(node, Held) or any(has_people(part) for part in parts(node))


def scope_of(snapshot: Snapshot, roles: frozenset[str], sets: frozenset[str] = frozenset()) -> Scope:
    """The scope of these roles and permission sets. What the definitions do not have grants nothing."""
    key = ("scope", roles, sets)
    if key not in snapshot.cache:
        definitions = snapshot.definitions
        known = sorted(role for role in roles if role in definitions.roles)
        besides = sorted(name for name in sets if name in definitions.permission_sets)
        text = ",".join(known) + (f"+{','.join(besides)}" if besides else "")
        snapshot.cache[key] = Scope(
            snapshot, text, gathered(definitions, known, besides), frozenset(known),
            system_permissions(definitions, known, besides),
        )  # fmt: skip
    scope: Scope = snapshot.cache[key]
    return scope


def full_scope(snapshot: Snapshot) -> Scope:
    """Everything: what the system itself works with."""
    key = ("scope", FULL)
    if key not in snapshot.cache:
        snapshot.cache[key] = Scope(snapshot, FULL, (Given(Grant("*", frozenset(GRANTABLE))),))
    scope: Scope = snapshot.cache[key]
    return scope
