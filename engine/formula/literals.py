"""Lift the literals out of a formula, so that formulas of one shape share one statement. Opens no connection.

A literal that is compared with a column is made one of the column's own: an index on the column serves, no number is
rounded, and none is too large for the database. `amount > 10.555` over two decimal places is `amount > 10.55`.
"""

import operator
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.formula import exact
from engine.pattern import Pattern
from engine.store import types
from metadata.formula.nodes import (
    Actor,
    Aggregate,
    And,
    Arith,
    Call,
    Compare,
    Const,
    Fit,
    In,
    InTree,
    Node,
    Not,
    Or,
    Path,
    shape,
)

__all__ = ["Lifted", "Slot", "lift"]

LARGEST, LEAST = 2**63 - 1, -(2**63)
MAX_DIGITS = 40
FLIPPED: Mapping[str, Any] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

ColumnType = sa.types.TypeEngine[Any]
ColumnTypeOf = Callable[[Path], ColumnType]
# Literals of other types are bound as text.
MOMENTS = {"date": "date", "datetime": "datetime", "time": "time"}


@dataclass(frozen=True, slots=True)
class Slot:
    """Stands where a literal stood; its value is bound under `name`."""

    name: str
    kind: str  # "text", "id", "element" (of a list), "date", "datetime", "time", "number" or "exact" (text, on SQLite)
    scale: int = 0  # of a number: what is bound is the number, to so many decimal places


@dataclass(frozen=True, slots=True)
class Lifted:
    node: Node
    shape: Hashable
    values: Mapping[str, Any]  # by the slots' names


def lift(
    node: Node, column_type: ColumnTypeOf, dialect: str, of_lines: Callable[[str], ColumnTypeOf] | None = None
) -> Lifted:
    """`of_lines`: by the name of their object, the same for formulas over lines."""
    lifter = Lifter(column_type, dialect, of_lines)
    lifted = lifter.lift(node)
    structure, rest = shape(lifted)
    return Lifted(lifted, (structure, tuple(rest)), lifter.values)


class Lifter:
    def __init__(
        self, column_type: ColumnTypeOf, dialect: str, of_lines: Callable[[str], ColumnTypeOf] | None = None
    ) -> None:
        self.column_type, self.dialect, self.of_lines = column_type, dialect, of_lines
        self.values: dict[str, Any] = {}

    def lift(self, node: Node) -> Node:
        match node:
            case And(items):
                return And(tuple(map(self.lift, items)), column=node.column)
            case Or(items):
                return Or(tuple(map(self.lift, items)), column=node.column)
            case Not(item):
                return Not(self.lift(item), column=node.column)
            case Compare(op, left, right):
                if isinstance(left, Const) and not isinstance(right, Const):
                    return self._compare(FLIPPED[op], right, left)
                return self._compare(op, left, right)
            case In():
                return self._in(node)
            case Arith(_, left, right):
                return replace(node, left=self.lift(left), right=self.lift(right))
            case Call(_, args, kinds=kinds) if "pattern" in kinds:
                pairs = zip(args, kinds, strict=True)
                return replace(node, args=tuple(self._pattern(a) if k == "pattern" else self.lift(a) for a, k in pairs))
            case Call(_, args):
                return replace(node, args=tuple(map(self.lift, args)))
            case Const():
                return self._const(node)
            case Aggregate():
                return self._aggregate(node)
            case InTree(_, _, _, root):
                return self._in_tree(node, root)
            case Fit(item):
                return replace(node, item=self.lift(item))
        return node

    def _aggregate(self, node: Aggregate) -> Node:
        if node.inner is None:
            return node
        assert self.of_lines is not None, "a formula over lines needs the types of their columns"
        here, self.column_type = self.column_type, self._within(node)
        inner = self.lift(node.inner)
        self.column_type = here
        return replace(node, inner=inner)

    def _within(self, node: Aggregate) -> ColumnTypeOf:
        """Types of the lines' columns; what stands behind their reference back is the owner's."""
        assert self.of_lines is not None
        owner, lines, before = self.column_type, self.of_lines(node.object), node.path

        def column_type(path: Path) -> ColumnType:
            if path.steps[0] != node.by or len(path.steps) == 1:
                return lines(path)
            steps, fields = (*before.steps[:-1], *path.steps[1:]), (*before.fields[:-1], *path.fields[1:])
            return owner(replace(path, steps=steps, fields=fields))

        return column_type

    def _in_tree(self, node: InTree, root: Node) -> Node:
        if not isinstance(root, Const):
            return replace(node, root=self.lift(root))
        if not types.is_id(root.value):
            return Const(False, "boolean", node.column)
        return replace(node, root=self._slot(root, root.value, "id"))

    def _pattern(self, node: Node) -> Node:
        assert isinstance(node, Const)
        source = str(node.value)
        return self._slot(node, source if self.dialect == "sqlite" else Pattern(source).postgres, "text")

    def _const(self, node: Const) -> Const:
        value = node.value
        if value is None or isinstance(value, bool):
            return node
        if isinstance(value, int | Decimal):
            return self._number(node, Decimal(value))
        return self._slot(node, value, MOMENTS.get(node.type, "text"))

    def _slot(self, node: Const, value: object, kind: str, scale: int = 0) -> Const:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return Const(Slot(name, kind, scale), node.type, node.column)

    def _number(self, node: Const, value: Decimal) -> Const:
        """A number that stands beside no column: exact as it is."""
        if self.dialect == "sqlite":
            return self._slot(node, exact.text_of(value), "exact")
        if value == int(value) and LEAST <= value <= LARGEST:
            return self._slot(node, int(value), "number")
        return self._slot(node, exact.unscaled(exact.scaled(value)), "number", 1)

    def _scaled(self, node: Const, scaled: int, scale: int) -> Const:
        """SQLite is given the number times 10^scale, as it stores it; PostgreSQL the number."""
        if self.dialect == "sqlite":
            return self._slot(node, max(LEAST, min(LARGEST, scaled)), "number", scale)
        if scale == 0 and LEAST <= scaled <= LARGEST:
            return self._slot(node, scaled, "number")
        return self._slot(node, Decimal(scaled).scaleb(-scale), "number", max(scale, 1))

    def _compare(self, op: Any, left: Node, right: Node) -> Node:
        if isinstance(right, Const) and (right.value is None or right.value == ""):
            blank = Const(None, "null", right.column)
            return Compare(op, self.lift(left), blank) if op in ("==", "!=") else Const(False, "boolean")
        if isinstance(right, Const) and isinstance(right.value, int | Decimal) and not isinstance(right.value, bool):
            if isinstance(left, Const):
                return Const(COMPARED[op](left.value, right.value), "boolean")
            scale = self._scale(left)
            if scale is not None:
                return self._compare_scaled(op, left, right, scale)
        if isinstance(right, Const) and isinstance(right.value, str) and self._is_id(left) and op in ("==", "!="):
            if not types.is_id(right.value):
                return Const(op == "!=", "boolean")
            return Compare(op, left, self._slot(right, right.value, "id"))
        return Compare(op, self.lift(left), self.lift(right))

    def _compare_scaled(self, op: Any, left: Node, right: Const, scale: int) -> Node:
        assert isinstance(right.value, int | Decimal)
        scaled, is_exact = floor_at(Decimal(right.value), scale)
        if op in ("==", "!="):
            if not is_exact or not LEAST <= scaled <= LARGEST:
                return Const(op == "!=", "boolean")
        elif not LEAST <= scaled <= LARGEST:
            is_true = (scaled > 0) == (op in ("<", "<="))
            return Compare("!=", self.lift(left), Const(None, "null")) if is_true else Const(False, "boolean")
        elif not is_exact:
            op = "<=" if op in ("<", "<=") else ">"
        return Compare(op, self.lift(left), self._scaled(right, scaled, scale))

    def _in(self, node: In) -> Node:
        first = node.options[0] if node.options else None
        if isinstance(first, Path) and first.type == "choices":
            item = node.item
            if isinstance(item, Const) and isinstance(item.value, str):
                return replace(node, item=self._slot(item, types.TextList.element(item.value), "element"))
            return replace(node, item=self.lift(item))
        item = self.lift(node.item)
        options = tuple(found for option in node.options if (found := self._option(node.item, option)) is not None)
        return replace(node, item=item, options=options)

    def _option(self, item: Node, option: Node) -> Node | None:
        """One of the values after `in`; None for one that the item can never be."""
        if not isinstance(option, Const):
            return self.lift(option)
        if option.value is None or option.value == "":
            return Const(None, "null")
        match self._compare("==", item, option) if isinstance(item, Path | Actor) else None:
            case Const():
                return None
            case Compare(_, _, right):
                return right
        return self.lift(option)

    def _scale(self, node: Node) -> int | None:
        """Of a number's column, or of what is held like in one; None for all else."""
        if isinstance(node, Fit):
            return node.scale
        if not isinstance(node, Path):
            return None
        found = self.column_type(node)
        return found.scale if isinstance(found, types.Decimal) else 0 if isinstance(found, types.Integer) else None

    def _is_id(self, node: Node) -> bool:
        if isinstance(node, Actor):
            return node.attribute == "id"
        return isinstance(node, Path) and isinstance(self.column_type(node), types.Id)


def floor_at(value: Decimal, scale: int) -> tuple[int, bool]:
    """The number times 10^scale, rounded down to a whole one, and whether nothing was cut off."""
    if value.is_zero():
        return 0, True
    if value.adjusted() > MAX_DIGITS:
        return (10**MAX_DIGITS if value > 0 else -(10**MAX_DIGITS)), False
    if value.adjusted() < -MAX_DIGITS:
        return (0 if value > 0 else -1), False
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    power = exponent + scale
    if power >= 0:
        return number * 10**power, True
    quotient, rest = divmod(number, 10**-power)
    return quotient, rest == 0
