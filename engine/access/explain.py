"""Why a person may do something to a record, or what is missing for it. Asks the database about one record.

The answer is made of what the Scope is made of: grants with their rows, ways of sharing, restriction rules. Each of
them is one statement on the record, so that no rule is read in two ways. tests/access hold that it says what happens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import sqlalchemy as sa

from engine.access.grants import Given, implied
from engine.access.masters import belongs
from engine.access.reasons import Link, Reason
from engine.access.rules import own_rule, row_rule
from engine.access.scope import FOLLOWS
from engine.access.sharing import restrictions, ways
from engine.access.telling import Teller
from engine.context import Context
from engine.store import types
from engine.store.database import Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import rule_on
from engine.store.references import pointed
from metadata.formula import Node
from metadata.model import SYSTEM_FIELDS, Action

__all__ = ["Explanation", "Way", "explain", "meets"]

MOST_WAYS = 20
ALSO: dict[Action, tuple[Action, ...]] = {"update": ("read",), "delete": ("read",), "export": ("read",),
                                          "approve": ("read",), "share": ("read", "update")}  # fmt: skip
"""What is asked besides the action itself: a record that is not seen is unknown to all else."""


@dataclass(frozen=True, slots=True)
class Way:
    """Reasons that hold together, the grant first: each of them is needed, and no more."""

    steps: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Any of `ways` suffices, the shortest first, unless `missing` or a part of `needs` says otherwise."""

    action: Action
    is_allowed: bool
    ways: tuple[Way, ...] = ()
    missing: tuple[Reason, ...] = ()  # what would have to be there, or takes the record away
    needs: tuple["Explanation", ...] = ()  # of other actions that are asked, too


def explain(
    asker: Context, person: Context, object_name: str, record_id: str, action: Action, is_active: bool = True
) -> Explanation:
    """`person` is the Context of whom it is asked about, `asker` that of who reads the answer, and whether they may is
    for the caller to find out. `record_id` is "" where it is asked of the object alone: may they, of some record?"""
    with person.tenant.database.read() as connection:
        teller = Teller(asker, person, connection)
        found = explained(teller, object_name, record_id, action)
        if not is_active:
            found = replace(found, is_allowed=False, missing=(teller.reason("missing.inactive"), *found.missing))
    return found


def explained(teller: Teller, object_name: str, record_id: str, action: Action) -> Explanation:
    if action == "unmask" and teller.person.scope.has("unmask"):
        read = of_action(teller, object_name, record_id, "read")
        way = Way((teller.reason("system.unmask"),))
        return Explanation(action, read.is_allowed, (way,), (), (read,))
    own = of_action(teller, object_name, record_id, action)
    also = ALSO.get(action, ("read",) if action == "unmask" else ())
    needs = tuple(of_action(teller, object_name, record_id, one) for one in also)
    return replace(own, is_allowed=own.is_allowed and all(one.is_allowed for one in needs), needs=needs)


def of_action(teller: Teller, object_name: str, record_id: str, action: Action) -> Explanation:
    """By the action's own rules alone."""
    person = teller.person
    definition = person.snapshot.definitions.objects[object_name]
    if definition.kind == "single" and action in ("create", "delete"):
        return Explanation(action, False, (), (teller.reason("missing.kind", object=teller.object(object_name)),))
    if not record_id:
        return of_object(teller, object_name, action)
    own, missing = granted(teller, object_name, record_id, action)
    if definition.masters:
        is_named = any(one.grant.object == object_name for one in person.scope.given)
        mine = own if is_named else [Way(())]
        followed, more = masters(teller, object_name, record_id, action)
        own = [Way((*one.steps, *other.steps)) for one in mine for other in followed]
        missing = [*(missing if is_named and not mine else ()), *more]
    held_by = [
        teller.reason("missing.restriction", [Link("restriction_rule", name)],
                      rule=teller.label(person.snapshot.definitions.restriction_rules[name].label),
                      rows=person.snapshot.definitions.restriction_rules[name].rows)
        for name, node in restrictions(person.snapshot, person.scope.roles, object_name)
        if not meets(person, teller.connection, object_name, record_id, node)
    ]  # fmt: skip
    found = sorted(own, key=lambda way: len(way.steps))[:MOST_WAYS]
    return Explanation(action, bool(found) and not held_by, tuple(found), (*held_by, *([] if found else missing)))


def grants(person: Context, object_name: str, action: Action) -> list[Given]:
    return [
        one for one in person.scope.given if one.grant.object in (object_name, "*") and action in implied(one.grant)
    ]


def granted(teller: Teller, object_name: str, record_id: str, action: Action) -> tuple[list[Way], list[Reason]]:
    """Of the grants on the object: each with each way by which the record is theirs, and what is missing."""
    person, connection = teller.person, teller.connection
    definition = person.snapshot.definitions.objects[object_name]
    given = grants(person, object_name, action)
    found: list[Way] = []
    missing: list[Reason] = []
    if not given:
        return [], [teller.reason("missing.grant", action=action, object=teller.object(object_name))]
    owner = value_of(person, connection, object_name, record_id, "owner")
    for one in given:
        if not meets(person, connection, object_name, record_id, own_rule(person.snapshot, object_name, one.grant)):
            missing += unmet(teller, object_name, record_id, one)
            continue
        by = teller.grant(one, action, object_name)
        asked = ways(person.snapshot, person.scope.roles, action, definition, one.grant)
        if not asked:
            open_to = () if definition.masters else (teller.everybody(definition, one),)
            found += [Way((grant, *open_to)) for grant in by]
            continue
        steps = [
            step for name, node in asked if meets(person, connection, object_name, record_id, node)
            for step in teller.way(name, object_name, record_id, action, owner)
        ]  # fmt: skip
        found += [Way((grant, step)) for grant in by for step in steps]
        if not steps:
            missing.append(teller.reason("missing.sharing", grant=teller.brief(one)))
    return found, missing


def unmet(teller: Teller, object_name: str, record_id: str, one: Given) -> Iterator[Reason]:
    """Which part of a grant's own rule the record does not meet."""
    person, definition = teller.person, teller.person.snapshot.definitions.objects[object_name]
    rows = row_rule(person.snapshot, object_name, one.grant.rows)
    is_met = meets(person, teller.connection, object_name, record_id, rows)
    if not is_met:
        yield teller.reason("missing.rows", grant=teller.brief(one), rows=one.grant.rows)
    if one.grant.record_types and is_met:
        types_ = teller.types(definition, one.grant.record_types)
        yield teller.reason("missing.types", grant=teller.brief(one), types=types_)


def masters(teller: Teller, object_name: str, record_id: str, action: Action) -> tuple[list[Way], list[Reason]]:
    """Of a record that follows: by which of its masters, and by what of these."""
    person, connection = teller.person, teller.connection
    definition = person.snapshot.definitions.objects[object_name]
    wanted = FOLLOWS.get(action, action)
    found: list[list[Way]] = []
    missing: list[Reason] = []
    for field in definition.masters:
        here: list[Way] = []
        for name, master in pointed(field, value_of(person, connection, object_name, record_id, field.name)):
            is_there = name != object_name and meets(person, connection, object_name, record_id, belongs(field, name))
            if not is_there:
                continue
            told = of_action(teller, name, master, wanted)
            values = {"object": teller.object(name), "title": teller.name(name, master), "action": wanted}
            if told.is_allowed:
                step = teller.reason("way.master", [Link(name, master)], **values)
                here += [Way((step, *way.steps)) for way in told.ways]
            else:
                missing += [teller.reason("missing.master", [Link(name, master)], **values), *told.missing]
        found.append(here)
    if definition.belongs_to_all:
        all_of = [Way(tuple(step for way in chosen for step in way.steps)) for chosen in product(*found)]
    else:
        all_of = [way for each in found for way in each]
    if not all_of and not missing:
        labels = ", ".join(teller.label(field.label) for field in definition.masters)
        missing = [teller.reason("missing.masters", masters=labels, action=wanted)]
    return all_of[:MOST_WAYS], missing


def of_object(teller: Teller, object_name: str, action: Action) -> Explanation:
    """Each grant, with what it asks of a record."""
    person, definition = teller.person, teller.person.snapshot.definitions.objects[object_name]
    is_allowed = person.scope.can(action, object_name)
    found: list[Way] = []
    for one in grants(person, object_name, action):
        limits = []
        if one.grant.rows:
            limits.append(teller.reason("limit.rows", rows=one.grant.rows))
        if one.grant.record_types:
            limits.append(teller.reason("limit.types", types=teller.types(definition, one.grant.record_types)))
        if not definition.masters:
            is_limited = action != "create" and bool(ways(person.snapshot, person.scope.roles, action, definition,
                                                          one.grant))  # fmt: skip
            limits += [teller.reason("limit.whose")] if is_limited else []
        found += [Way((grant, *limits)) for grant in teller.grant(one, action, object_name)]
    if definition.masters:
        labels = ", ".join(teller.label(field.label) for field in definition.masters)
        follows = teller.reason("way.follows", object=teller.object(object_name), masters=labels)
        is_named = any(one.grant.object == object_name for one in person.scope.given)
        found = [Way((*way.steps, follows)) for way in found] if is_named else [Way((follows,))]
    missing = () if is_allowed else (teller.reason("missing.grant", action=action, object=teller.object(object_name)),)
    return Explanation(action, is_allowed, tuple(found) if is_allowed else (), missing)


def value_of(person: Context, connection: Connection, object_name: str, record_id: str, name: str) -> str | None:
    """The stored value of a reference of the record, deleted or not."""
    table = person.snapshot.physical.table(object_name)
    if name not in table.c and name not in SYSTEM_FIELDS:
        return None
    column = person.snapshot.physical.column(object_name, name)
    found = connection.sa.execute(sa.select(column).where(table.c.id == record_id)).first()
    return found[0] if found else None


def meets(person: Context, connection: Connection, object_name: str, record_id: str, node: Node | None) -> bool:
    """Whether the record, deleted or not, meets a rule that is about this person."""
    if node is None:
        return True
    table = person.snapshot.physical.table(object_name).alias("t")
    rule = rule_on(person.snapshot, table, object_name, [node])
    wanted = sa.select(table.c.id).where(table.c.id == sa.bindparam("_id", type_=types.Id()), rule)
    compiled = compile_sql(wanted, person.snapshot.dialect)
    return bool(connection.rows(compiled.sql, compiled.bind({**actor_params(person), "_id": record_id})))
