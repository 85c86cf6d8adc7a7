"""A checked formula -> a condition in SQL. Opens no connection.

Logic is two-valued: a comparison with a blank is false, `==` and `!=` treat blank as a value of its own, and `not x` is
true wherever `x` is not. SQL's third value is let through only where it counts as false, never below a `not`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.contracts.function import Function
from engine.formula.literals import Slot
from engine.formula.moments import days_later, whole
from engine.store import types
from metadata.formula.nodes import Actor, And, Arith, Call, Compare, Const, In, Node, Not, Or, Path

__all__ = ["Formula", "SqlContext"]

Expression = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]
ColumnOf = Callable[[tuple[str, ...]], Expression]

SLOT_TYPES: Mapping[str, types.StoredType] = {
    "text": types.Text(), "id": types.Id(), "element": types.Text(), "date": types.Date(), "datetime": types.DateTime(),
    "time": types.Time(),
}  # fmt: skip
TYPES_OF_VALUES: Mapping[str, types.StoredType] = {
    "text": types.Text(), "choice": types.Text(), "choices": types.TextList(), "reference": types.Id(),
    "boolean": types.Boolean(), "date": types.Date(), "datetime": types.DateTime(), "time": types.Time(),
    "number": types.Integer(), "json": types.Json(),
}  # fmt: skip


NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class SqlContext:
    """What functions may use. Each member but `dialect` is an expression, bound when the statement is run."""

    dialect: str
    now: Expression
    today: Expression
    actor: Mapping[str, Expression]


def sql_context(dialect: str) -> SqlContext:
    return SqlContext(
        dialect,
        sa.bindparam("_now", type_=types.DateTime()),
        sa.bindparam("_today", type_=types.Date()),
        {
            "id": sa.bindparam("_actor_id", type_=types.Id()),
            "username": sa.bindparam("_actor_username", type_=types.Text()),
        },
    )


class Formula:
    """Translates formulas over one table, whose columns `column` gives. Their literals are Slots: see `literals`.

    What `fixed` holds by a slot's name becomes a constant of the statement; other slots are bound at each run.
    """

    def __init__(
        self, dialect: str, functions: Mapping[str, Function], column: ColumnOf, fixed: Mapping[str, Any] = NOTHING
    ) -> None:
        self.dialect, self.functions, self.column, self.fixed = dialect, functions, column, fixed
        self.context = sql_context(dialect)

    def where(self, node: Node) -> Condition:
        """True, or else false or NULL."""
        match node:
            case And(items):
                return sa.and_(*map(self.where, items))
            case Or(items):
                return sa.or_(*map(self.where, items))
            case Not(item):
                return self.where_not(item)
            case Compare(op, left, right):
                return self._compare(op, left, right)
            case In(negated=True):
                return not_true(self._in(node))
            case In():
                return self._in(node)
            case Const(value):
                return sa.true() if value is True else sa.false()
            case Path():
                return self.value(node).is_(sa.true())
            case _:
                return self.value(node)

    def where_not(self, node: Node) -> Condition:
        """True exactly where `where` is not; else false or NULL."""
        match node:
            case And(items):
                return sa.or_(*map(self.where_not, items))
            case Or(items):
                return sa.and_(*map(self.where_not, items))
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

    def value(self, node: Node) -> Expression:
        """Of any type; NULL is blank. A boolean is never NULL unless it is a column's."""
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
            one, other = self._aligned(left, right)
        else:
            one, other = same_type(self.value(left), self.value(right))
        if op == "==":
            return one == other if is_filled(left) or is_filled(right) else one.is_not_distinct_from(other)
        if op == "!=":
            return one.is_distinct_from(other)
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

    def _number(self, node: Node) -> tuple[Expression, int]:
        """An exact number, and the power of ten that it is stored times: PostgreSQL needs none."""
        if isinstance(node, Arith):
            left, right = self._aligned(node.left, node.right, is_sum=True)
            return (left + right if node.op == "+" else left - right), self._scale(node)
        value = self.value(node)
        if self.dialect == "sqlite":
            return sa.type_coerce(value, sa.Integer()), self._scale(node)
        return value, 0

    def _scale(self, node: Node) -> int:
        if self.dialect != "sqlite":
            return 0
        match node:
            case Arith(_, left, right):
                return max(self._scale(left), self._scale(right))
            case Const(Slot() as slot):
                return slot.scale
            case Const():
                return 0
        found = self.value(node).type
        return found.scale if isinstance(found, types.Decimal) else 0

    def _aligned(self, left: Node, right: Node, is_sum: bool = False) -> tuple[Expression, Expression]:
        (one, scale), (other, other_scale) = self._number(left), self._number(right)
        if self.dialect != "sqlite":
            # A sum of two large integers overflows as BIGINT: PostgreSQL would raise.
            return (sa.cast(one, sa.Numeric()), sa.cast(other, sa.Numeric())) if is_sum else (one, other)
        # A product that does not fit becomes a double there, which is still larger than any number that fits.
        both = max(scale, other_scale)
        return scaled(one, both - scale), scaled(other, both - other_scale)

    def _arith(self, node: Arith) -> Expression:
        if node.type == "number":
            number, scale = self._number(node)
            if self.dialect != "sqlite":
                return number
            return sa.type_coerce(
                number, types.Decimal(scale=min(scale, types.SQLITE_DIGITS)) if scale else types.Integer()
            )
        moment, number_node = (node.left, node.right) if node.left.type == node.type else (node.right, node.left)
        number, scale = self._number(number_node)
        days = whole(self.dialect, number, scale)
        return days_later(self.dialect, self.value(moment), days if node.op == "+" else -days, str(node.type))

    def _call(self, node: Call) -> Expression:
        function = self.functions[node.name]
        args = [self._argument(arg, takes) for arg, takes in zip(node.args, function.takes, strict=False)]
        found: Expression = function.sql(self.context, args)
        if isinstance(found.type, types.StoredType):
            return found
        return sa.type_coerce(found, TYPES_OF_VALUES[function.returns])

    def _argument(self, node: Node, takes: str) -> Expression:
        if isinstance(node, Const) and node.value is None:
            return sa.cast(sa.null(), TYPES_OF_VALUES.get(takes, types.Text()))
        value = self.value(node)
        if isinstance(node, Const) and (scale := self._scale(node)):
            # Only the cast keeps SQLAlchemy from binding the number anew, as a decimal: it is scaled already.
            return sa.type_coerce(sa.cast(value, sa.Integer()), types.Decimal(scale=scale))
        return value


def not_true(condition: Condition) -> Condition:
    return condition.is_not(sa.true())


def is_filled(node: Node) -> bool:
    """Whether a value is never blank."""
    match node:
        case Const(value):
            return value is not None
        case Actor() | Not() | And() | Or() | Compare() | In():
            return True
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
