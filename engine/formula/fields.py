"""Formula fields: read once per version, and put in wherever the field is read. Opens no connection.

A formula field is of the type that it `returns`. Its expression gives values as a column of that type would hold them,
so that it is compared, sorted, summed and read as one.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from engine.errors import BadInput
from engine.formula import native
from engine.formula.literals import Lifted, lift
from engine.formula.one_call import is_deep
from engine.formula.sql import Formula
from engine.formula.tables import ColumnOf, Tables
from engine.snapshot import Snapshot
from engine.store import types
from metadata.formula import Fit, FormulaError, Node, Path, definition_names, expanded, parse, paths_in
from metadata.model import Field

__all__ = ["column_types", "expression", "lifted", "reads", "result", "tree_of", "whole"]

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


def whole(snapshot: Snapshot, object_name: str, node: Node) -> Node:
    """A formula over an object, with the trees of the formula fields that it reads in it. Raises FormulaError."""

    def tree(owner: str, name: str) -> Node | None:
        field = snapshot.definitions.objects[owner].fields.get(name)
        if field is None or field.source != "formula":
            return None
        return _fitting(tree_of(snapshot, owner, field), snapshot.physical.type_of(field))

    return expanded(node, object_name, tree)


def _fitting(tree: Node, stored: sa.types.TypeEngine[Any]) -> Node:
    """A number is what a column of that type would hold of it."""
    if isinstance(stored, types.Decimal | types.Integer):
        return Fit(tree, stored.scale if isinstance(stored, types.Decimal) else 0)
    return tree


def expression(snapshot: Snapshot, object_name: str, field: Field, column: ColumnOf, tables: Tables) -> Expression:
    """The field over a table whose columns `column` gives."""
    tree = tree_of(snapshot, object_name, field)
    return result(snapshot, object_name, tree, snapshot.physical.type_of(field), column, tables)


def result(
    snapshot: Snapshot, object_name: str, tree: Node, stored: sa.types.TypeEngine[Any], column: ColumnOf,
    tables: Tables,
) -> Expression:  # fmt: skip
    """A formula over a table, as a column of the type `stored` would hold what it gives."""
    made = _lift(snapshot, object_name, _grown(snapshot, object_name, _fitting(tree, stored)))
    formula = Formula(snapshot.dialect, snapshot.plugins.functions, column, made.values, tables)
    value, node = formula.value(made.node), made.node
    if isinstance(node, Fit) and not is_deep(node):
        number = native.scaled(formula, node.item)
        value = value if number is None else native.held(number, stored, value)
    return sa.type_coerce(value, stored)


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


def lifted(snapshot: Snapshot, object_name: str, node: Node) -> Lifted:
    """A formula with its literals lifted out. Raises BadInput where it would grow too large with its formula fields."""
    grown = _grown(snapshot, object_name, node)
    # Formula fields stand in it as their columns do: the database's own numbers serve. Deep ones are one tree with it.
    return _lift(snapshot, object_name, grown if is_deep(grown) else node)


def _grown(snapshot: Snapshot, object_name: str, node: Node) -> Node:
    try:
        return whole(snapshot, object_name, node)
    except FormulaError as error:
        raise BadInput(error.message, code=error.code, fix=error.fix) from error


def _lift(snapshot: Snapshot, object_name: str, node: Node) -> Lifted:
    return lift(
        node, column_types(snapshot, object_name), snapshot.dialect, lambda lines: column_types(snapshot, lines)
    )


def column_types(snapshot: Snapshot, object_name: str) -> Callable[[Path], sa.types.TypeEngine[Any]]:
    def column_type(path: Path) -> sa.types.TypeEngine[Any]:
        here = object_name
        for field in path.fields[:-1]:
            here = field.target
        return snapshot.physical.value_type(here, path.fields[-1].name)

    return column_type
