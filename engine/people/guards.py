"""Nobody gives, or takes away, rights that they do not have; and somebody always may do everything.

Each guard stands around the statements that write rows of one object, whatever path they come by: engine/store/rows.py.
A role in a line, a person's department, a team's members and a permission set that is assigned all give rights.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import Conflict, EngineError, Forbidden
from engine.people import rights
from engine.people.departments import DEPARTMENT, upwards
from engine.people.memberships import ASSIGNMENT, TEAM
from engine.people.rights import Rights
from engine.people.roles import ROLE
from engine.store import types
from engine.store.database import Connection

__all__ = ["GUARDS", "MANAGING", "Guard", "may_manage", "need_manager"]

Changes = Mapping[str, Mapping[str, Any]]
"""Record -> the values that are about to be written."""

Guard = Callable[[Context, Connection, Changes, bool], AbstractContextManager[None]]
"""(who, connection, changes, whether the records are new); raises before or after the rows are written."""

MANAGING = "manage_users"  # the system permission
OF_A_PERSON = frozenset(("username", "email", "is_active", "deleted_at", "department", "manager"))
NOT_ONES_OWN = frozenset(("is_active", "deleted_at", "department", "manager"))


def may_manage(ctx: Context, connection: Connection, users: Iterable[str]) -> None:
    """Raises Forbidden unless the person has all rights that these users have."""
    if _may_all(ctx):
        return
    need_manager(ctx)
    for theirs in rights.held_by(connection, ctx.snapshot, list(users), ctx.now.date()).values():
        if not rights.cover(ctx.snapshot, _mine(ctx), theirs):
            message = "this person has rights that you do not have"
            raise Forbidden(message, code="people.more_rights", fix="ask an administrator")


def need_manager(ctx: Context) -> None:
    """Raises Forbidden unless the person manages users."""
    if not ctx.scope.has(MANAGING):
        raise Forbidden("you do not manage users", code="people.manage", fix="ask an administrator")


@contextmanager
def _user(ctx: Context, connection: Connection, changes: Changes, is_new: bool) -> Iterator[None]:
    names = {name for values in changes.values() for name in values}
    if not is_new and not names & OF_A_PERSON:
        yield
        return
    if not _may_all(ctx):
        if is_new:
            need_manager(ctx)
        elif changes.keys() != {ctx.actor.id}:
            may_manage(ctx, connection, changes)
        if ctx.actor.id in changes and not is_new and changes[ctx.actor.id].keys() & NOT_ONES_OWN:
            raise _own("department, manager or activity")
        wanted = {values["department"] for values in changes.values() if values.get("department") is not None}
        _may_give_sets(ctx, _sets_of_departments(ctx, connection, wanted))
    if is_new or not names & {"is_active", "deleted_at"}:
        yield
        return
    with _an_admin_stays(ctx, connection):
        yield
    for one, values in changes.items():
        if values.get("deleted_at") is not None or not values.get("is_active", True):
            # What runs is moved by what runs approvals, which writes records, as this module guards.
            from engine.process.leavers import reassign_leaver

            reassign_leaver(ctx, connection, one)


@contextmanager
def _role(ctx: Context, connection: Connection, changes: Changes, is_new: bool) -> Iterator[None]:
    if not _may_all(ctx):
        before = [] if is_new else _stored(ctx, connection, ROLE, ("user", "role"), changes)
        people = {row[0] for row in before} | {values.get("user") for values in changes.values()}
        if ctx.actor.id in people:
            raise _own("roles")
        need_manager(ctx)
        given = {values["role"] for values in changes.values() if values.get("role") is not None}
        for role in sorted({row[1] for row in before} | given):
            if not rights.cover(ctx.snapshot, _mine(ctx), Rights(roles=frozenset({role}))):
                raise _beyond(f"the role '{role}'")
    if is_new:
        yield
        return
    with _an_admin_stays(ctx, connection):
        yield


@contextmanager
def _assignment(ctx: Context, connection: Connection, changes: Changes, is_new: bool) -> Iterator[None]:
    if not _may_all(ctx):
        before = [] if is_new else _stored(ctx, connection, ASSIGNMENT, ("user", "permission_set"), changes)
        if ctx.actor.id in {row[0] for row in before} | {values.get("user") for values in changes.values()}:
            raise _own("permission sets")
        need_manager(ctx)
        given = {values["permission_set"] for values in changes.values() if values.get("permission_set") is not None}
        _may_give_sets(ctx, {row[1] for row in before} | given)
    yield


@contextmanager
def _team(ctx: Context, connection: Connection, changes: Changes, is_new: bool) -> Iterator[None]:
    names = {name for values in changes.values() for name in values}
    if not is_new and names & {"members", "is_active", "deleted_at"} and not _may_all(ctx):
        given = ctx.snapshot.physical.table(ASSIGNMENT)
        _may_give_sets(ctx, _sets(ctx, connection, given.c.team.in_(list(changes))))
    yield


@contextmanager
def _department(ctx: Context, connection: Connection, changes: Changes, is_new: bool) -> Iterator[None]:
    """Who works in a department has what is given to those above it."""
    names = {name for values in changes.values() for name in values}
    if names & {"parent", "deleted_at"} and not _may_all(ctx):
        above = {values["parent"] for values in changes.values() if values.get("parent") is not None}
        _may_give_sets(ctx, _sets_of_departments(ctx, connection, above | (set() if is_new else set(changes))))
    yield


GUARDS: Mapping[str, Guard] = {
    "user": _user, ROLE: _role, ASSIGNMENT: _assignment, TEAM: _team, DEPARTMENT: _department,
}  # fmt: skip


def _mine(ctx: Context) -> Rights:
    return Rights(ctx.actor.roles, ctx.actor.permission_sets)


def _may_all(ctx: Context) -> bool:
    """A token for certain objects makes no administrators, whoever's it is."""
    return ctx.actor.is_system or (ctx.scope.has(MANAGING) and rights.are_all(ctx.snapshot, _mine(ctx)))


def _may_give_sets(ctx: Context, names: Iterable[str]) -> None:
    for name in sorted(names):
        if not rights.cover(ctx.snapshot, _mine(ctx), Rights(sets=frozenset({name}))):
            raise _beyond(f"the permission set '{name}'")


def _sets_of_departments(ctx: Context, connection: Connection, departments: Iterable[str]) -> set[str]:
    given = ctx.snapshot.physical.table(ASSIGNMENT)
    found: set[str] = set()
    for one in departments:
        up = upwards(ctx.snapshot, sa.literal(one, types.Id()))
        found |= _sets(ctx, connection, given.c.department.in_(sa.select(up.c.id)))
    return found


def _sets(ctx: Context, connection: Connection, condition: sa.ColumnElement[bool]) -> set[str]:
    given = ctx.snapshot.physical.table(ASSIGNMENT)
    wanted = sa.select(given.c.permission_set).where(given.c.deleted_at.is_(None), condition)
    return set(connection.sa.execute(wanted).scalars())


def _stored(
    ctx: Context, connection: Connection, object_name: str, names: Sequence[str], ids: Iterable[str]
) -> Sequence[Any]:
    table = ctx.snapshot.physical.table(object_name)
    wanted = sa.select(*(table.c[name] for name in names)).where(table.c.id.in_(list(ids)))
    return connection.sa.execute(wanted).all()


@contextmanager
def _an_admin_stays(ctx: Context, connection: Connection) -> Iterator[None]:
    """Of two who would take the last two away at once, the second waits and is refused."""
    if connection.dialect == "postgresql":
        name = f"fieldstone administrators {ctx.tenant.database.schema}"
        connection.run("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
    was_there = rights.has_admin(connection, ctx.snapshot)
    yield
    if was_there and not rights.has_admin(connection, ctx.snapshot):
        message = "nobody would be an administrator any more"
        raise Conflict(message, code="people.last_admin", fix="make somebody else an administrator first")


def _beyond(what: str) -> EngineError:
    message = f"{what} has rights that you do not have, so you may not give it or take it away"
    return Forbidden(message, code="people.more_rights", fix="ask an administrator")


def _own(what: str) -> EngineError:
    message = f"nobody changes their own {what}"
    return Forbidden(message, code="people.own_rights", fix="ask another administrator")
