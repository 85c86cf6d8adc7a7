"""A package with grants of all kinds, the worlds that it is tried in, and how a running tenant is made to hold one."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import yaml
from hypothesis import strategies as st

from engine.context import SYSTEM, Actor, Context, context_of
from engine.people.departments import Departments
from engine.people.memberships import Teams
from engine.service import Records
from engine.store import system
from engine.testing import Running
from tests.access.reference import Person, World

__all__ = ["DEFINITIONS", "NOTES", "PREDICATES", "TEXT", "WORLDS", "Held", "context"]

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
NOTES = ("closed", "shown", "open")  # private, read and edit
USERS, DEPARTMENTS, TEAMS, EACH = 6, 4, 2, 3
Dict = dict[str, Any]

PREDICATES = {
    "amount > 5": lambda world, person, one: one["amount"] > 5,
    "region == 'east'": lambda world, person, one: one["region"] == "east",
    "region != 'east'": lambda world, person, one: one["region"] != "east",
    "owner == user.id": lambda world, person, one: one["owner"] == person.id,
    "secret == 'x' or amount < 4": lambda world, person, one: one["secret"] == "x" or one["amount"] < 4,
    "peer.region == 'east'": lambda world, person, one: (
        (found := world.record("closed", one["peer"])) is not None and found["region"] == "east"
    ),
    "amount != 3": lambda world, person, one: one["amount"] != 3,
    "cost < 8": lambda world, person, one: one["cost"] < 8,
}
FIELDS = ("name", "amount", "region", "phone", "secret", "record_type", "owner", "*")


def note(name: str, sharing: str, hierarchy: list[str]) -> Dict:
    number = {"type": "formula", "returns": "integer"}
    fields: Dict = {
        "name": {"type": "text", "required": True},
        "amount": {"type": "integer", "required": True},
        "region": {"type": "choice", "choices": {"east": "East", "west": "West"}},
        "phone": {"type": "text", "mask": "phone"},
        "secret": {"type": "text"},
        "twice": {**number, "formula": "amount * 2", "help": f"{name}.amount"},
        "again": {**number, "formula": "twice + 1", "help": f"{name}.twice"},
        "bare": {**number, "formula": "amount * 3", "reveals": True, "help": f"{name}.amount"},
        "card": {"type": "formula", "returns": "text", "formula": "name + phone", "help": f"{name}.name {name}.phone"},
    }
    if name == "closed":
        fields["costs"] = {
            "type": "rollup", "of": "part.note", "operation": "sum", "field": "cost", "returns": "integer",
            "help": "part.note part.cost",
        }  # fmt: skip
    else:
        fields["peer"] = {"type": "reference", "to": "closed"}
    return {
        "object": name, "label": name, "sharing": sharing, "hierarchy": hierarchy, "search": ["name", "phone"],
        "record_types": {"a": {"label": "A", "default": True}, "b": "B"}, "fields": fields,
    }  # fmt: skip


def grant(chance: random.Random, object_name: str) -> Dict:
    actions = ["create", "read", "update", "delete", "share"]
    said: Dict = {"can": sorted({"read", *chance.sample(actions, chance.randint(1, 4))} - {chance.choice(actions)})}
    said["can"] += [one for one in ("view_all", "modify_all") if chance.random() < 0.12]
    said["can"] = said["can"] or ["read"]
    if object_name == "part":
        if chance.random() < 0.3:
            said["rows"] = "cost < 8"
        if chance.random() < 0.3:
            said["fields"] = {"cost": chance.choice(["hidden", "read"])}
        return said
    rows = [one for one in PREDICATES if one != "cost < 8" and (object_name != "closed" or "peer" not in one)]
    if chance.random() < 0.4:
        said["rows"] = chance.choice(rows[:3] if chance.random() < 0.5 else rows)
    if chance.random() < 0.2:
        said["record_types"] = chance.choice([["a"], ["b"], ["a", "b"]])
    if chance.random() < 0.4:
        said["reach"] = chance.choice(["own", "department", "department_and_below", "all"])
    if chance.random() < 0.6:
        levels: list[Any] = ["hidden", "masked", "read", "edit", {"access": "edit", "mask": True}]
        unmasked = ["hidden", "read", "edit"]
        said["fields"] = {
            name: chance.choice(levels if name in ("phone", "*") else unmasked)
            for name in chance.sample(FIELDS, chance.randint(1, 4))
        }
    return said


def holding(chance: random.Random) -> Dict:
    objects = {name: grant(chance, name) for name in NOTES if chance.random() < 0.7}
    if chance.random() < 0.25:
        objects["part"] = grant(chance, "part")
    if chance.random() < 0.12:
        objects["*"] = {"can": chance.choice([["read"], ["read", "update"], ["create", "read"], ["view_all"]])}
        if chance.random() < 0.4:
            objects["*"]["fields"] = {"*": chance.choice(["read", "edit"])}
    return objects


def package() -> list[Dict]:
    chance = random.Random(4)
    part = {
        "note": {"type": "reference", "to": "closed", "master": True}, "text": {"type": "text"},
        "cost": {"type": "integer", "required": True},
    }  # fmt: skip
    made: list[Dict] = [
        {"package": "world", "version": "1.0.0", "label": "World"},
        note("closed", "private", ["managers"]), note("shown", "read", ["managers", "departments"]),
        note("open", "edit", []),
        {"object": "part", "label": "Part", "title": "text", "fields": part},
        {"role": "base", "objects": {"user": ["read"], "department": ["read"], "team": ["read"]}},
        *({"permission_set": f"set{i}", "label": "S", "objects": holding(chance)} for i in range(8)),
        *({"role": f"role{i}", "objects": holding(chance), "permission_sets": chance.sample(
            [f"set{i}" for i in range(8)], chance.choice([0, 0, 1, 2]))} for i in range(24)),
        {"sharing_rule": "east", "object": "closed", "rows": "region == 'east'", "access": "read",
         "with": {"roles": ["role1", "role2", "role3"], "departments": ["d1"]}},
        {"sharing_rule": "teamed", "object": "closed", "rows": "amount > 5", "access": "edit",
         "with": {"teams": ["t0"], "departments": ["d2"]}},
        {"sharing_rule": "edited", "object": "shown", "rows": "amount > 5", "access": "edit",
         "with": {"teams": ["t1"], "roles": ["role4", "role5"]}},
        {"restriction_rule": "three", "object": "closed", "rows": "amount != 3", "except": {"roles": ["role6"]}},
        {"restriction_rule": "west", "object": "shown", "rows": "region != 'east'",
         "for": {"roles": ["role7", "role8", "role9", "admin"]}, "except": {"roles": ["role1"]}},
        {"restriction_rule": "cheap", "object": "part", "rows": "cost < 8", "for": {"roles": ["role1", "role10"]}},
    ]  # fmt: skip
    for one in made:
        if not one.get("permission_sets", True):
            del one["permission_sets"]
    return made


DEFINITIONS = package()
TEXT = yaml.safe_dump_all(DEFINITIONS, sort_keys=False)
ROLES = [one["role"] for one in DEFINITIONS if "role" in one and one["role"] != "base"]


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


user, department, place = st.integers(0, USERS - 1), st.integers(0, DEPARTMENTS - 1), st.integers(0, EACH - 1)
RECORD = st.fixed_dictionaries({
    "owner": user, "amount": st.integers(0, 9), "region": maybe(st.sampled_from(["east", "west"])),
    "phone": maybe(st.sampled_from(["13800138000", "13900139000"])), "secret": maybe(st.sampled_from(["x", "y"])),
    "record_type": st.sampled_from(["a", "b"]), "peer": maybe(place), "name": st.sampled_from(["ann", "bob"]),
})  # fmt: skip
WORLDS = st.fixed_dictionaries({
    "users": st.lists(st.tuples(maybe(user), maybe(department), st.integers(0, 9)), min_size=USERS, max_size=USERS),
    "departments": st.lists(st.tuples(maybe(user), st.integers(0, 9)), min_size=DEPARTMENTS, max_size=DEPARTMENTS),
    "parents": st.lists(maybe(department), min_size=DEPARTMENTS, max_size=DEPARTMENTS),
    "teams": st.lists(st.tuples(st.frozensets(user, max_size=3), st.integers(0, 9)), min_size=TEAMS, max_size=TEAMS),
    "records": st.fixed_dictionaries({name: st.lists(RECORD, min_size=EACH, max_size=EACH) for name in NOTES}),
    "parts": st.lists(st.tuples(place, st.integers(0, 9)), min_size=4, max_size=4),
    "shares": st.lists(st.tuples(
        st.sampled_from(NOTES[:2]), place, st.sampled_from(["user", "department", "team", "role"]), user,
        st.sampled_from(["read", "edit"]), st.sampled_from([None, -1, 1])), max_size=4),
    "people": st.lists(st.tuples(
        user, st.frozensets(st.sampled_from([*ROLES, *ROLES, "admin"]), max_size=3),
        st.frozensets(st.sampled_from([f"set{i}" for i in range(8)]), max_size=1)), min_size=2, max_size=2),
})  # fmt: skip


class Held:
    """The tenant, and the world that it holds; each new one is written over the last."""

    def __init__(self, site: Running) -> None:
        self.site, self.system = site, Records(context_of(site.tenant, SYSTEM, NOW))
        self.users = [site.user(f"u{i}") for i in range(USERS)]
        make = self.system.create
        self.departments = [make("department", {"name": f"d{i}"})["id"] for i in range(DEPARTMENTS)]
        self.teams = [make("team", {"name": f"t{i}"})["id"] for i in range(TEAMS)]
        values = {"name": "x", "amount": 1}
        self.records = {name: [make(name, values)["id"] for _ in range(EACH)] for name in NOTES}
        part = {"note": self.records["closed"][0], "cost": 1}
        self.parts = [make("part", {**part, "text": f"p{i}"})["id"] for i in range(4)]

    def put(self, drawn: Dict) -> World:
        world = World(NOW)
        self.bring_back()
        for i, (manager, department, luck) in enumerate(drawn["users"]):
            manager = None if manager is None or manager == i else self.users[manager]
            department = None if department is None else self.departments[department]
            world.users.append(
                {"id": self.users[i], "manager": manager, "department": department, "deleted": luck == 0}
            )
        break_circles(world)
        for i, (head, luck) in enumerate(drawn["departments"]):
            parent = drawn["parents"][i]
            parent = None if parent is None or parent >= i else self.departments[parent]
            head = None if head is None else self.users[head]
            world.departments.append({
                "id": self.departments[i], "name": f"d{i}", "parent": parent, "head": head, "deleted": luck == 0,
            })  # fmt: skip
        for i, (members, luck) in enumerate(drawn["teams"]):
            world.teams.append({
                "id": self.teams[i], "name": f"t{i}", "members": [self.users[one] for one in sorted(members)],
                "is_active": luck != 0,
            })  # fmt: skip
        for name, each in drawn["records"].items():
            world.records[name] = [self.record(name, i, one) for i, one in enumerate(each)]
        world.records["part"] = [
            {"id": self.parts[i], "note": self.records["closed"][at], "cost": cost, "text": f"p{i}"}
            for i, (at, cost) in enumerate(drawn["parts"])
        ]
        for object_name, at, kind, to, access, hours in drawn["shares"]:
            holder = {"user": self.users[to], "department": self.departments[to % DEPARTMENTS],
                      "team": self.teams[to % TEAMS], "role": ROLES[to]}[kind]  # fmt: skip
            expires_at = None if hours is None else NOW + timedelta(hours=hours)
            world.shares.append({
                "object": object_name, "record": self.records[object_name][at], "kind": kind, "to": holder,
                "access": access, "expires_at": expires_at,
            })  # fmt: skip
        self.write(world)
        return world

    def record(self, name: str, i: int, drawn: Dict) -> Dict:
        made = {**drawn, "id": self.records[name][i], "owner": self.users[drawn["owner"]]}
        peer = made.pop("peer")
        if name != "closed":
            made["peer"] = None if peer is None else self.records["closed"][peer]
        return made

    def write(self, world: World) -> None:
        update = self.system.update
        for one in world.users:
            update("user", one["id"], {"manager": None})
        for one in world.departments:
            update("department", one["id"], {"parent": None})
        for one in world.departments:
            update("department", one["id"], {"parent": one["parent"], "head": one["head"]})
        for one in world.users:
            update("user", one["id"], {"manager": one["manager"], "department": one["department"]})
        for one in world.teams:
            update("team", one["id"], {"members": one["members"], "is_active": one["is_active"]})
        for name in (*NOTES, "part"):
            for one in world.records[name]:
                update(name, one["id"], {key: value for key, value in one.items() if key != "id"})
        tables = self.site.tenant.snapshot().physical.names.tables
        with self.site.tenant.database.write() as connection:
            connection.sa.execute(sa.delete(system.share))
            for i, one in enumerate(world.shares):
                row = {**one, "object": tables[one["object"]], "id": f"019ab000-0000-7000-8000-{i:012d}",
                       "at": NOW, "by": None, "reason": None}  # fmt: skip
                connection.sa.execute(sa.insert(system.share).values(row))
            for kind, each in (("user", world.users), ("department", world.departments)):
                table = self.site.tenant.snapshot().physical.table(kind)
                for one in each:  # as a deletion marks them, without mending what refers to them
                    at = NOW if one["deleted"] else None
                    connection.sa.execute(sa.update(table).where(table.c.id == one["id"]).values(deleted_at=at))

    def bring_back(self) -> None:
        with self.site.tenant.database.write() as connection:
            for kind in ("user", "department"):
                table = self.site.tenant.snapshot().physical.table(kind)
                connection.sa.execute(sa.update(table).values(deleted_at=None))


def break_circles(world: World) -> None:
    """The engine refuses circles of managers."""
    for one in world.users:
        seen, here = {one["id"]}, one
        while here["manager"] is not None:
            here = next(each for each in world.users if each["id"] == here["manager"])
            if here["id"] in seen:
                one["manager"] = None
                break
            seen.add(here["id"])


def context(site: Running, person: Person) -> Context:
    with site.tenant.database.read() as connection:
        user = site.tenant.snapshot().physical.table("user")
        own = connection.sa.execute(sa.select(user.c.department).where(user.c.id == person.id)).scalar_one()
    username = next(name for name, id_ in site.made.items() if id_ == person.id)
    actor = Actor(
        person.id, username, departments=Departments(site.tenant, own) if own else (), roles=person.roles | {"base"},
        permission_sets=person.sets, teams=Teams(site.tenant, person.id),
    )  # fmt: skip
    return context_of(site.tenant, actor, NOW)
