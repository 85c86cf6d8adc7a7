"""Paths such as `account.name`: what they mean to a Scope, and the joins that fetch them. Opens no connection."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from engine.access.masters import VIA, via
from engine.access.scope import Scope
from engine.errors import BadInput, InputProblem, NotFound
from engine.formula.fields import expression
from engine.snapshot import Snapshot
from engine.store.query_held import held
from engine.store.references import id_in
from metadata.formula import Held
from metadata.model import MAX_JOINS, SYSTEM_FIELDS, Field
from metadata.problem import nearest

__all__ = [
    "MAX_JOINS", "MAX_STEPS", "Joins", "OtherTables", "Target", "column_in_subquery", "need_object", "need_path",
    "walk",
]  # fmt: skip

MAX_STEPS = 6

Column = sa.ColumnElement[Any]
Steps = tuple[str, ...]
RowRule = Callable[[sa.FromClause, str], list[sa.ColumnElement[bool]]]
"""(an alias, its object) -> conditions of the Scope on its rows."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a path leads to."""

    steps: Steps
    field: Field
    object: str  # the object that `field` belongs to


def need_object(scope: Scope, object_name: str) -> None:
    """Raises NotFound for an object that does not exist or cannot be read: the answer is the same."""
    if not scope.can("read", object_name):
        guess = nearest(object_name, scope.objects())
        raise NotFound(f"no object '{object_name}'", code="object.unknown", fix=f"write '{guess}'?" if guess else "")


def need_path(scope: Scope, object_name: str, path: str, clause: str) -> Target:
    """The target of `path`. Raises BadInput: field.unknown, in the same words whether it is missing or hidden, and
    field.secret for a secret, field.masked for a value that is masked to this person, in any clause but `fields`."""
    steps = tuple(path.split("."))
    found = walk(scope, object_name, steps)
    if isinstance(found, Target):
        if found.field.is_list_of_records:
            raise is_a_list(path)
        if found.field.value == "secret" and clause != "fields":
            message = f"'{path}' is a secret: it can be named in fields only, where its mask is shown"
            problem = InputProblem(clause, "field.secret", message, "leave it out", (("name", path),))
            raise BadInput(message, code=problem.code, fix=problem.fix, problems=[problem])
        if found.field.is_masked and clause != "fields":
            message = f"of '{path}' you see the mask only: it can be named in fields, and nowhere else"
            problem = InputProblem(clause, "field.masked", message, "leave it out", (("name", path),))
            raise BadInput(message, code=problem.code, fix=problem.fix, problems=[problem])
        return found
    at, known = found
    guess = nearest(steps[-1], known) if steps else ""
    message = f"no field '{path}' in '{object_name}'" if at else f"path '{path}' has more than {MAX_STEPS} steps"
    problem = InputProblem(
        clause,
        "field.unknown",
        message,
        f"write '{guess}'?" if guess else "",
        (("name", path), ("object", object_name)),
    )
    raise BadInput(problem.message, code="field.unknown", fix=problem.fix, problems=[problem])


def walk(scope: Scope, object_name: str, steps: Steps) -> Target | tuple[bool, Iterable[str]]:
    """The target of some steps, or (True, the names known at the step that failed); (False, ()) when too long."""
    if len(steps) > MAX_STEPS:
        return False, ()
    here = object_name
    for index, step in enumerate(steps):
        readable = scope.readable(here)
        field = readable.get(step)
        if field is None:
            prefix = "".join(f"{name}." for name in steps[:index])
            return True, [f"{prefix}{name}" for name in readable]
        if index == len(steps) - 1:
            return Target(steps, field, here)
        if not field.target or not scope.can("read", field.target):
            return True, ()
        here = field.target
    return True, ()


class Joins:
    """The tables of one statement: the object's own, and one LEFT JOIN for each reference that some path goes through.

    A joined record that is deleted, or that the Scope does not let through, is blank. Row rules themselves are
    `trusted`: what they go through is not filtered by other rules.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        object_name: str,
        row_rule: RowRule,
        root: sa.FromClause | None = None,
        root_columns: Mapping[str, str] = MappingProxyType({}),
        name: str = "",
    ) -> None:
        """`root`: what stands for the object's own table, if not the table; its columns by the fields' names.

        `name` begins those of all aliases, so that a statement within another one takes none of its.
        """
        self.snapshot, self.object, self.name = snapshot, object_name, name
        self.root = snapshot.physical.table(object_name).alias(f"{name}t") if root is None else root
        self.source: sa.FromClause = self.root
        self._row_rule, self._root_columns, self._others = row_rule, root_columns, 0
        self._aliases: dict[tuple[Steps, bool], sa.FromClause] = {}

    def column(self, steps: Steps, trusted: bool = False) -> Column:
        alias, object_name = self.root, self.object
        table: sa.FromClause = alias
        for index in range(1, len(steps)):
            reference = field_of(self.snapshot, object_name, steps[index - 1])
            table = self._join(table, object_name, reference, steps[:index], trusted)
            object_name = reference.target
        field = field_of(self.snapshot, object_name, steps[-1])
        if field.is_list_of_records:
            raise is_a_list(".".join(steps))
        if not field.is_stored:
            start = steps[:-1]
            return expression(
                self.snapshot, object_name, field, lambda inner: self.column((*start, *inner), trusted),
                self.tables(trusted),
            )  # fmt: skip
        return self._column(table, steps[-1])

    def tables(self, trusted: bool) -> "OtherTables":
        """What formulas read besides columns."""
        self._others += 1
        return OtherTables(self.snapshot, None if trusted else self._row_rule, f"{self.name}o{self._others}_")

    def _column(self, table: sa.FromClause, name: str) -> Column:
        column: Column = table.c[self._root_columns.get(name, name) if table is self.root else name]
        return column

    def _pointer(self, table: sa.FromClause, reference: Field) -> Column:
        name, _, one_of_several = reference.name.partition(VIA)
        column = self._column(table, name)
        return id_in(self.snapshot.dialect, column, one_of_several) if one_of_several else column

    def column_of(self, trusted: bool) -> Callable[[Steps], Column]:
        return lambda steps: self.column(steps, trusted)

    def has(self, prefix: Steps) -> bool:
        """Whether what these steps lead to is joined already."""
        return not prefix or (prefix, False) in self._aliases

    def _join(
        self, left: sa.FromClause, object_name: str, reference: Field, prefix: Steps, trusted: bool
    ) -> sa.FromClause:
        if (found := self._aliases.get((prefix, trusted))) is not None:
            return found
        if len(self._aliases) >= MAX_JOINS:
            raise BadInput(f"the query goes through more than {MAX_JOINS} references", code="query.joins.limit",
                           fix="name fewer paths")  # fmt: skip
        target = self.snapshot.physical.table(reference.target).alias(f"{self.name}j{len(self._aliases) + 1}")
        on = [target.c.id == self._pointer(left, reference), target.c.deleted_at.is_(None)]
        if not trusted:
            on += self._row_rule(target, reference.target)
        self._aliases[prefix, trusted] = target
        self.source = self.source.outerjoin(target, sa.and_(*on))
        return target


def is_a_list(path: str) -> BadInput:
    message = f"'{path}' is a list of records, not a value"
    fix = "name a field of the record"
    return BadInput(message, code="field.list", fix=fix, problems=[InputProblem(path, "field.list", message, fix)])


class OtherTables:
    """Settings, lines and trees, of which formulas read. Without a row rule they are trusted."""

    def __init__(self, snapshot: Snapshot, row_rule: RowRule | None, name: str) -> None:
        self.snapshot, self.row_rule, self.name = snapshot, row_rule, name
        self._count = 0

    def config(self, object_name: str, field_name: str) -> Column:
        table = self.tree(object_name)
        where = [table.c.deleted_at.is_(None), *self._rules(table, object_name)]
        wanted = sa.select(table.c[field_name]).where(*where).order_by(table.c.id).limit(1)
        return wanted.correlate(None).scalar_subquery()

    def lines(self, object_name: str) -> "JoinedLines":
        self._count += 1
        no_rule: RowRule = lambda alias, name: []  # noqa: E731
        joins = Joins(self.snapshot, object_name, self.row_rule or no_rule, name=f"{self.name}{self._count}_")
        where = (joins.root.c.deleted_at.is_(None), *self._rules(joins.root, object_name))
        return JoinedLines(joins, where, self.row_rule is None)

    def tree(self, object_name: str) -> sa.FromClause:
        return self.snapshot.physical.table(object_name).alias()

    def held(self, node: Held, item: Column) -> sa.ColumnElement[bool]:
        return held(self.snapshot, node, item)

    def _rules(self, table: sa.FromClause, object_name: str) -> list[sa.ColumnElement[bool]]:
        return self.row_rule(table, object_name) if self.row_rule else []


@dataclass(frozen=True, slots=True)
class JoinedLines:
    joins: Joins
    where: tuple[sa.ColumnElement[bool], ...]
    trusted: bool

    @property
    def source(self) -> sa.FromClause:
        return self.joins.source

    def column(self, steps: Steps) -> Column:
        return self.joins.column(steps, self.trusted)


def column_in_subquery(snapshot: Snapshot, table: sa.FromClause, object_name: str) -> Callable[[Steps], Column]:
    """Columns for a condition on `table` where nothing can be joined, as in ON. Trusted."""

    def column(steps: Steps) -> Column:
        if len(steps) == 1:
            field = field_of(snapshot, object_name, steps[0])
            if not field.is_stored:
                return expression(snapshot, object_name, field, column, OtherTables(snapshot, None, "s"))
            return table.c[steps[0]]
        here, left = object_name, table
        source: sa.FromClause | None = None
        outer: sa.ColumnElement[bool] | None = None
        for step in steps[:-1]:
            reference = field_of(snapshot, here, step)
            target: sa.FromClause = snapshot.physical.table(reference.target).alias()
            name, _, one_of_several = step.partition(VIA)
            pointer = id_in(snapshot.dialect, left.c[name], one_of_several) if one_of_several else left.c[name]
            on = sa.and_(target.c.id == pointer, target.c.deleted_at.is_(None))
            if source is None:
                source, outer = target, on
            else:
                source = source.join(target, on)
            left, here = target, reference.target
        assert source is not None
        assert outer is not None
        last = field_of(snapshot, here, steps[-1])
        wanted = left.c[last.name] if last.is_stored else column_in_subquery(snapshot, left, here)(steps[-1:])
        return sa.select(wanted).select_from(source).where(outer).correlate(table).scalar_subquery()

    return column


def field_of(snapshot: Snapshot, object_name: str, name: str) -> Field:
    """A field by name, the system's included, whatever the Scope. `regarding:project` is the reference to a project."""
    if VIA in name:
        own, _, target = name.partition(VIA)
        return via(field_of(snapshot, object_name, own), target)
    field = snapshot.definitions.objects[object_name].fields.get(name)
    return field if field is not None else SYSTEM_FIELDS[name]
