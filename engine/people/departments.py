"""The departments that a person belongs to: their own and all above it. Asked for where a formula looks at them."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import sqlalchemy as sa

from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Compiled, compile_sql
from engine.tenants import Tenant

__all__ = ["DEPARTMENT", "Departments"]

DEPARTMENT = "department"


class Departments(Sequence[str]):
    """Ids, from the person's own department upwards; one statement when the first of them is looked at."""

    __slots__ = ("_found", "_own", "_tenant")

    def __init__(self, tenant: Tenant, own: str) -> None:
        self._tenant, self._own = tenant, own
        self._found: tuple[str, ...] | None = None

    def _ids(self) -> tuple[str, ...]:
        if self._found is None:
            snapshot = self._tenant.snapshot()
            compiled = _statement(snapshot)
            with self._tenant.database.read() as connection:
                rows = connection.rows(compiled.sql, compiled.bind({"_own": self._own}))
            self._found = tuple(row[0] for row in rows)
        return self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids())

    def __len__(self) -> int:
        return len(self._ids())

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._ids()[index]


def _statement(snapshot: Snapshot) -> Compiled:
    if "departments" not in snapshot.cache:
        table = snapshot.physical.table(DEPARTMENT)
        by = snapshot.definitions.objects[DEPARTMENT].tree
        first, above = table.alias("a"), table.alias("b")
        start: Any = sa.select(first.c.id.label("id"), first.c[by].label("above")).where(
            first.c.id == sa.bindparam("_own", type_=types.Id()), first.c.deleted_at.is_(None)
        )
        up = start.cte("up", recursive=True)
        up = up.union(sa.select(above.c.id, above.c[by]).where(above.c.id == up.c.above, above.c.deleted_at.is_(None)))
        snapshot.cache["departments"] = compile_sql(sa.select(up.c.id), snapshot.dialect)
    compiled: Compiled = snapshot.cache["departments"]
    return compiled
