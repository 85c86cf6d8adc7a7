"""The departments that a person belongs to: their own and all above it. Asked for where a formula looks at them."""

from typing import Any

import sqlalchemy as sa

from engine.people.lazily import Lazily
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Compiled, compile_sql
from engine.tenants import Tenant

__all__ = ["DEPARTMENT", "Departments", "upwards"]

DEPARTMENT = "department"


class Departments(Lazily):
    """Ids, from the person's own department upwards; one statement when the first of them is looked at."""

    __slots__ = ()

    def __init__(self, tenant: Tenant, own: str, snapshot: Snapshot | None = None) -> None:
        """On the version of the request, or on the one that runs."""
        super().__init__(lambda: _above(tenant, own, snapshot or tenant.snapshot()))


def _above(tenant: Tenant, own: str, snapshot: Snapshot) -> list[str]:
    compiled = _statement(snapshot)
    with tenant.database.read() as connection:
        return [row[0] for row in connection.rows(compiled.sql, compiled.bind({"_own": own}))]


def _statement(snapshot: Snapshot) -> Compiled:
    if "departments" not in snapshot.cache:
        up = upwards(snapshot, sa.bindparam("_own", type_=types.Id()))
        snapshot.cache["departments"] = compile_sql(sa.select(up.c.id), snapshot.dialect)
    compiled: Compiled = snapshot.cache["departments"]
    return compiled


def upwards(snapshot: Snapshot, own: sa.ColumnElement[Any], name: str = "up") -> sa.CTE:
    """`id` of a living department and of all above it, nearest first."""
    table = snapshot.physical.table(DEPARTMENT)
    by = snapshot.definitions.objects[DEPARTMENT].tree
    first, above = table.alias(f"{name}a"), table.alias(f"{name}b")
    start: Any = sa.select(first.c.id.label("id"), first.c[by].label("above")).where(
        first.c.id == own, first.c.deleted_at.is_(None)
    )
    up: sa.CTE = start.cte(name, recursive=True)
    return up.union(sa.select(above.c.id, above.c[by]).where(above.c.id == up.c.above, above.c.deleted_at.is_(None)))
