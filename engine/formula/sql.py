"""A checked formula -> a condition in SQL. Opens no connection.

Logic is two-valued: a comparison with a blank is false, `==` and `!=` treat blank as a value of its own, and `not x` is
true wherever `x` is not. SQL's third value is let through only where it counts as false, never below a `not`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa

from engine.contracts.function import Function
from engine.formula import exact
from engine.formula.literals import Slot
from engine.formula.moments import days_later, once
from engine.formula.numeric import QUOTIENT_DIGITS, Number
from engine.formula.one_call import is_deep, one_call
from engine.formula.sql_context import sql_context
from engine.formula.sqlite import call_codes
from engine.formula.tables import DIGITS, ZERO, ColumnOf, Tables, aggregate, in_tree
from engine.store import types
from metadata.formula.nodes import (
    Actor,
    Aggregate,
    And,
    Arith,
    Call,
    Compare,
    Config,
    Const,
    Fit,
    Held,
    In,
    InTree,
    IsNew,
    Node,
    Not,
    Or,
    Outer,
    Path,
    Prior,
)

__all__ = ["ColumnOf", "Formula", "not_true"]

Expression = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]

SLOT_TYPES: Mapping[str, types.StoredType] = {
    "text": types.Text(), "id": types.Id(), "element": types.Text(), "date": types.Date(), "datetime": types.DateTime(),
    "time": types.Time(), "exact": types.Text(),
}  # fmt: skip
TYPES_OF_VALUES: Mapping[str, types.StoredType] = {
    "text": types.Text(), "choice": types.Text(), "choices": types.TextList(), "reference": types.Id(),
    "boolean": types.Boolean(), "date": types.Date(), "datetime": types.DateTime(), "time": types.Time(),
    "number": Number(), "json": types.Json(),
}  # fmt: skip


NOTHING: Mapping[str, Any] = {}
TEXT_MAX = sa.literal_column(str(exact.TEXT_MAX), sa.Integer())


class Formula:
    """Translates formulas over one table, whose columns `column` gives. Their literals are Slots: see `literals`.

    What `fixed` holds by a slot's name becomes a constant of the statement; other slots are bound at each run.
    `tables` is for formulas that read settings, lines or trees.
    """

    def __init__(
        self, dialect: str, functions: Mapping[str, Function], column: ColumnOf, fixed: Mapping[str, Any] = NOTHING,
        tables: Tables | None = None,
    ) -> None:  # fmt: skip
        self.dialect, self.functions, self.column, self.fixed = dialect, functions, column, fixed
        self._tables = tables
        self._costs: dict[int, int] = {}
        self.context = sql_context(dialect)

    @property
    def tables(self) -> Tables:
        if self._tables is None:
            raise NotImplementedError("settings, lines and trees are not read here")
        return self._tables

    def where(self, node: Node) -> Condition:
        """True, or else false or NULL."""
        match node:
            case And(items):
                return sa.and_(*map(self._part, items))
            case Or(items):
                return sa.or_(*map(self._part, items))
            case Not(item):
                return self.where_not(item)
            case Compare(op, left, right):
                return self._compare(op, left, right)
            case In(negated=True):
                return not_true(self._in(node))
            case In():
                return self._in(node)
            case InTree(item, object_, _, root):
                return in_tree(node, self.tables.tree(object_), self.value(item), self.value(root))
            case Held(_, item):
                return self.tables.held(node, self.value(item))
            case Const(value):
                return sa.true() if value is True else sa.false()
            case Path() | Config():
                return self.value(node).is_(sa.true())
            case _:
                return self.value(node)

    def where_not(self, node: Node) -> Condition:
        """True exactly where `where` is not; else false or NULL."""
        match node:
            case And(items):
                return sa.or_(*map(self._part_not, items))
            case Or(items):
                return sa.and_(*map(self._part_not, items))
            case Not(item):
                return self.where(item)
            case Compare("==", left, right):
                return self._compare("!=", left, right)
            case Compare("!=", left, right):
                return self._compare("==", left, right)
            case In(negated=True):
                return self._in(node)
            case Const(value):
                return sa.false() if value is True else sa.true()
            case _:
                return not_true(self.where(node))

    def _part(self, node: Node) -> Condition:
        """Of a condition that has others beside this one."""
        return self._one_call(node) if self._is_deep(node) else self.where(node)

    def _part_not(self, node: Node) -> Condition:
        return not_true(self._one_call(node)) if self._is_deep(node) else self.where_not(node)

    def _is_deep(self, node: Node) -> bool:
        return self.dialect == "sqlite" and is_deep(node, self._costs)

    def _one_call(self, node: Node) -> Expression:
        return sa.type_coerce(one_call(self, node), TYPES_OF_VALUES[node.type])

    def value(self, node: Node) -> Expression:
        """Of any type; NULL is blank. A boolean is never NULL unless it is a column's."""
        if not isinstance(node, Fit) and self._is_deep(node):
            return self._one_call(node)
        match node:
            case Path(_, fields):
                return self.column(tuple(field.name for field in fields))
            case Actor(attribute):
                return self.context.actor[attribute]
            case Const(Slot() as slot):
                return self._bound(slot)
            case Const(bool() as value):
                return sa.literal(value, types.Boolean())
            case Const(None):
                return sa.null()
            case Arith():
                return self._arith(node)
            case Call():
                return self._call(node)
            case Config(object_, field):
                return self.tables.config(object_, field.name)
            case Aggregate():
                return self._aggregate(node)
            case Fit(item, scale):
                return fitted(self.dialect, self.exact(item), scale)
            case Prior() | IsNew() | Outer():
                raise NotImplementedError("a statement knows one record, as it is: the parser refuses this")
        return sa.type_coerce(sa.case((self.where(node), sa.true()), else_=sa.false()), types.Boolean())

    def _bound(self, slot: Slot) -> Expression:
        if slot.kind != "number":
            type_ = SLOT_TYPES[slot.kind]
        else:
            is_whole = self.dialect == "sqlite" or slot.scale == 0
            type_ = types.Integer() if is_whole else types.Decimal()
        if slot.name in self.fixed:
            return sa.literal(self.fixed[slot.name], type_)
        return sa.bindparam(slot.name, type_=type_)

    def _compare(self, op: str, left: Node, right: Node) -> Condition:
        if isinstance(right, Const) and right.value is None:
            blank = self.value(left)
            return blank.is_(None) if op == "==" else blank.is_not(None)
        if "number" in (left.type, right.type):
            if not (is_stored(left) and is_stored(right)):
                return self._compare_exact(op, self.exact(left), self.exact(right))
            one, other = self._aligned(left, right)
        else:
            one, other = same_type(self.value(left), self.value(right))
        if op == "==":
            return one == other if is_filled(left) or is_filled(right) else one.is_not_distinct_from(other)
        if op == "!=":
            return one.is_distinct_from(other)
        if self.dialect != "sqlite" and isinstance(one.type, types.Text) and not isinstance(left, Path):
            one = sa.collate(one, "C")
        return one.op(op, is_comparison=True, return_type=sa.Boolean())(other)

    def _compare_exact(self, op: str, one: Expression, other: Expression) -> Condition:
        if op == "==":
            return one.is_not_distinct_from(other)
        if op == "!=":
            return one.is_distinct_from(other)
        if self.dialect == "sqlite":
            one, other = sa.func.fx_compare(one, other, type_=sa.Integer()), sa.literal_column("0", sa.Integer())
        return one.op(op, is_comparison=True, return_type=sa.Boolean())(other)

    def _in(self, node: In) -> Condition:
        """As if not negated: true, or else false or NULL."""
        if node.options and node.options[0].type == "choices":
            return self._has(self.value(node.options[0]), node.item)
        constants = [option for option in node.options if isinstance(option, Const) and isinstance(option.value, Slot)]
        others = [option for option in node.options if option not in constants]
        found = [self._compare("==", node.item, option) for option in others]
        if len(constants) > 1 and isinstance(node.item, Path | Actor):
            found.append(self.value(node.item).in_([self.value(constant) for constant in constants]))
        else:
            found += [self._compare("==", node.item, constant) for constant in constants]
        return sa.or_(sa.false(), *found)

    def _has(self, chosen: Expression, item: Node) -> Condition:
        element = self.value(item)
        if not (isinstance(item, Const) and isinstance(item.value, Slot)):
            quote = sa.func.json_quote if self.dialect == "sqlite" else lambda x: sa.cast(sa.func.to_json(x), sa.Text())
            element = quote(element)
        position = sa.func.instr if self.dialect == "sqlite" else sa.func.strpos
        return position(chosen, element, type_=sa.Integer()) > 0

    def exact(self, node: Node) -> Expression:
        """A number in the form that functions reckon with: NUMERIC, or on SQLite its shortest text."""
        value = self.value(node)
        if isinstance(value.type, Number):
            return value
        if self.dialect != "sqlite":
            return sa.cast(value, sa.Numeric())
        if isinstance(node, Const):
            slot = node.value
            if not isinstance(slot, Slot):
                return sa.cast(sa.null(), Number())
            if slot.kind == "exact":
                return sa.type_coerce(value, Number())
        scale = sa.literal_column(str(self._scale(node, value)), sa.Integer())
        return sa.func.fx_exact(sa.type_coerce(value, sa.Integer()), scale, type_=Number())

    def _scale(self, node: Node, value: Expression) -> int:
        """On SQLite, of the expression that was made of a node."""
        if isinstance(node, Const):
            return node.value.scale if isinstance(node.value, Slot) else 0
        return value.type.scale if isinstance(value.type, types.Decimal) else 0

    def _aligned(self, left: Node, right: Node) -> tuple[Expression, Expression]:
        """Two columns, or a column and a number, to compare: on SQLite a column holds a number times 10^scale."""
        one, other = self.value(left), self.value(right)
        if self.dialect != "sqlite":
            return one, other
        scale, other_scale = self._scale(left, one), self._scale(right, other)
        # A product that does not fit becomes a double there, which is still larger than any number that fits.
        both = max(scale, other_scale)
        numbers = [sa.type_coerce(number, sa.Integer()) for number in (one, other)]
        return scaled(numbers[0], both - scale), scaled(numbers[1], both - other_scale)

    def _arith(self, node: Arith) -> Expression:
        kind = node.type
        if kind == "text":
            return self._joined(self.value(node.left), self.value(node.right))
        if kind != "number":
            # A blank number counts as 0.
            zero = sa.literal_column("'0'", Number()) if self.dialect == "sqlite" else ZERO
            days = sa.func.coalesce(self.exact(node.right), zero, type_=Number())
            sign = 1 if node.op == "+" else -1
            return days_later(self.dialect, self.value(node.left), days, str(kind), sign)
        left, right = self.exact(node.left), self.exact(node.right)
        if self.dialect == "sqlite":
            return sa.func.fx_arithmetic(sa.literal_column(f"'{node.op}'"), left, right, type_=Number())
        one, other = (sa.func.coalesce(side, ZERO, type_=sa.Numeric()) for side in (left, right))
        match node.op:
            case "+":
                found = one + other
            case "-":
                found = one - other
            case "*":
                found = sa.func.round(one * other, DIGITS)
            case "/":
                found = sa.func.round(
                    sa.func.round(one, QUOTIENT_DIGITS, type_=sa.Numeric())
                    / sa.func.nullif(other, ZERO, type_=sa.Numeric()),
                    DIGITS,
                )
            case "%":
                found = sa.func.mod(one, sa.func.nullif(other, ZERO))
        return sa.type_coerce(found, Number())

    def _joined(self, left: Expression, right: Expression) -> Expression:
        if self.dialect == "sqlite":
            return sa.func.fx_join(left, right, type_=types.Text())
        empty = sa.literal_column("''", sa.Text())
        both = sa.func.coalesce(left, empty, type_=sa.Text()).concat(sa.func.coalesce(right, empty, type_=sa.Text()))
        cut = sa.func.substr(both, sa.literal_column("1", sa.Integer()), TEXT_MAX)
        return sa.func.nullif(cut, empty, type_=types.Text())

    def _call(self, node: Call) -> Expression:
        function = self.functions[node.name]
        kinds = node.kinds or function.takes
        args = [self._argument(arg, kind) for arg, kind in zip(node.args, kinds, strict=False)]
        if self.dialect == "sqlite" and function.in_sqlite == "python":
            found = self._borrowed(node, args)
        else:
            found = function.sql(self.context, args)
        stored = TYPES_OF_VALUES[node.type]
        if self.dialect != "sqlite" and isinstance(stored, Number):
            return sa.cast(found, Number())  # of a whole number FLOOR would be a double
        # A column of decimals keeps its scale; all else is of the type that the function says.
        is_number = isinstance(stored, Number) and isinstance(found.type, types.StoredType)
        return found if is_number else sa.type_coerce(found, stored)

    def _aggregate(self, node: Aggregate) -> Expression:
        lines, before = self.tables.lines(node.object), node.path.steps[:-1]

        def column(steps: tuple[str, ...]) -> Expression:
            is_of_owner = steps[0] == node.by and len(steps) > 1
            return self.column((*before, *steps[1:])) if is_of_owner else lines.column(steps)

        inner = Formula(self.dialect, self.functions, column, self.fixed, self._tables)
        return aggregate(node, lines, self.column((*before, "id")), inner)

    def _borrowed(self, node: Call, args: Sequence[Expression]) -> Expression:
        codes: Expression = sa.literal_column(f"'{call_codes(node.kinds)}'")
        zone = self.context.zone if "datetime" in node.kinds else sa.null()
        called: Any = getattr(sa.func, f"fx_{node.name.lower()}")
        return cast(Expression, called(codes, zone, *args, type_=TYPES_OF_VALUES[node.type]))

    def _argument(self, node: Node, kind: str) -> Expression:
        if isinstance(node, Const) and node.value is None:
            return sa.cast(sa.null(), TYPES_OF_VALUES.get(kind, types.Text()))
        if kind == "number":
            return self.exact(node)
        if kind == "boolean":
            return sa.type_coerce(sa.case((self.where(node), sa.true()), else_=sa.false()), types.Boolean())
        value = self.value(node)
        return sa.cast(value, types.Text()) if kind in ("text", "pattern") and isinstance(node, Const) else value


def fitted(dialect: str, number: Expression, scale: int) -> Expression:
    """An exact number as a column of that scale holds it."""
    stored: Any = types.Decimal(types.SQLITE_DIGITS, scale) if scale else types.Integer()
    if dialect == "sqlite":
        return sa.type_coerce(sa.func.fx_fitted(number, sa.literal_column(str(scale)), type_=sa.Integer()), stored)
    bound = sa.literal_column(f"1e{types.SQLITE_DIGITS - scale}", sa.Numeric())
    found = once(
        lambda value: sa.case((sa.func.abs(value) < bound, sa.cast(value, sa.Numeric() if scale else sa.BigInteger()))),
        sa.func.round(number, sa.literal_column(str(scale), sa.Integer()), type_=sa.Numeric()),
    )
    return sa.type_coerce(found, stored)


def not_true(condition: Condition) -> Condition:
    return condition.is_not(sa.true())


def is_stored(node: Node) -> bool:
    """A column, or a number that is held like a column's own."""
    is_slot = isinstance(node, Const) and isinstance(node.value, Slot) and node.value.kind == "number"
    return isinstance(node, Path | Fit) or is_slot


def is_filled(node: Node) -> bool:
    """Whether a value is never blank."""
    match node:
        case Const(value):
            return value is not None
        case Actor() | Not() | And() | Or() | Compare() | In() | InTree():
            return True
        case Aggregate(op):
            return op in ("COUNT", "SUM")
    return False


def same_type(one: Expression, other: Expression) -> tuple[Expression, Expression]:
    """PostgreSQL does not compare an id with text."""
    if isinstance(one.type, types.Id) == isinstance(other.type, types.Id):
        return one, other
    return as_text(one), as_text(other)


def as_text(value: Expression) -> Expression:
    return sa.cast(value, types.Text()) if isinstance(value.type, types.Id) else value


def scaled(number: Expression, power: int) -> Expression:
    return number * sa.literal(10**power, sa.Integer()) if power else number
