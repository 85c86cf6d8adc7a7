"""Puts grants, ways and rules about one person and one record into reasons. Names only what the asker may see."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from engine.access.grants import READING, Given
from engine.access.reasons import Link, Reason
from engine.context import Context
from engine.people.standing import Source, sources_of
from engine.service_reads import titles
from engine.store import rows_shares
from engine.store.database import Connection
from engine.store.types import utc_text
from metadata.model import Action, Object, Text, say

__all__ = ["HIDDEN_NAME", "Teller"]

HIDDEN_NAME = "…"
MOST_LEVELS = 100
SETS = {"user": "grant.set_of_user", "department": "grant.set_of_department", "team": "grant.set_of_team"}


class Teller:
    """One question. `asker` is who reads the answer, `person` whom it is about."""

    def __init__(self, asker: Context, person: Context, connection: Connection) -> None:
        self.asker, self.person, self.connection = asker, person, connection
        self.snapshot, self.user = person.snapshot, person.actor.id
        self._sources: list[Source] | None = None

    def label(self, text: Text) -> str:
        return say(text, self.asker.language)

    def object(self, name: str) -> str:
        return self.label(self.snapshot.definitions.objects[name].label)

    def name(self, object_name: str, record: str | None) -> str:
        if object_name == "user" and record == self.user:
            return self.person.actor.name or self.person.actor.username
        found = titles(self.asker, object_name, [record]) if record else {}
        return found.get(record or "", "") or HIDDEN_NAME

    def reason(self, code: str, links: Sequence[Link] = (), **values: str) -> Reason:
        return Reason(code, (("person", self.name("user", self.user)), *values.items()), tuple(links))

    def sources(self) -> list[Source]:
        if self._sources is None:
            self._sources = sources_of(self.connection, self.snapshot, self.user, self.person.now.date())
        return self._sources

    def grant(self, given: Given, action: str, object_name: str) -> list[Reason]:
        """By what the person has it: one reason, or one for each way by which a set was given to them."""
        definitions, told = self.snapshot.definitions, {"action": action, "object": self.object(object_name)}
        if not given.permission_set:
            role = definitions.roles[given.role]
            return [self.reason("grant.role", [Link("role", role.name)], role=self.label(role.label), **told)]
        one = definitions.permission_sets[given.permission_set]
        links, told = [Link("permission_set", one.name)], {"set": self.label(one.label), **told}
        if given.role:
            role = definitions.roles[given.role]
            return [self.reason("grant.set_of_role", [*links, Link("role", role.name)],
                                role=self.label(role.label), **told)]  # fmt: skip
        return [
            self.reason(SETS[source.kind], [*links, Link(source.kind, source.holder)],
                        holder=self.name(source.kind, source.holder), **told)
            for source in self.sources() if source.permission_set == one.name
        ]  # fmt: skip

    def brief(self, given: Given) -> str:
        """A grant in a sentence about something else: "Seller", "Insight"."""
        if given.permission_set:
            return self.label(self.snapshot.definitions.permission_sets[given.permission_set].label)
        return self.label(self.snapshot.definitions.roles[given.role].label)

    def types(self, definition: Object, names: Sequence[str]) -> str:
        known = {one.name: self.label(one.label) for one in definition.record_types}
        return ", ".join(known.get(name, name) for name in names)

    def everybody(self, definition: Object, given: Given) -> Reason:
        """Why whose a record is does not matter to a grant."""
        is_wide = bool({"view_all", "modify_all"} & given.grant.actions) or given.grant.reach == "all"
        if is_wide and definition.sharing != "edit":
            return self.reason("way.all")
        return self.reason("way.open", object=self.object(definition.name))

    def way(self, name: str, object_name: str, record: str, action: Action, owner: str | None) -> Iterator[Reason]:
        """Of a way that was asked of the database, and lets the record through."""
        if name == "share":
            yield from self._shares(object_name, record, action)
        elif name.startswith("sharing rule "):
            yield self._rule(name.removeprefix("sharing rule "))
        elif name == "managers":
            chain = self._chain(owner)
            links = [Link("user", one) for one in chain]
            yield self.reason("way.managers", links, chain=" → ".join(self.name("user", one) for one in chain))
        elif name == "departments":
            department = self._headed(owner)
            links = [Link("department", department)] if department else []
            yield self.reason("way.departments", [*links, *self._owner(owner)], owner=self.name("user", owner),
                              department=self.name("department", department))  # fmt: skip
        elif name == "owner":
            yield self.reason("way.owner", self._owner(owner))
        else:
            yield self.reason(f"way.{name}", self._owner(owner), owner=self.name("user", owner))

    def _owner(self, owner: str | None) -> list[Link]:
        return [Link("user", owner)] if owner else []

    def _shares(self, object_name: str, record: str, action: Action) -> Iterator[Reason]:
        actor = self.person.actor
        holders = {actor.id, *actor.teams, *actor.departments, *actor.roles}
        accesses = ("read", "edit") if action in READING else ("edit",)
        for row in rows_shares.of_record(self.connection, self.snapshot, object_name, record):
            until = row["expires_at"]
            if row["to"] not in holders or row["access"] not in accesses or (until and until <= self.person.now):
                continue
            is_role = row["kind"] == "role"
            role = self.snapshot.definitions.roles.get(row["to"]) if is_role else None
            holder = self.label(role.label) if role else self.name(row["kind"], row["to"])
            values = {"by": self.name("user", row["by"]), "holder": holder, "access": row["access"]}
            links = [Link("share", row["id"]), Link(row["kind"], row["to"])]
            links += [Link("user", row["by"])] if row["by"] else []
            if until:
                yield self.reason("way.share_until", links, until=utc_text(until), **values)
            else:
                yield self.reason("way.share", links, **values)

    def _rule(self, name: str) -> Reason:
        rule, definitions = self.snapshot.definitions.sharing_rules[name], self.snapshot.definitions
        roles = [self.label(definitions.roles[one].label) for one in rule.roles if one in self.person.actor.roles]
        holders = ", ".join(roles or [*rule.departments, *rule.teams])
        return self.reason("way.rule", [Link("sharing_rule", name)], rule=self.label(rule.label), holders=holders)

    def _row(self, object_name: str, record: str | None, *names: str) -> Mapping[str, Any]:
        table = self.snapshot.physical.table(object_name)
        wanted = sa.select(*(table.c[name] for name in names)).where(table.c.id == record)
        found = self.connection.sa.execute(wanted).first() if record else None
        return dict(zip(names, found, strict=True)) if found else {}

    def _chain(self, owner: str | None) -> list[str]:
        """From the owner up to the person."""
        chain, here = [owner or ""], owner
        for _ in range(MOST_LEVELS):
            here = self._row("user", here, "manager").get("manager")
            if here is None:
                break
            chain.append(here)
            if here == self.user:
                break
        return chain

    def _headed(self, owner: str | None) -> str | None:
        """The department, nearest to the owner, that the person heads."""
        here = self._row("user", owner, "department").get("department")
        by = self.snapshot.definitions.objects["department"].tree
        for _ in range(MOST_LEVELS):
            row = self._row("department", here, "head", by)
            if not row or row["head"] == self.user:
                return here
            here = row[by]
        return None
