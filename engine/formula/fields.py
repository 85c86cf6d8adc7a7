"""Formula fields: read once per version, and put in wherever the field is read. Opens no connection.

A formula field is of the type that it `returns`. Its expression gives values as a column of that type would hold them,
so that it is compared, sorted, summed and read as one.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.formula import exact, native
from engine.formula.literals import Lifted, lift
from engine.formula.moments import once
from engine.formula.sql import ColumnOf, Formula
from engine.snapshot import Snapshot
from engine.store import types
from metadata.formula import Node, Path, definition_names, parse, paths_in
from metadata.model import Field

__all__ = ["column_types", "expression", "fitted", "lifted", "reads", "result", "tree_of"]

Expression = sa.ColumnElement[Any]


def tree_of(snapshot: Snapshot, object_name: str, field: Field) -> Node:
    """The checked tree of a formula field of an object."""
    key = ("formula", object_name, field.name)
    if key not in snapshot.cache:
        names = definition_names(snapshot.definitions.objects, object_name)
        functions = snapshot.plugins.functions
        snapshot.cache[key] = parse(field.formula, names, functions=functions, wants=None)
    tree: Node = snapshot.cache[key]
    return tree


def expression(snapshot: Snapshot, object_name: str, field: Field, column: ColumnOf) -> Expression:
    """The field over a table whose columns `column` gives."""
    tree = tree_of(snapshot, object_name, field)
    return result(snapshot, object_name, tree, snapshot.physical.type_of(field), column)


def result(
    snapshot: Snapshot, object_name: str, tree: Node, stored: sa.types.TypeEngine[Any], column: ColumnOf
) -> Expression:
    """A formula over a table, as a column of the type `stored` would hold what it gives."""
    made = lifted(snapshot, object_name, tree)
    formula = Formula(snapshot.dialect, snapshot.plugins.functions, column, made.values)
    if isinstance(stored, types.Decimal | types.Integer):
        scale = stored.scale if isinstance(stored, types.Decimal) else 0
        exactly = _fitted(snapshot.dialect, formula.exact(made.node), scale, stored)
        number = native.scaled(formula, made.node)
        return sa.type_coerce(exactly if number is None else native.held(number, stored, exactly), stored)
    return sa.type_coerce(formula.value(made.node), stored)


def fitted(number: exact.Number | None, scale: int) -> Decimal | None:
    """A number as a column of that scale holds it: halves are rounded away from zero, what has no room is blank."""
    if number is None:
        return None
    found = exact.rounded(number, scale)
    return found if abs(found) < Decimal(10) ** (types.SQLITE_DIGITS - scale) else None


def reads(snapshot: Snapshot, object_name: str, node: Node) -> frozenset[tuple[str, ...]]:
    """The paths to stored fields that a formula reads, those that its formula fields read among them."""
    found: set[tuple[str, ...]] = set()
    for path in paths_in(node):
        owner = owner_of(object_name, path)
        last = path.fields[-1]
        names = tuple(field.name for field in path.fields)
        if last.is_stored:
            found.add(names)
        elif last.source == "formula":
            inner = reads(snapshot, owner, tree_of(snapshot, owner, last))
            found.update((*names[:-1], *steps) for steps in inner)
    return frozenset(found)


def owner_of(object_name: str, path: Path) -> str:
    """The object that a path's last field belongs to."""
    return path.fields[-2].target if len(path.fields) > 1 else object_name


def _fitted(dialect: str, number: Expression, scale: int, stored: sa.types.TypeEngine[Any]) -> Expression:
    if dialect == "sqlite":
        return sa.func.fx_fitted(number, sa.literal_column(str(scale)), type_=sa.Integer())
    bound = sa.literal_column(f"1e{types.SQLITE_DIGITS - scale}", sa.Numeric())
    kind: Any = sa.BigInteger() if isinstance(stored, types.Integer) else sa.Numeric()
    return once(
        lambda value: sa.case((sa.func.abs(value) < bound, sa.cast(value, kind))),
        sa.func.round(number, sa.literal_column(str(scale), sa.Integer()), type_=sa.Numeric()),
    )


def lifted(snapshot: Snapshot, object_name: str, node: Node) -> Lifted:
    return lift(node, column_types(snapshot, object_name), snapshot.dialect)


def column_types(snapshot: Snapshot, object_name: str) -> Callable[[Path], sa.types.TypeEngine[Any]]:
    def column_type(path: Path) -> sa.types.TypeEngine[Any]:
        here = object_name
        for field in path.fields[:-1]:
            here = field.target
        return snapshot.physical.value_type(here, path.fields[-1].name)

    return column_type
