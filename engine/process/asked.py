"""What a source of approvers may ask of a record and of the organisation. Each answer costs one statement at most."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import Conflict, EngineError, NotFound
from engine.people.chain import head_of, manager_chain
from engine.people.departments import DEPARTMENT
from engine.people.memberships import TEAM
from engine.people.roles import held
from engine.people.standing import standing_of
from engine.process.proposals import held_of
from engine.process.subject import Subject, record_of
from engine.rules.reach import values_of
from engine.store import types
from engine.store.database import Connection
from engine.store.failures import FAILURES
from engine.store.query import actor_params
from engine.store.rows import savepoint
from metadata.formula import FormulaError, definition_names

__all__ = ["Inquiry", "active_among"]

USER, QUEUE, POSITION = "user", "queue", "position"
ABOVE = " / "  # between the names of departments, each below the one before
MOST = 500  # people that one question gives


class Inquiry:
    """`engine.contracts.approver.Asked` about one record. `ctx` sees everything; functions that ask for the person
    acting are given the submitter."""

    def __init__(
        self, ctx: Context, connection: Connection, object_name: str, record_id: str, submitter: str,
        chosen: Sequence[str] = (), values: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """`values`: what the record holds, where it is being saved and the table does not have it yet."""
        self.ctx, self.connection, self.snapshot = ctx, connection, ctx.snapshot
        self.object, self.record = object_name, record_id
        self._submitter, self._chosen, self._values = submitter, tuple(chosen), values

    @property
    def submitter(self) -> str:
        return self._submitter

    @property
    def chosen(self) -> Sequence[str]:
        return self._chosen

    @cached_property
    def _owner(self) -> str | None:
        found = self.value("owner")
        return str(found) if found else None

    @property
    def owner(self) -> str | None:
        return self._owner

    @cached_property
    def _as_submitter(self) -> Context:
        if not self._submitter:
            return self.ctx
        try:
            return standing_of(self.ctx, self._submitter, self.snapshot).context
        except NotFound:
            return self.ctx

    def value(self, path: str) -> Any:
        object_name, record = self.object, self.record
        if self._values is not None:
            first, _, rest = path.partition(".")
            if not rest:
                return self._values.get(first)
            own = definition_names(self.snapshot.definitions.objects, object_name).resolve((first,))
            object_name, path = own.field.target if own is not None else "", rest
            record = str(self._values.get(first) or "") if object_name else ""
        if not types.is_id(record):
            return None
        rows = values_of(self.snapshot, self.connection, actor_params(self.ctx), object_name, (path,), "id", [record])
        if rows or self._values is not None:
            return rows[0].get(path) if rows else None
        held = held_of(self.ctx, self.connection, self.object, self.record)
        return None if held is None else Subject(self.ctx, self.connection, self.object, held, None).value(path)

    def users_at(self, path: str) -> Sequence[str]:
        found = definition_names(self.snapshot.definitions.objects, self.object).resolve(tuple(path.split(".")))
        if found is None:
            return ()
        target = found.field.target or next(iter(found.field.targets), "")
        if target and target != USER:
            path = f"{path}.owner"
        elif not target:
            return ()
        value = self.value(path)
        return [value] if isinstance(value, str) else [one for one in value or () if isinstance(one, str)]

    def formula(self, text: str) -> Any:
        return self._evaluated(text, is_condition=False)

    def holds(self, text: str) -> bool:
        return not text or self._evaluated(text, is_condition=True) is True

    def _evaluated(self, text: str, *, is_condition: bool) -> Any:
        """Raises Conflict where it cannot be: that is never taken for nobody, or for no."""
        try:
            with savepoint(self.connection):
                values = self._values
                if values is None:
                    values = record_of(self.ctx, self.connection, self.object, self.record)
                    values = values or held_of(self.ctx, self.connection, self.object, self.record)
                if values is None:
                    return None
                about = Subject(self._as_submitter, self.connection, self.object, values, values)
                return about.value(text, is_condition=is_condition)
        except (EngineError, FormulaError, *FAILURES, OSError, ValueError, ArithmeticError, LookupError) as error:
            message = f"the formula '{text}' of the approval cannot be evaluated: {error}"
            fix = "ask an administrator to mend the definition"
            raise Conflict(message, code="approval.condition", fix=fix) from error

    def user(self, username: str) -> str | None:
        table = self.snapshot.physical.table(USER)
        found = self.connection.sa.scalar(sa.select(table.c.id).where(table.c.username == username))
        return str(found) if found else None

    def role(self, name: str, department: str | None = None, below: bool = False) -> Sequence[str]:
        pairs = held(self.snapshot)
        person, role = pairs.selected_columns
        table = self.snapshot.physical.table(USER)
        return self._people([table.c.id.in_(pairs.where(role == name).with_only_columns(person))], department, below)

    def position(self, name: str, department: str | None = None, below: bool = False) -> Sequence[str]:
        table, position = self.snapshot.physical.table(USER), self.snapshot.physical.table(POSITION)
        named = sa.select(position.c.id).where(position.c.name == name, position.c.deleted_at.is_(None))
        return self._people([table.c.position.in_(named)], department, below)

    def members(self, department: str, below: bool = False) -> Sequence[str]:
        return self._people([], department, below)

    def team(self, name: str) -> Sequence[str]:
        table = self.snapshot.physical.table(TEAM)
        wanted = sa.select(table.c.members).where(table.c.name == name, table.c.deleted_at.is_(None), table.c.is_active)
        members = [one for found in self.connection.sa.scalars(wanted.order_by(table.c.id)) for one in found or ()]
        return self._active(members)

    def queue(self, name: str) -> Sequence[str]:
        table, team = self.snapshot.physical.table(QUEUE), self.snapshot.physical.table(TEAM)
        wanted = sa.select(table.c.members, table.c.teams).where(
            table.c.name == name, table.c.deleted_at.is_(None), table.c.is_active
        )
        rows = self.connection.sa.execute(wanted.order_by(table.c.id)).all()
        people = [one for row in rows for one in row[0] or ()]
        teams = [one for row in rows for one in row[1] or ()]
        if teams:
            living = sa.select(team.c.id, team.c.members).where(
                team.c.id.in_(teams), team.c.deleted_at.is_(None), team.c.is_active
            )
            members = {str(row[0]): row[1] or () for row in self.connection.sa.execute(living)}
            people += [person for one in teams for person in members.get(one, ())]
        return self._active(people)

    def department_of(self, user: str) -> str | None:
        table = self.snapshot.physical.table(USER)
        found = self.connection.sa.scalar(sa.select(table.c.department).where(table.c.id == user))
        return str(found) if found else None

    def departments(self, name: str) -> Sequence[str]:
        table = self.snapshot.physical.table(DEPARTMENT)
        steps = name.split(ABOVE)
        wanted = sa.select(table.c.id).where(table.c.name == steps[-1], table.c.deleted_at.is_(None))
        above: Any = table
        for depth, step in enumerate(reversed(steps[:-1])):
            below, above = above, table.alias(f"above{depth}")
            wanted = wanted.where(below.c.parent == above.c.id, above.c.name == step, above.c.deleted_at.is_(None))
        return [str(one) for one in self.connection.sa.scalars(wanted.order_by(table.c.id).limit(MOST))]

    def department_above(self, department: str) -> str | None:
        table = self.snapshot.physical.table(DEPARTMENT)
        found = self.connection.sa.scalar(
            sa.select(table.c.parent).where(table.c.id == department, table.c.deleted_at.is_(None))
        )
        return str(found) if found else None

    def head_of(self, department: str, but: str = "") -> str | None:
        found = head_of(self.connection, self.snapshot, department, but)
        return found.user if found else None

    def manager_chain(self, user: str) -> Sequence[str]:
        return manager_chain(self.connection, self.snapshot, user)

    def has_role(self, user: str, role: str) -> bool:
        pairs = held(self.snapshot)
        person, name = pairs.selected_columns
        return self.connection.sa.execute(pairs.where(person == user, name == role).limit(1)).first() is not None

    def _people(self, conditions: list[Any], department: str | None, below: bool) -> Sequence[str]:
        """Active ones that meet all of it, by user name."""
        table = self.snapshot.physical.table(USER)
        wanted = sa.select(table.c.id).where(table.c.deleted_at.is_(None), table.c.is_active, *conditions)
        if department is not None:
            within: Any = [department]
            if below:
                within = sa.select(downwards(self.snapshot, department).c.id)
            wanted = wanted.where(table.c.department.in_(within))
        return [str(one) for one in self.connection.sa.scalars(wanted.order_by(table.c.username).limit(MOST))]

    def _active(self, users: Sequence[str]) -> Sequence[str]:
        active = active_among(self.ctx, self.connection, users)
        return [one for one in dict.fromkeys(users) if active.get(one)]


def active_among(ctx: Context, connection: Connection, users: Sequence[str]) -> dict[str, bool]:
    """Those of the ids that are, or were, somebody's -> whether they are active."""
    wanted = [one for one in dict.fromkeys(users) if types.is_id(one)]
    if not wanted:
        return {}
    table = ctx.snapshot.physical.table(USER)
    rows = connection.sa.execute(
        sa.select(table.c.id, table.c.is_active, table.c.deleted_at).where(table.c.id.in_(wanted))
    )
    return {str(row[0]): bool(row[1]) and row[2] is None for row in rows}


def downwards(snapshot: Any, department: str) -> sa.CTE:
    """`id` of a living department and of all below it."""
    table = snapshot.physical.table(DEPARTMENT)
    by = snapshot.definitions.objects[DEPARTMENT].tree
    first, below = table.alias("downa"), table.alias("downb")
    start: Any = sa.select(first.c.id.label("id")).where(first.c.id == department, first.c.deleted_at.is_(None))
    down: sa.CTE = start.cte("down", recursive=True)
    return down.union(sa.select(below.c.id).where(below.c[by] == down.c.id, below.c.deleted_at.is_(None)))
