"""Which values of one field make a condition true: sets of values, and what conditions over that field alone say."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from metadata.formula.nodes import And, Arith, Call, Compare, Const, In, Node, Not, Or, Path
from metadata.model import Field

__all__ = [
    "Cut", "Listed", "Ranges", "Some", "Values", "about_one", "fitted", "flat", "folded", "junction", "step_of",
    "truth", "words",
]  # fmt: skip

ORDERED = frozenset({"number", "date", "datetime", "time"})
NAMED = frozenset({"text", "choice", "reference"})
FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
# Functions that are another way to write what the language has signs for.
SAME_AS: Mapping[str, type[And] | type[Or]] = {"AND": And, "OR": Or}

Cut = tuple[Any, int]
"""A place between values: (value, 0) is just below the value, (value, 1) just above it."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Values of a type with an order. At each cut, from the smallest on, the set begins or ends."""

    begins: bool  # whether it holds what is below all cuts
    cuts: tuple[Cut, ...]

    def __invert__(self) -> "Ranges":
        return Ranges(not self.begins, self.cuts)

    def __and__(self, other: "Ranges") -> "Ranges":
        begins = now = self.begins and other.begins
        cuts = []
        for cut in sorted({*self.cuts, *other.cuts}):
            here = self.holds(cut) and other.holds(cut)
            if here != now:
                cuts.append(cut)
                now = here
        return Ranges(begins, tuple(cuts))

    def holds(self, cut: Cut) -> bool:
        """What is right above the cut."""
        return self.begins != (sum(one <= cut for one in self.cuts) % 2 == 1)

    def is_none(self) -> bool:
        return not self.begins and not self.cuts

    def stretches(self) -> Iterator[tuple[Cut | None, Cut | None]]:
        """From cut to cut; None where it goes on without end."""
        ends: list[Cut | None] = [*([None] if self.begins else []), *self.cuts]
        if len(ends) % 2:
            ends.append(None)
        yield from zip(ends[::2], ends[1::2], strict=True)


@dataclass(frozen=True, slots=True)
class Listed:
    """Values without an order: those listed, or all but those."""

    values: frozenset[Any]
    is_all_but: bool = False
    known: tuple[Any, ...] = ()  # all values that there are; () where that is not known

    def __invert__(self) -> "Listed":
        return replace(self, is_all_but=not self.is_all_but)

    def __and__(self, other: "Listed") -> "Listed":
        match self.is_all_but, other.is_all_but:
            case False, False:
                return replace(self, values=self.values & other.values)
            case True, True:
                return replace(self, values=self.values | other.values)
            case False, True:
                return replace(self, values=self.values - other.values)
        return replace(self, values=other.values - self.values, is_all_but=False)

    def is_none(self) -> bool:
        return bool(self.known) and self.values.issuperset(self.known) if self.is_all_but else not self.values

    def named(self) -> tuple[Any, ...]:
        """Of the known values those that it holds, in their order; of others those listed."""
        if self.known:
            return tuple(value for value in self.known if (value in self.values) != self.is_all_but)
        return () if self.is_all_but else tuple(sorted(self.values))


Some = Ranges | Listed


@dataclass(frozen=True, slots=True)
class Values:
    """A set of a field's values, of which blank is one."""

    some: Some
    has_blank: bool

    def __invert__(self) -> "Values":
        return Values(~self.some, not self.has_blank)

    def __and__(self, other: "Values") -> "Values":
        return Values(self.some & other.some, self.has_blank and other.has_blank)  # type: ignore[operator]

    def __or__(self, other: "Values") -> "Values":
        return ~(~self & ~other)

    def is_none(self) -> bool:
        return not self.has_blank and self.some.is_none()

    def is_all(self) -> bool:
        return (~self).is_none()


def about_one(node: Node) -> tuple[Path, Values] | None:
    """The one field that a condition asks about, and the values with which it is true; None for other conditions."""
    match node:
        case Path(type="boolean"):
            return node, Values(booleans({True}), False)
        case Not(item) | Call("NOT", (item,)):
            found = about_one(item)
            return (found[0], ~found[1]) if found else None
        case Call("ISBLANK", (Path() as path,)):
            empty = nothing(path)
            return (path, Values(empty, True)) if empty is not None else None
        case Compare(op, left, right):
            return compared(op, folded(left), folded(right))
        case In(Path() as path, options, negated):
            return member(path, options, negated)
        case Call("IN", (Path() as path, *options)):
            return member(path, tuple(options), False)
    joined = junction(node)
    return together(joined) if joined else None


def junction(node: Node) -> tuple[type[And] | type[Or], tuple[Node, ...]] | None:
    """What `and` or `or` joins, however it is written."""
    match node:
        case And(items):
            return And, items
        case Or(items):
            return Or, items
        case Call("AND" | "OR", args):
            return SAME_AS[node.name], args
    return None


def together(joined: tuple[type[And] | type[Or], tuple[Node, ...]]) -> tuple[Path, Values] | None:
    kind, items = joined
    found = [about_one(item) for item in items]
    if not found or any(one is None for one in found) or len({one[0].steps for one in found if one}) > 1:
        return None
    sets = [one[1] for one in found if one]
    assert found[0] is not None
    return found[0][0], reduce(lambda a, b: a & b if kind is And else a | b, sets)


def compared(op: str, left: Node, right: Node) -> tuple[Path, Values] | None:
    if isinstance(left, Const) and isinstance(right, Path):
        left, right, op = right, left, FLIPPED[op]
    if not isinstance(left, Path) or not isinstance(right, Const):
        return None
    empty = nothing(left)
    if empty is None:
        return None
    if right.value is None:
        blank = Values(empty, True)
        return left, blank if op == "==" else ~blank
    if isinstance(empty, Listed):
        if op not in ("==", "!="):
            return None  # texts are compared by code point, which no list of values can say
        one = Values(replace(empty, values=frozenset({right.value})), False)
        return left, one if op == "==" else ~one
    return left, ordered(op, right.value)


def ordered(op: str, value: Any) -> Values:
    below, above = (value, 0), (value, 1)
    match op:
        case "<":
            return Values(Ranges(True, (below,)), False)
        case "<=":
            return Values(Ranges(True, (above,)), False)
        case ">":
            return Values(Ranges(False, (above,)), False)
        case ">=":
            return Values(Ranges(False, (below,)), False)
    one = Values(Ranges(False, (below, above)), False)
    return one if op == "==" else ~one


def member(path: Path, options: tuple[Node, ...], negated: bool) -> tuple[Path, Values] | None:
    sets = [compared("==", path, folded(option)) for option in options]
    if not sets or any(one is None for one in sets):
        return None
    found = reduce(lambda a, b: a | b, (one[1] for one in sets if one))
    return path, ~found if negated else found


def nothing(path: Path) -> Some | None:
    """No value of a field; None where its values are not of a kind that sets are made of."""
    if path.type in ORDERED:
        return Ranges(False, ())
    if path.type == "boolean":
        return booleans(set())
    if path.type in NAMED:
        known = tuple(choice.value for choice in path.fields[-1].choices) if path.type == "choice" else ()
        return Listed(frozenset(), known=known)
    return None


def booleans(values: set[bool]) -> Listed:
    return Listed(frozenset(values), known=(True, False))


def folded(node: Node) -> Node:
    """Sums, differences and products of numbers as the number that they are."""
    if not isinstance(node, Arith) or node.type != "number" or node.op not in ("+", "-", "*"):
        return node
    left, right = folded(node.left), folded(node.right)
    if not (isinstance(left, Const) and isinstance(right, Const)):
        return node
    if not (isinstance(left.value, (int, Decimal)) and isinstance(right.value, (int, Decimal))):
        return node
    one, other = Decimal(left.value), Decimal(right.value)
    value = one + other if node.op == "+" else one - other if node.op == "-" else one * other
    return Const(value, "number", node.column)


def truth(node: Node) -> bool | None:
    """What a condition is for every record; None where that depends on the record, or cannot be told."""
    if isinstance(node, Const):
        return node.value is True if node.type in ("boolean", "null") else None
    if isinstance(node, Not):
        inner = truth(node.item)
        return None if inner is None else not inner
    if isinstance(node, Compare):
        left, right = folded(node.left), folded(node.right)
        if isinstance(left, Const) and isinstance(right, Const):
            return constant(node.op, left.value, right.value)
    if is_plain(node):
        return None
    found = about_one(node)
    if found is not None:
        values = fitted(found[1], step_of(found[0].fields[-1]))
        complement = fitted(~found[1], step_of(found[0].fields[-1]))
        return False if values.is_none() else True if complement.is_none() else None
    joined = junction(node)
    return of_junction(*joined) if joined else None


def is_plain(node: Node) -> bool:
    """A field beside one literal, as most conditions are: some values make it true, and blank or others do not."""
    match node:
        case Path() | In() | Call("ISBLANK" | "IN"):
            return True
        case Compare(_, Path(), Const(value)) | Compare(_, Const(value), Path()):
            return not isinstance(value, Decimal)  # 2.005 is no value of two decimal places
    return False


def constant(op: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return (left is None and right is None) == (op == "==") if op in ("==", "!=") else None
    try:
        found: bool = {
            "==": left == right, "!=": left != right, "<": left < right, "<=": left <= right, ">": left > right,
            ">=": left >= right,
        }[op]  # fmt: skip
    except TypeError:
        return None
    return found


def of_junction(kind: type[And] | type[Or], items: tuple[Node, ...]) -> bool | None:
    """Parts over the same field count together: `amount > 5 and is_open and amount < 3` is never true."""
    decisive = kind is Or
    parts = [truth(item) for item in flat(kind, items)]
    if decisive in parts:
        return decisive
    by_field: dict[tuple[str, ...], list[Node]] = {}
    for item in flat(kind, items):
        if (found := about_one(item)) is not None:
            by_field.setdefault(found[0].steps, []).append(item)
    for group in by_field.values():
        if len(group) > 1 and len(group) < len(parts) and truth(kind(tuple(group))) is decisive:
            return decisive
    return not decisive if all(part is (not decisive) for part in parts) else None


def flat(kind: type[And] | type[Or], items: Iterable[Node]) -> Iterator[Node]:
    """`not (a or b)` is `not a and not b`."""
    for item in items:
        joined = junction(item)
        denied = junction(item.item) if isinstance(item, Not) else None
        if joined and joined[0] is kind:
            yield from flat(kind, joined[1])
        elif denied and denied[0] is not kind:
            yield from flat(kind, [Not(one) for one in denied[1]])
        else:
            yield item


def step_of(field: Field, guess: bool = False) -> Decimal | timedelta | None:
    """How far neighbouring values of a field are apart; None where they are as close as one likes.

    `guess`: numbers that name no scale are taken for whole ones, as most are.
    """
    if field.value == "date":
        return timedelta(days=1)
    if field.value != "number" or field.source == "formula":
        return None
    scale = field.options.get("scale")
    if isinstance(scale, int):
        return Decimal(1).scaleb(-scale)
    return Decimal(1) if guess else None


def fitted(values: Values, step: Decimal | timedelta | None) -> Values:
    """Without the stretches in which no value lies that the field can hold."""
    if step is None or not isinstance(values.some, Ranges):
        return values
    kept = Ranges(False, ())
    for start, end in values.some.stretches():
        if start is None or end is None or first(start, step) <= last(end, step):
            one = Ranges(start is None, tuple(cut for cut in (start, end) if cut is not None))
            kept = ~(~kept & ~one)
    return Values(kept, values.has_blank)


def first(cut: Cut, step: Any) -> Any:
    """The smallest value above a cut."""
    value, is_above = cut
    if isinstance(value, date):
        return value + step if is_above and value < date.max else value
    steps = Decimal(value) / step
    whole = steps.to_integral_value("ROUND_FLOOR")
    return whole + (1 if is_above or whole < steps else 0)


def last(cut: Cut, step: Any) -> Any:
    """The largest value below a cut."""
    value, is_above = cut
    if isinstance(value, date):
        return value if is_above or value == date.min else value - step
    steps = Decimal(value) / step
    whole = steps.to_integral_value("ROUND_CEILING")
    return whole if is_above and whole == steps else whole - 1


def words(values: Values) -> str:
    """A set as a sentence names it: "exactly 50,000", "more than 5 and less than 10", "'new' or 'won'"."""
    parts = [stretch(*ends) for ends in values.some.stretches()] if isinstance(values.some, Ranges) else [
        f"'{value}'" if isinstance(value, str) else str(value).lower() for value in values.some.named()
    ]  # fmt: skip
    return " or ".join([*parts, *(["blank"] if values.has_blank else [])])


def stretch(start: Cut | None, end: Cut | None) -> str:
    if start is not None and end is not None and start[0] == end[0]:
        return f"exactly {shown(start[0])}"
    parts = []
    if start is not None:
        parts.append(f"{'more than' if start[1] else 'at least'} {shown(start[0])}")
    if end is not None:
        parts.append(f"{'at most' if end[1] else 'less than'} {shown(end[0])}")
    return " and ".join(parts) or "any value"


def shown(value: Any) -> str:
    if isinstance(value, (int, Decimal)):
        return f"{value:,}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
