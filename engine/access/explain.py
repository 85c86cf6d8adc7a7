"""Why a person may do something to a record, or what is missing for it. Asks the database about one record.

The answer is made of what the Scope is made of: grants with their rows, ways of sharing, restriction rules. Each of
them is one statement on the record, so that no rule is read in two ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from engine.access.grants import Given, implied
from engine.access.rules import own_rule
from engine.access.sharing import restrictions, ways
from engine.context import Context
from engine.store import types
from engine.store.database import Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import rule_on
from metadata.formula import Node
from metadata.model import Action

__all__ = ["Allowed", "Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """One grant that lets the record through, and the ways by which it is the person's: () where all records are."""

    grant: str  # "role seller", "permission set x of role y"
    ways: tuple[str, ...] = ()  # "owner", "managers", "departments", "department", "share", "sharing rule x"


@dataclass(frozen=True, slots=True)
class Explanation:
    """`allowed`: any of these suffices. Where there is none, or `restricted_by` something, the action is refused."""

    action: Action
    is_allowed: bool
    allowed: tuple[Allowed, ...] = ()
    restricted_by: tuple[str, ...] = ()  # names of restriction rules
    missing: tuple[
        str, ...
    ] = ()  # what is not there: "grant", "rows of role seller", "sharing by role seller", "master"


def explain(person: Context, object_name: str, record_id: str, action: Action) -> Explanation:
    """`person` is the Context of whom it is asked about; may the asker see the record is for the caller to find out."""
    scope, definition = person.scope, person.snapshot.definitions.objects[object_name]
    given = [one for one in scope.given if one.grant.object in (object_name, "*") and action in implied(one.grant)]
    with person.tenant.database.read() as connection:
        held_by = [name for name, node in restrictions(person.snapshot, scope.roles, object_name)
                   if not meets(person, connection, object_name, record_id, node)]  # fmt: skip
        if definition.masters:
            return _followed(person, connection, object_name, record_id, action, held_by)
        allowed: list[Allowed] = []
        missing: list[str] = [] if given else ["grant"]
        for one in given:
            if not meets(person, connection, object_name, record_id, own_rule(person.snapshot, object_name, one.grant)):
                missing.append(f"rows of {one}")
            elif (found := _ways(person, connection, object_name, record_id, action, one)) is None:
                missing.append(f"sharing by {one}")
            else:
                allowed.append(Allowed(str(one), tuple(found)))
    is_allowed = bool(allowed) and not held_by
    return Explanation(action, is_allowed, tuple(allowed), tuple(held_by), () if allowed else tuple(missing))


def _ways(
    person: Context, connection: Connection, object_name: str, record_id: str, action: Action, one: Given
) -> Sequence[str] | None:
    """None: the record is not theirs by this grant; [] where all records are."""
    definition = person.snapshot.definitions.objects[object_name]
    asked = ways(person.snapshot, person.scope.roles, action, definition, one.grant)
    found = [name for name, node in asked if meets(person, connection, object_name, record_id, node)]
    return found if found or not asked else None


def _followed(
    person: Context, connection: Connection, object_name: str, record_id: str, action: Action, held_by: Sequence[str]
) -> Explanation:
    """Of a record that follows its master: what is asked of that one is explained by asking about it."""
    scope = person.scope
    rules = scope.rows(action, object_name)
    is_met = scope.can(action, object_name) and (
        not rules or any(meets(person, connection, object_name, record_id, node) for node in rules)
    )
    missing = () if is_met or held_by else ("master",)
    return Explanation(action, is_met, (Allowed("master"),) if is_met else (), tuple(held_by), missing)


def meets(person: Context, connection: Connection, object_name: str, record_id: str, node: Node | None) -> bool:
    """Whether the record, deleted or not, meets a rule that is about this person."""
    if node is None:
        return True
    table = person.snapshot.physical.table(object_name).alias("t")
    rule = rule_on(person.snapshot, table, object_name, [node])
    wanted = sa.select(table.c.id).where(table.c.id == sa.bindparam("_id", type_=types.Id()), rule)
    compiled = compile_sql(wanted, person.snapshot.dialect)
    return bool(connection.rows(compiled.sql, compiled.bind({**actor_params(person), "_id": record_id})))
