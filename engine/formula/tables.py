"""What a formula reads besides the columns of its record: settings, lines and trees, as SQL. Opens no connection."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from engine.formula.numeric import QUOTIENT_DIGITS, Number
from engine.store import types
from metadata.formula.nodes import Aggregate, Held, InTree
from metadata.formula.parser import PLACES

__all__ = ["ColumnOf", "Lines", "Tables", "aggregate", "in_tree"]

Expression = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]
ColumnOf = Callable[[tuple[str, ...]], Expression]
DIGITS = sa.literal_column(str(PLACES), sa.Integer())
ZERO = sa.literal_column("0", sa.Numeric())


class Lines(Protocol):
    """Records of an object within the statement on others. `source` is taken last: columns may add joins to it."""

    @property
    def where(self) -> Sequence[Condition]: ...  # which of them there are: living ones, as far as they are let through

    @property
    def source(self) -> sa.FromClause: ...

    def column(self, steps: tuple[str, ...]) -> Expression: ...


class Tables(Protocol):
    def config(self, object_name: str, field_name: str) -> Expression:
        """The value in the one record of a settings object, as a subquery."""

    def lines(self, object_name: str) -> Lines: ...

    def tree(self, object_name: str) -> sa.FromClause:
        """A new alias of the object's table, its columns by the fields' names, `deleted_at` among them."""

    def held(self, node: Held, item: Expression) -> Condition: ...


class Values(Protocol):
    """Of a formula over lines: engine.formula.sql.Formula."""

    dialect: str

    def where(self, node: Any) -> Condition: ...

    def exact(self, node: Any) -> Expression: ...

    def value(self, node: Any) -> Expression: ...


def aggregate(node: Aggregate, lines: Lines, owner_id: Expression, inner: Values) -> Expression:
    """`inner` is a formula over `lines`."""
    conditions = [lines.column((node.by,)) == owner_id, *lines.where]
    value: Expression = sa.literal_column("1", sa.Integer())
    if node.inner is not None and node.op == "COUNT":
        conditions.append(inner.where(node.inner))
    elif node.inner is not None:
        value = inner.exact(node.inner) if node.type == "number" else inner.value(node.inner)
    source = lines.source
    chosen = sa.select(value.label("v")).select_from(source).where(*conditions).correlate_except(source)
    # In a table of its own: an aggregate over nothing but the owner's columns would be one of the statement outside.
    rows = chosen.subquery()
    return sa.select(_measured(node, rows.c.v, inner.dialect)).select_from(rows).scalar_subquery()


def _measured(node: Aggregate, value: Expression, dialect: str) -> Expression:
    if node.op == "COUNT":
        return sa.func.count(value, type_=types.Integer())
    if node.type != "number":
        return (sa.func.max if node.op == "HIGHEST" else sa.func.min)(value, type_=value.type)
    found: Expression
    if dialect == "sqlite":
        called: Any = getattr(sa.func, f"fx_{node.op.lower()}")
        # Without a row SQLite asks no aggregate of Python's.
        found = sa.func.coalesce(called(value), sa.literal_column("'0'")) if node.op == "SUM" else called(value)
        return sa.type_coerce(found, Number())
    total = sa.func.sum(value, type_=sa.Numeric())
    match node.op:
        case "SUM":
            found = sa.func.coalesce(total, ZERO)
        case "AVERAGE":
            found = sa.func.round(sa.func.round(total, QUOTIENT_DIGITS) / sa.func.count(value), DIGITS)
        case "HIGHEST":
            found = sa.func.max(value)
        case _:
            found = sa.func.min(value)
    return sa.type_coerce(found, Number())


def in_tree(node: InTree, table: sa.FromClause, item: Expression, root: Expression) -> Condition:
    """All from the root downwards, once each: a circle ends. True, or else false or NULL."""
    # The root may be a column of the statement outside.
    start = sa.select(sa.cast(root, types.Id()).label("id")).correlate_except(None)
    below = start.cte(recursive=True, nesting=True)
    further = sa.select(table.c.id).select_from(table.join(below, table.c[node.by] == below.c.id))
    below = below.union(further.where(table.c.deleted_at.is_(None)))
    return item.in_(sa.select(below.c.id))
