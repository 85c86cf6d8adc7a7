"""Calculations in the databases' own numbers, where these are exact. Opens no connection.

SQLite has whole numbers of 64 bits; calling Python for each `+` costs it fifty times as much. So sums, differences,
products, quotients by constants and what functions offer are worked out on whole numbers: times ten to the power of a
scale that is known when the statement is made. What overflows becomes a double there, which is seen at the end; then
the exact way is taken. On PostgreSQL the same knowledge spares bounds and roundings that cannot matter.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.formula import exact
from engine.formula.literals import Slot
from engine.store import types
from metadata.formula.nodes import Arith, Call, Const, Fit, Node, Path
from metadata.formula.parser import PLACES

if TYPE_CHECKING:
    from engine.formula.sql import Formula

__all__ = ["Scaled", "chosen", "held", "rounded_to", "scaled"]

Expression = sa.ColumnElement[Any]
DIGITS = types.SQLITE_DIGITS  # that a whole number of 64 bits surely has
EXACT = exact.EXACT
MOST_SHIFT = 6  # decimal places that a division by a constant may add


@dataclass(frozen=True, slots=True)
class Scaled:
    """A number in SQL: NUMERIC on PostgreSQL, on SQLite a whole number, the number times 10^scale."""

    dialect: str
    value: Expression
    scale: int  # digits behind the point, at most
    most: Decimal  # it is no farther from zero
    is_filled: bool  # never blank
    is_safe: bool  # nothing on the way to it can overflow
    constant: Decimal | None = None

    def at(self, scale: int) -> Expression:
        """The same with more places."""
        if self.dialect != "sqlite" or scale == self.scale:
            return self.value
        return self.value * power(scale - self.scale)

    def filled(self) -> "Scaled":
        """Blank counts as 0."""
        if self.is_filled:
            return self
        zero = sa.literal_column("0", sa.Integer() if self.dialect == "sqlite" else sa.Numeric())
        value = sa.func.coalesce(self.value, zero, type_=self.value.type)
        return Scaled(self.dialect, value, self.scale, self.most, True, self.is_safe)

    def becoming(self, value: Expression, scale: int, most: Decimal, *others: "Scaled", is_filled: bool) -> "Scaled":
        is_safe = has_room(most, scale) and all(one.is_safe for one in (self, *others))
        return Scaled(self.dialect, value, scale, most, is_filled, is_safe)


def scaled(formula: "Formula", node: Node) -> Scaled | None:
    """A number of a formula whose literals are constants of the statement; None where only the exact way is left."""
    match node:
        case Path():
            return _column(formula, node)
        case Const(Slot() as slot) if slot.name in formula.fixed:
            return _constant(formula, slot)
        case Arith(op, left, right) if node.type == "number":
            one, other = scaled(formula, left), scaled(formula, right)
            return _arith(op, one.filled(), other.filled(), right, formula) if one and other else None
        case Fit(item, scale):
            inner = scaled(formula, item)
            fit = rounded_to(inner, scale) if inner else None
            return fit if fit and has_room(fit.most, scale) else None
        case Call(name) if (reckon := formula.functions[name].scaled) is not None:
            parts = [_part(formula, arg, kind) for arg, kind in zip(node.args, node.kinds, strict=True)]
            return None if any(part is None for part in parts) else reckon(*parts)
    return None


def _part(formula: "Formula", node: Node, kind: str) -> Scaled | Expression | None:
    """An argument of a function: a number, or a condition."""
    if kind == "boolean":
        return formula.where(node)
    return scaled(formula, node) if kind == "number" else None


def _column(formula: "Formula", node: Path) -> Scaled | None:
    column = formula.value(node)
    if isinstance(column.type, types.Decimal):
        scale, most = column.type.scale, Decimal(10) ** (column.type.precision - column.type.scale)
    elif isinstance(column.type, types.Integer):
        scale, most = 0, Decimal(2**63)
    else:
        return None
    kind: Any = sa.Integer() if formula.dialect == "sqlite" else sa.Numeric()
    value = sa.type_coerce(column, kind) if formula.dialect == "sqlite" else sa.cast(column, kind)
    return Scaled(formula.dialect, value, scale, most, False, has_room(most, scale))


def _constant(formula: "Formula", slot: Slot) -> Scaled | None:
    number = _number(formula, slot)
    if number is None:
        return None
    scale = max(0, -int(number.normalize().as_tuple().exponent))
    whole = int(EXACT.scaleb(number, scale))
    if abs(whole) > 10**DIGITS:
        return None
    text = str(whole) if formula.dialect == "sqlite" else format(number, "f")
    kind: Any = sa.Integer() if formula.dialect == "sqlite" else sa.Numeric()
    # Digits that Python has written: a literal of the statement like others, but one of which the size is known.
    return Scaled(formula.dialect, sa.literal_column(f"({text})", kind), scale, abs(number), True, True, number)


def _number(formula: "Formula", slot: Slot) -> Decimal | None:
    value: Any = formula.fixed[slot.name]
    if slot.kind == "exact":
        return exact.number_of(value)
    if slot.kind != "number":
        return None
    return Decimal(value).scaleb(-slot.scale) if formula.dialect == "sqlite" else Decimal(value)


def _arith(op: str, one: Scaled, other: Scaled, right: Node, formula: "Formula") -> Scaled | None:
    if op in "+-":
        scale, most = max(one.scale, other.scale), EXACT.add(one.most, other.most)
        left, added = one.at(scale), other.at(scale)
        return one.becoming(left + added if op == "+" else left - added, scale, most, other, is_filled=True)
    if op == "*" and one.scale + other.scale <= PLACES:
        product = one.value * other.value
        most = EXACT.multiply(one.most, other.most)
        return one.becoming(product, one.scale + other.scale, most, other, is_filled=True)
    if op == "/" and isinstance(right, Const) and isinstance(right.value, Slot):
        return _divided(one, _number(formula, right.value))
    return None


def _divided(number: Scaled, by: Decimal | None) -> Scaled | None:
    """By a constant whose reciprocal has few decimal places: by 100, 8 or 0.5. Multiplied with that one."""
    if not by:
        return None
    for shift in range(MOST_SHIFT + 1):
        factor = Decimal(10) ** shift / by
        if factor == int(factor) and abs(factor) < 10**DIGITS and number.scale + shift <= PLACES:
            break
    else:
        return None
    kind: Any = sa.Integer() if number.dialect == "sqlite" else sa.Numeric()
    value = number.value * sa.literal_column(f"({int(factor)})", kind)
    if number.dialect != "sqlite":
        value = value * sa.literal_column(f"1e-{shift}", kind)
    most = EXACT.divide(number.most, abs(by))
    return number.becoming(value, number.scale + shift, most, is_filled=True)


def rounded_to(number: Scaled, scale: int) -> Scaled:
    """Halves away from zero; `scale` is not below 0."""
    if number.scale <= scale:
        return number.becoming(number.at(scale), scale, number.most, is_filled=number.is_filled)
    most = number.most + Decimal(1).scaleb(-scale)
    if number.dialect != "sqlite":
        value: Expression = sa.func.round(number.value, sa.literal_column(str(scale)), type_=sa.Numeric())
        return number.becoming(value, scale, most, is_filled=number.is_filled)
    unit = 10 ** (number.scale - scale)
    half, whole = sa.literal_column(str(unit // 2), sa.Integer()), sa.literal_column(str(unit), sa.Integer())
    zero: Expression = sa.literal_column("0", sa.Integer())

    def divided(value: Expression) -> Expression:  # SQLite's own `/`: whole numbers stay whole, cut off towards zero
        return (value + half).op("/", precedence=8, return_type=sa.Integer())(whole)

    value = sa.case((number.value < zero, -divided(-number.value)), else_=divided(number.value))
    # A half is added on the way.
    is_safe = number.is_safe and has_room(most, number.scale)
    return Scaled(number.dialect, value, scale, most, number.is_filled, is_safe)


def held(number: Scaled, stored: sa.types.TypeEngine[Any], exactly: Expression) -> Expression:
    """As a column of the type `stored` holds it: rounded, blank where it has no room; `exactly`, the slow way to it."""
    scale = stored.scale if isinstance(stored, types.Decimal) else 0
    found = rounded_to(number, scale)
    fits = has_room(found.most, scale)
    if number.dialect != "sqlite":
        value = sa.cast(found.value, sa.BigInteger()) if isinstance(stored, types.Integer) else found.value
        # Worked out twice, which costs less than the subquery that would do it once.
        return value if fits else sa.case((within(found.value, 10 ** (DIGITS - scale), sa.Numeric()), value))
    if fits and found.is_safe:
        return found.value
    shift = number.scale - scale
    bound = 10**DIGITS // 10**-shift if shift <= 0 else 10**DIGITS * 10**shift - 10**shift // 2
    # Not by abs(): of the least whole number that is an error. The other half of the range is room for a half.
    is_near = within(number.value, min(bound, 2**62), sa.Integer())
    is_whole = sa.func.typeof(number.value) == sa.literal_column("'integer'")
    return sa.case((sa.and_(is_whole, is_near), found.value), else_=exactly)


def has_room(most: Decimal, scale: int) -> bool:
    """Whether all numbers up to this one, with so many places, have 18 digits at most."""
    return most < Decimal(10) ** (DIGITS - scale)


def within(number: Expression, bound: int, kind: sa.types.TypeEngine[Any]) -> Expression:
    """Nearer to zero than the bound."""
    least: Expression = sa.literal_column(f"(-{bound})", kind)
    most: Expression = sa.literal_column(f"({bound})", kind)
    return sa.and_(number > least, number < most)


def chosen(condition: Expression, one: Scaled, other: Scaled | None = None) -> Scaled:
    """`one` where the condition is true, else `other`, or blank."""
    scale = max(one.scale, other.scale if other else 0)
    most = max(one.most, other.most if other else Decimal(0))
    value = sa.case((condition, one.at(scale)), else_=other.at(scale) if other else sa.null())
    others = (other,) if other else ()
    is_filled = other is not None and one.is_filled and other.is_filled
    return one.becoming(sa.type_coerce(value, one.value.type), scale, most, *others, is_filled=is_filled)


def power(exponent: int) -> Expression:
    return sa.literal_column(str(10**exponent), sa.Integer())
