"""The people around a person: those below them, and those in their departments. Asked for where a rule looks at them.

Read from the database once per request, so that a manager or a department that changed counts at once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from engine.people.lazily import Lazily
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Compiled, compile_sql
from engine.tenants import Tenant

__all__ = ["NOBODY", "WAYS", "circle_of"]

USER, DEPARTMENT = "user", "department"


class Person(Protocol):
    """engine.context.Actor, which is made of what stands here."""

    @property
    def id(self) -> str: ...
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def departments(self) -> Sequence[str]: ...
    @property
    def teams(self) -> Sequence[str]: ...


def circle_of(tenant: Tenant, snapshot: Snapshot, person: Person) -> Mapping[str, Sequence[str]]:
    """What statements bind: `_people_managers` and so on, whose records the person has by that word of a rule;
    `_holders`, what records are shared with; `_in_department`, `_in_team`."""

    def found(way: str) -> Callable[[], Sequence[str]]:
        return lambda: _people(tenant, snapshot, way, person.id)

    return {
        **{f"_people_{way}": Lazily(found(way)) for way in WAYS},
        "_holders": Lazily(lambda: [person.id, *person.teams, *person.departments, *sorted(person.roles)]),
        "_in_department": person.departments, "_in_team": person.teams,
    }  # fmt: skip


def _people(tenant: Tenant, snapshot: Snapshot, way: str, user: str) -> Sequence[str]:
    key = ("circle", way)
    if key not in snapshot.cache:
        snapshot.cache[key] = compile_sql(WAYS[way](snapshot), snapshot.dialect)
    compiled: Compiled = snapshot.cache[key]
    with tenant.database.read() as connection:
        return [row[0] for row in connection.rows(compiled.sql, compiled.bind({"_user": user}))]


def _user() -> sa.BindParameter[str]:
    return sa.bindparam("_user", type_=types.Id())


def _below(snapshot: Snapshot) -> sa.Select[Any]:
    """All whose manager, or whose manager's manager, the person is. A circle ends, and holds the person, too."""
    user = snapshot.physical.table(USER)
    first, next_ = user.alias("a"), user.alias("b")
    below = sa.select(first.c.id).where(first.c.manager == _user(), first.c.deleted_at.is_(None))
    tree = below.cte("below", recursive=True)
    tree = tree.union(sa.select(next_.c.id).where(next_.c.manager == tree.c.id, next_.c.deleted_at.is_(None)))
    return sa.select(tree.c.id)


def _in_departments(snapshot: Snapshot, start: sa.Select[Any], is_deep: bool) -> sa.Select[Any]:
    """The people in the departments that `start` gives, and in those below if `is_deep`."""
    department, user = snapshot.physical.table(DEPARTMENT), snapshot.physical.table(USER).alias("u")
    found: Any = start.cte("found", recursive=is_deep)
    if is_deep:
        child, by = department.alias("c"), snapshot.definitions.objects[DEPARTMENT].tree
        found = found.union(sa.select(child.c.id).where(child.c[by] == found.c.id, child.c.deleted_at.is_(None)))
    return sa.select(user.c.id).where(user.c.department.in_(sa.select(found.c.id)), user.c.deleted_at.is_(None))


def _headed(snapshot: Snapshot) -> sa.Select[Any]:
    department = snapshot.physical.table(DEPARTMENT).alias("d")
    start = sa.select(department.c.id).where(department.c.head == _user(), department.c.deleted_at.is_(None))
    return _in_departments(snapshot, start, is_deep=True)


def _colleagues(snapshot: Snapshot, is_deep: bool) -> sa.Select[Any]:
    """Those in the person's own department."""
    department, me = snapshot.physical.table(DEPARTMENT).alias("d"), snapshot.physical.table(USER).alias("m")
    own = sa.select(department.c.id).select_from(department.join(me, me.c.department == department.c.id))
    start = own.where(me.c.id == _user(), department.c.deleted_at.is_(None))
    return _in_departments(snapshot, start, is_deep)


WAYS: Mapping[str, Callable[[Snapshot], sa.Select[Any]]] = {
    "managers": _below,
    "departments": _headed,
    "department": lambda snapshot: _colleagues(snapshot, is_deep=False),
    "department_and_below": lambda snapshot: _colleagues(snapshot, is_deep=True),
}
NOBODY: Mapping[str, Sequence[str]] = dict.fromkeys(
    (*(f"_people_{way}" for way in WAYS), "_holders", "_in_department", "_in_team"), ()
)  # fmt: skip
