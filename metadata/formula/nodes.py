"""The checked tree of a formula, and the shape that trees which differ only in their literals share."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

from metadata.model import Field, ValueType

__all__ = [
    "Actor", "And", "Arith", "Call", "Compare", "Const", "FormulaType", "In", "IsNew", "Node", "Not", "Or", "Path",
    "Prior", "parts", "paths_in", "shape",
]  # fmt: skip

FormulaType = ValueType | Literal["null"]


@dataclass(frozen=True, slots=True)
class Const:
    """A literal: str, int, Decimal, bool, date, datetime (UTC), time, or None for blank."""

    value: object
    type: FormulaType
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Path:
    """A field of the record, or of one that it refers to: `fields` holds the field of every step."""

    steps: tuple[str, ...]
    fields: tuple[Field, ...]
    type: FormulaType
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Actor:
    """The person acting: `user.id`, `user.username`."""

    attribute: str
    type: FormulaType = "text"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    item: "Node"
    type: FormulaType = "boolean"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    items: tuple["Node", ...]
    type: FormulaType = "boolean"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    items: tuple["Node", ...]
    type: FormulaType = "boolean"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """Both sides are of types that compare; a blank constant stands on the right, below == or != only."""

    op: Literal["==", "!=", "<", "<=", ">", ">="]
    left: "Node"
    right: "Node"
    type: FormulaType = "boolean"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class In:
    """`item in [options]`; or, where the one option is a path of type `choices`, whether that list holds the item."""

    item: "Node"
    options: tuple["Node", ...]
    negated: bool = False
    type: FormulaType = "boolean"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Arith:
    """Of numbers; or date ± days, datetime ± days (the moment on the left), text + text."""

    op: Literal["+", "-", "*", "/", "%"]
    left: "Node"
    right: "Node"
    type: FormulaType = "number"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    args: tuple["Node", ...]
    type: FormulaType
    column: int = field(default=1, compare=False)
    kinds: tuple[str, ...] = field(default=(), compare=False)  # what each argument is to the function: a type or "any"


@dataclass(frozen=True, slots=True)
class Prior:
    """A field of the record as it was before the change; blank where there was no record."""

    path: Path
    type: FormulaType
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class IsNew:
    type: FormulaType = "boolean"
    column: int = field(default=1, compare=False)


Node = Const | Path | Actor | Not | And | Or | Compare | In | Arith | Call | Prior | IsNew


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes right below one."""
    match node:
        case And(items) | Or(items):
            return items
        case Not(item):
            return (item,)
        case Compare(_, left, right) | Arith(_, left, right):
            return (left, right)
        case In(item, options):
            return (item, *options)
        case Call(_, args):
            return args
        case Prior(path):
            return (path,)
    return ()


def paths_in(node: Node) -> tuple[Path, ...]:
    """All paths of a formula, as written, from left to right."""
    if isinstance(node, Path):
        return (node,)
    return tuple(path for part in parts(node) for path in paths_in(part))


def shape(node: Node) -> tuple[Hashable, list[object]]:
    """A key that is equal for trees which differ only in their literals, and the literals from left to right.

    Blank stays in the key, because SQL writes `is null` for it; so does the number of options after `in`.
    """
    values: list[object] = []
    return _shape(node, values), values


def _shape(node: Node, values: list[object]) -> Hashable:
    match node:
        case Const(None):
            return "blank"
        case Const(value, type_):
            values.append(value)
            return ("const", type_)
        case Path(steps):
            return ("path", *steps)
        case Actor(attribute):
            return ("user", attribute)
        case Compare(op) | Arith(op):
            head: Hashable = op
        case In(negated=negated):
            head = "not in" if negated else "in"
        case Call(name):
            head = ("call", name)
        case _:
            head = type(node).__name__
    return (head, *(_shape(part, values) for part in parts(node)))
