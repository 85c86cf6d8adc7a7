"""Formula fields: read once per version, and put in wherever the field is read. Opens no connection.

A formula field is of the type that it `returns`. Its expression gives values as a column of that type would hold them,
so that it is compared, sorted, summed and read as one.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from engine.formula.literals import Lifted, lift
from engine.formula.sql import Formula
from engine.formula.tables import ColumnOf, Tables
from engine.snapshot import Snapshot
from engine.store import types
from metadata.formula import Fit, Node, Path, definition_names, expanded, parse, paths_in
from metadata.model import Field

__all__ = ["column_types", "expression", "fitting", "lifted", "owner_of", "reads", "tree_of", "whole_tree"]

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


def whole_tree(snapshot: Snapshot, object_name: str, field: Field) -> Node:
    """The same, over stored fields only: the trees of formula fields that it reads stand in it. Raises FormulaError."""
    key = ("formula, whole", object_name, field.name)
    if key not in snapshot.cache:
        snapshot.cache[key] = expanded(fitting(snapshot, object_name, field), object_name, _trees(snapshot))
    tree: Node = snapshot.cache[key]
    return tree


def _trees(snapshot: Snapshot) -> Callable[[str, str], Node | None]:
    def found(object_name: str, name: str) -> Node | None:
        field = snapshot.definitions.objects[object_name].fields.get(name)
        return fitting(snapshot, object_name, field) if field is not None and field.source == "formula" else None

    return found


def fitting(snapshot: Snapshot, object_name: str, field: Field) -> Node:
    """A number is what a column of the field's type would hold of it."""
    tree, stored = tree_of(snapshot, object_name, field), snapshot.physical.type_of(field)
    if isinstance(stored, types.Decimal | types.Integer):
        return Fit(tree, stored.scale if isinstance(stored, types.Decimal) else 0)
    return tree


def expression(snapshot: Snapshot, object_name: str, field: Field, column: ColumnOf, tables: Tables) -> Expression:
    """The field over a table whose columns `column` gives."""
    made = lifted(snapshot, object_name, whole_tree(snapshot, object_name, field))
    formula = Formula(snapshot.dialect, snapshot.plugins.functions, column, made.values, tables)
    return sa.type_coerce(formula.value(made.node), snapshot.physical.type_of(field))


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
