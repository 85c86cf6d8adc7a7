"""docs/permissions.md once more: plain Python over lists of dicts, slow and without a look at the engine.

`definitions` are the documents of a package as YAML gives them. A world holds `users` (id, manager, department,
deleted), `departments` (id, name, parent, head, deleted), `teams` (id, name, members, is_active), `shares` (object,
record, to, access, expires_at) and `records` (object -> list of dicts with id and owner). Formulas are not read here:
`predicates` holds for each text what it means, as `(world, person, record) -> bool`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Person", "Reference", "World"]

Dict = dict[str, Any]
READING = ("read", "export", "unmask")
IMPLIED = {"view_all": ["read"], "modify_all": ["read", "update", "delete"]}
REACHES = {"own": 0, "department": 1, "department_and_below": 2, "all": 3}
ACCESS = {  # name -> (sees, writes); what is seen is 0 nothing, 1 the mask, 2 the value
    "hidden": (0, False), "masked": (1, False), "read": (2, False), "edit_masked": (1, True), "edit": (2, True),
}  # fmt: skip


@dataclass
class World:
    now: Any
    users: list[Dict] = field(default_factory=list)
    departments: list[Dict] = field(default_factory=list)
    teams: list[Dict] = field(default_factory=list)
    shares: list[Dict] = field(default_factory=list)
    records: dict[str, list[Dict]] = field(default_factory=dict)

    def user(self, id_: str | None) -> Dict | None:
        return next((one for one in self.users if one["id"] == id_ and not one["deleted"]), None)

    def department(self, id_: str | None) -> Dict | None:
        return next((one for one in self.departments if one["id"] == id_ and not one["deleted"]), None)

    def record(self, object_name: str, id_: str | None) -> Dict | None:
        return next((one for one in self.records[object_name] if one["id"] == id_), None)

    def managers(self, id_: str) -> set[str]:
        """All above a living user, as far as none of them was deleted. Of a circle the user, too."""
        found: set[str] = set()
        here = self.user(id_)
        while here is not None and (above := self.user(here["manager"])) is not None and above["id"] not in found:
            found.add(above["id"])
            here = above
        return found

    def upwards(self, id_: str | None) -> list[str]:
        """A department and all above it."""
        found: list[str] = []
        here = self.department(id_)
        while here is not None and here["id"] not in found:
            found.append(here["id"])
            here = self.department(here["parent"])
        return found


@dataclass(frozen=True)
class Person:
    id: str
    roles: frozenset[str]
    sets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grant:
    object: str
    can: frozenset[str]
    rows: str
    record_types: tuple[str, ...]
    reach: str
    fields: Mapping[str, str]


class Reference:
    def __init__(self, definitions: list[Dict], predicates: Mapping[str, Callable[..., bool]]) -> None:
        def all_of(kind: str) -> dict[str, Dict]:
            return {one[kind]: one for one in definitions if kind == next(iter(one))}

        self.objects, self.roles, self.sets = all_of("object"), all_of("role"), all_of("permission_set")
        self.sharing_rules, self.restrictions = all_of("sharing_rule"), all_of("restriction_rule")
        self.predicates = predicates
        self.world = World(None)

    # Grants

    def grants(self, person: Person) -> list[Grant]:
        if "admin" in person.roles:
            return [Grant("*", frozenset({"create", "read", "update", "delete", "view_all", "modify_all", "share"}),
                          "", (), "all", {})]  # fmt: skip
        found: list[Grant] = []
        for name in person.roles:
            role = self.roles[name]
            for said in (role, *(self.sets[one] for one in role.get("permission_sets", ()))):
                found += grants_in(said)
        for name in person.sets:
            found += grants_in(self.sets[name])
        return found

    def granting(self, person: Person, action: str, object_name: str) -> list[Grant]:
        return [one for one in self.grants(person) if one.object in (object_name, "*") and action in one.can]

    def meets(self, person: Person, rows: str, record: Dict) -> bool:
        return not rows or self.predicates[rows](self.world, person, record)

    # Records

    def master(self, object_name: str) -> tuple[str, str] | None:
        """(reference, object) of the master."""
        for name, said in self.objects[object_name]["fields"].items():
            if said.get("master"):
                return name, said["to"]
        return None

    def may(self, person: Person, action: str, object_name: str, record: Dict, *, is_given: bool = False) -> bool:
        """`is_given`: the record as it is written, by who gives it to another owner."""
        for rule in self.restrictions.values():
            is_meant = not rule.get("for") or person.roles & set(rule["for"]["roles"])
            is_spared = person.roles & set(rule.get("except", {}).get("roles", ()))
            is_on_it = rule["object"] == object_name and is_meant and not is_spared
            if is_on_it and not self.meets(person, rule["rows"], record):
                return False
        is_named = any(one.object == object_name for one in self.grants(person))
        lets = [one for one in self.granting(person, action, object_name) if self.lets(person, one, record)]
        if master := self.master(object_name):
            reference, above = master
            if is_named and not lets:
                return False
            asked = {"read": "read", "create": "update", "update": "update", "delete": "update"}.get(action, action)
            found = self.world.record(above, record[reference])
            return (
                found is not None and self.may(person, "read", above, found) and self.may(person, asked, above, found)
            )
        return any(
            action == "create" or is_given or self.is_theirs(person, action, object_name, one, record) for one in lets
        )

    def lets(self, person: Person, grant: Grant, record: Dict) -> bool:
        is_type = not grant.record_types or record.get("record_type") in grant.record_types
        return is_type and self.meets(person, grant.rows, record)

    def is_theirs(self, person: Person, action: str, object_name: str, grant: Grant, record: Dict) -> bool:
        """By this grant, as far as the action asks it."""
        sharing = self.objects[object_name].get("sharing", "edit")
        if sharing == "edit" or (sharing == "read" and action in READING):
            return True
        if self.is_for_good(person, object_name, grant, record):
            return True
        if action == "delete":
            return False
        accesses = ("read", "edit") if action in READING else ("edit",)
        if action in READING and "view_all" in grant.can:
            return True
        return any(
            self.is_shared(person, object_name, record, one)
            or any(self.is_ruled(person, rule, object_name, record, one) for rule in self.sharing_rules.values())
            for one in accesses
        )

    def is_for_good(self, person: Person, object_name: str, grant: Grant, record: Dict) -> bool:
        if record["owner"] == person.id or grant.reach == "all" or "modify_all" in grant.can:
            return True
        world, hierarchy = self.world, self.objects[object_name].get("hierarchy", ["managers"])
        owner = world.user(record["owner"])
        if owner is None:
            return False
        if "managers" in hierarchy and person.id in world.managers(owner["id"]):
            return True
        up = world.upwards(owner["department"])
        headed = {one["id"] for one in world.departments if one["head"] == person.id and not one["deleted"]}
        if "departments" in hierarchy and headed & set(up):
            return True
        me = next(one for one in world.users if one["id"] == person.id)
        own = world.department(me["department"])
        if own is None:
            return False
        if grant.reach == "department":
            return bool(owner["department"] == own["id"])
        return grant.reach == "department_and_below" and own["id"] in up

    def holders(self, person: Person) -> set[str]:
        me = next(one for one in self.world.users if one["id"] == person.id)
        return {person.id, *self.world.upwards(me["department"]), *self.teams(person), *person.roles}

    def teams(self, person: Person) -> set[str]:
        return {one["id"] for one in self.world.teams if person.id in one["members"] and one["is_active"]}

    def is_shared(self, person: Person, object_name: str, record: Dict, access: str) -> bool:
        return any(
            one["object"] == object_name and one["record"] == record["id"] and one["access"] == access
            and one["to"] in self.holders(person) and (one["expires_at"] is None or one["expires_at"] > self.world.now)
            for one in self.world.shares
        )  # fmt: skip

    def is_ruled(self, person: Person, rule: Dict, object_name: str, record: Dict, access: str) -> bool:
        if rule["object"] != object_name or rule.get("access", "read") != access:
            return False
        shares_with, holders = rule["with"], self.holders(person)
        named = {one["id"] for one in self.world.departments if one["name"] in shares_with.get("departments", ())}
        named |= {one["id"] for one in self.world.teams if one["name"] in shares_with.get("teams", ())}
        is_member = bool(named & holders or person.roles & set(shares_with.get("roles", ())))
        return is_member and self.meets(person, rule.get("rows", ""), record)

    # Objects and fields

    def knows(self, person: Person, action: str, object_name: str) -> bool:
        """Whether some record of the object may be reached by the action at all."""
        is_named = any(one.object == object_name for one in self.grants(person))
        if master := self.master(object_name):
            asked = {"read": "read"}.get(action, "update")
            own = not is_named or bool(self.granting(person, action, object_name))
            return own and self.knows(person, asked, master[1]) and self.knows(person, "read", master[1])
        return bool(self.granting(person, action, object_name))

    def access(self, person: Person, action: str, object_name: str, name: str) -> tuple[int, bool]:
        """(what is seen, whether it is written), by the grants that have the action."""
        if name in ("id", "version"):
            return ACCESS["edit"]
        grants = self.granting(person, action, object_name)
        master = self.master(object_name)
        if master and not any(one.object == object_name for one in self.grants(person)):
            asked = "read" if action == "read" else "update"
            above = self.granting(person, asked, master[1])
            grants = [] if any(one.object == master[1] for one in above) else above
        said = [(self.says(one, object_name, name), one) for one in grants]
        widest = [one for one, grant in said if all(self.covers(grant, other, action, object_name) for other in grants)]
        if widest:
            return max(sees for sees, _ in widest), any(writes for _, writes in widest)
        levels = [one for one, _ in said] or [ACCESS["edit"]]
        return min(sees for sees, _ in levels), all(writes for _, writes in levels)

    def says(self, grant: Grant, object_name: str, name: str) -> tuple[int, bool]:
        found = grant.fields.get(name, grant.fields.get("*", "edit"))
        definition = self.objects[object_name]["fields"].get(name, {})
        return ACCESS["hidden"] if found in ("masked", "edit_masked") and "mask" not in definition else ACCESS[found]

    def covers(self, grant: Grant, other: Grant, action: str, object_name: str) -> bool:
        is_wide = not grant.rows or grant.rows == other.rows
        types = not grant.record_types or (
            bool(other.record_types) and set(other.record_types) <= set(grant.record_types)
        )
        return is_wide and types and self.rank(grant, action, object_name) >= self.rank(other, action, object_name)

    def rank(self, grant: Grant, action: str, object_name: str) -> int:
        sharing = self.objects[object_name].get("sharing", "edit")
        if self.master(object_name) or sharing == "edit" or (sharing == "read" and action in READING):
            return 0  # all reach as far
        if action == "create":
            return 0
        if "modify_all" in grant.can or ("view_all" in grant.can and action in READING):
            return REACHES["all"]
        return REACHES[grant.reach]

    def sees(self, person: Person, object_name: str, name: str) -> int:
        """0 nothing, 1 the mask, 2 the value, of the records that they may read."""
        own, _ = self.access(person, "read", object_name, name)
        for there, read in self.reads(object_name, name):
            is_known = self.knows(person, "read", there)
            if is_known and self.sees(person, there, read) < 2:
                return 0
            if not is_known and there != object_name and self.objects[object_name]["fields"][name]["type"] == "rollup":
                return 0
        return own

    def reads(self, object_name: str, name: str) -> Iterator[tuple[str, str]]:
        """What a field is worked out from: said in the definition as `help: "object.field object.field"`."""
        said = self.objects[object_name]["fields"].get(name, {})
        if said.get("type") in ("formula", "rollup") and not said.get("reveals"):
            for one in said["help"].split():
                there, _, read = one.partition(".")
                yield there, read

    def writes(self, person: Person, action: str, object_name: str, name: str) -> bool:
        _, writes = self.access(person, action, object_name, name)
        return writes and (not self.knows(person, "read", object_name) or self.sees(person, object_name, name) > 0)


def grants_in(said: Dict) -> Iterator[Grant]:
    for object_name, more in said.get("objects", {}).items():
        more = {"can": more} if isinstance(more, list) else more
        can = set(more["can"]).union(*(IMPLIED.get(action, []) for action in more["can"]))
        fields = {
            name: one if isinstance(one, str) else one["access"] + ("_masked" if one.get("mask") else "")
            for name, one in more.get("fields", {}).items()
        }
        types = tuple(more.get("record_types", ()))
        yield Grant(object_name, frozenset(can), more.get("rows", ""), types, more.get("reach", "own"), fields)
