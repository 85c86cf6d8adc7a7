"""The parts of a statement on one object under one Scope: columns, conditions, order. Opens no connection."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from engine.access.scope import Scope
from engine.formula.fields import lifted
from engine.formula.sql import ColumnOf, Formula
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.query_conditions import condition, folded, search, search_fields, tree_at
from engine.store.query_keyset import Key, order
from engine.store.query_paths import Joins, OtherTables, Target, column_in_subquery, need_path
from engine.store.query_trees import below
from metadata.formula import Node
from metadata.model import SYSTEM_FIELDS, Field, SortKey

__all__ = ["Builder", "Selection", "any_of", "rule_on"]

Column = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]

NEVER_BLANK = ("id", "created_at", "modified_at", "version")


@dataclass(frozen=True, slots=True)
class Selection:
    """What a statement selects: id, version and the other targets."""

    targets: tuple[Target, ...]  # as asked for
    places: tuple[int, ...]  # where a row holds each of them
    paths: tuple[str, ...]  # of a row's columns: "id", "version", ...
    types: tuple[sa.types.TypeEngine[Any], ...]  # of the same


class Builder:
    """Collects the joins that its parts need: take `joins.source` last."""

    def __init__(self, snapshot: Snapshot, scope: Scope, object_name: str) -> None:
        self.snapshot, self.scope, self.object = snapshot, scope, object_name
        self.joins = Joins(snapshot, object_name, self._row_rule)

    def visible(self, in_trash: bool) -> list[Condition]:
        """Living (or deleted) records that the Scope lets through."""
        deleted_at = self.joins.root.c.deleted_at
        where: list[Condition] = [deleted_at.is_not(None) if in_trash else deleted_at.is_(None)]
        if rules := self.scope.rows("read", self.object):
            where.append(any_of(self.snapshot, self.object, rules, self.joins.column_of(trusted=True)))
        return where

    def _row_rule(self, alias: sa.FromClause, object_name: str) -> list[Condition]:
        if not self.scope.can("read", object_name):
            return [sa.false()]  # a formula field may lead where this person may not
        rules = self.scope.rows("read", object_name)
        return [rule_on(self.snapshot, alias, object_name, rules)] if rules else []

    def formula(self, node: Node, trusted: bool = False) -> Condition:
        functions = self.snapshot.plugins.functions
        column, tables = self.joins.column_of(trusted=trusted), self.joins.tables(trusted=trusted)
        return Formula(self.snapshot.dialect, functions, column, tables=tables).where(node)

    def condition(self, target: Target, operator: str, names: Sequence[str]) -> Condition:
        column = self.joins.column(target.steps)
        if operator == "under" and names:
            root = sa.bindparam(names[0], type_=types.Id())
            found: Condition = column.in_(
                below(self.snapshot, tree_at(self.snapshot, target), root, f"tree_{names[0]}")
            )
            return found
        return condition(column, operator, names, self.snapshot.dialect)

    def search(self) -> Condition:
        definition = self.snapshot.definitions.objects[self.object]
        names = search_fields(definition, self.scope.readable(self.object))
        return search([self.joins.column((name,)) for name in names], self.snapshot.dialect)

    def keys(self, sort: Sequence[SortKey]) -> tuple[Key, ...]:
        """The order asked for, made total by the id."""
        keys: list[Key] = []
        for sort_key in sort:
            target = need_path(self.scope, self.object, sort_key.path, "sort")
            keys.append(self._key(target, sort_key.is_descending))
            if target.steps == ("id",):
                return tuple(keys)
        is_descending = keys[-1].is_descending if keys else False
        return (*keys, Key(self.joins.root.c.id, is_descending, False))

    def _key(self, target: Target, is_descending: bool) -> Key:
        column = self.joins.column(target.steps)
        is_own = len(target.steps) == 1
        is_nullable = not is_own or not (target.field.is_required or target.steps[0] in NEVER_BLANK)
        if isinstance(column.type, types.Text) and not self._has_index(target.object, target.field):
            column = folded(column)
        return Key(column, is_descending, is_nullable)

    def _has_index(self, object_name: str, field: Field) -> bool:
        """Text with an index is sorted by code points, so that the index serves; other text without regard to case."""
        if field.is_unique or field.is_indexed:
            return True
        definition = self.snapshot.definitions.objects[object_name]
        return any(names[0] == field.name for names in (*definition.unique, *definition.indexes))

    def selection(self, targets: Sequence[Target]) -> Selection:
        places: dict[str, int] = {"id": 0, "version": 1}
        found = {"id": (self.object, "id"), "version": (self.object, "version")}
        for target in targets:
            path = ".".join(target.steps)
            places.setdefault(path, len(places))
            found[path] = (target.object, target.field.name)
        return Selection(
            targets=tuple(targets),
            places=tuple(places[".".join(target.steps)] for target in targets),
            paths=tuple(places),
            types=tuple(self.snapshot.physical.value_type(*found[path]) for path in places),
        )

    def columns(self, selection: Selection) -> list[Column]:
        return [self.joins.column(tuple(path.split("."))).label(f"f{i}") for i, path in enumerate(selection.paths)]

    def page(self, selection: Selection, keys: Sequence[Key], where: Sequence[Condition]) -> sa.Select[Any]:
        """The first records of an order: their columns, then what they are sorted by.

        References that only the columns need are joined to these records, not to all that are sorted.
        """
        dialect = self.snapshot.dialect
        steps = [tuple(path.split(".")) for path in selection.paths]
        late = [index for index, path in enumerate(steps) if not self.joins.has(path[:-1])]
        inner: list[Any] = [self.joins.column(path).label(f"_f{i}") for i, path in enumerate(steps) if i not in late]
        # Not under the fields' names: SQLite takes `Name` and `name` for one, and loses columns called `true`.
        roots = {name: f"_r{i}" for i, name in enumerate(dict.fromkeys(steps[i][0] for i in late))}
        inner += [self.joins.root.c[name].label(label) for name, label in roots.items()]
        inner += [key.column.label(f"_s{index}") for index, key in enumerate(keys)]
        limit = sa.bindparam("limit", type_=types.Integer())
        chosen = sa.select(*inner).select_from(self.joins.source).where(*where)
        chosen = chosen.order_by(*order(keys, dialect)).limit(limit)
        if not late:
            return chosen
        page = chosen.subquery("p")
        joins = Joins(self.snapshot, self.object, self._row_rule, page, roots)
        columns = [joins.column(path) if i in late else page.c[f"_f{i}"] for i, path in enumerate(steps)]
        outer_keys = [replace(key, column=page.c[f"_s{index}"]) for index, key in enumerate(keys)]
        labelled = [column.label(f"f{i}") for i, column in enumerate([*columns, *(key.column for key in outer_keys)])]
        return sa.select(*labelled).select_from(joins.source).order_by(*order(outer_keys, dialect))


def rule_on(snapshot: Snapshot, table: sa.FromClause, object_name: str, rules: Sequence[Node]) -> Condition:
    """Row rules as one condition on `table`, where nothing can be joined."""
    return any_of(snapshot, object_name, rules, column_in_subquery(snapshot, table, object_name))


def any_of(snapshot: Snapshot, object_name: str, rules: Sequence[Node], column: ColumnOf) -> Condition:
    """One of the rules is met. Their literals are constants of the statement."""
    found: list[Condition] = []
    for rule in rules:
        made = lifted(snapshot, object_name, rule)
        tables = OtherTables(snapshot, None, "r")
        formula = Formula(snapshot.dialect, snapshot.plugins.functions, column, made.values, tables)
        found.append(formula.where(made.node))
    return sa.or_(*found)


assert set(NEVER_BLANK) < set(SYSTEM_FIELDS)
