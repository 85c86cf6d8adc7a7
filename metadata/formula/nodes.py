"""The checked tree of a formula, and the shape that trees which differ only in their literals share."""

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

from metadata.model import Field, ValueType

__all__ = [
    "Actor", "Aggregate", "And", "Arith", "Call", "Compare", "Config", "Const", "Fit", "FormulaType", "Held", "In",
    "InTree", "IsNew", "Node", "Not", "Or", "Outer", "Path", "Prior", "field_of", "parts", "paths_in", "shape",
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

    @property
    def key(self) -> str:
        """Under which a record's values hold it."""
        return ".".join(self.steps)


@dataclass(frozen=True, slots=True)
class Outer:
    """In the filter of a reference: a field of the record that refers, `record.account`; `Path` is one of the target.

    A record's values hold it under "record.account".
    """

    path: Path
    type: FormulaType
    column: int = field(default=1, compare=False)

    @property
    def key(self) -> str:
        return f"record.{self.path.key}"


@dataclass(frozen=True, slots=True)
class Config:
    """A field of a settings object's one record: `config.sales.discount`; values hold it under that name."""

    object: str
    field: Field
    type: FormulaType
    column: int = dataclasses.field(default=1, compare=False)  # `field` is a name of this class

    @property
    def key(self) -> str:
        return f"config.{self.object}.{self.field.name}"


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


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Of the records of `object` that the field at `path` holds: COUNT(lines, condition), SUM(lines, value).

    `inner` is a formula over one of these records, whose reference `by` leads back here; None counts all.
    A record's values hold them as a sequence of records, under the path's key.
    """

    op: Literal["COUNT", "SUM", "AVERAGE", "HIGHEST", "LOWEST"]
    path: Path
    object: str
    by: str
    inner: "Node | None"
    type: FormulaType
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class InTree:
    """Whether a record of `object`, a tree by its reference `by`, is the root or below it; blank is in no tree.

    `item` is a reference, or the id, of that record. Values hold it and all that is above it under `key`.
    """

    item: Path
    object: str
    by: str
    root: "Node"
    type: FormulaType = "boolean"
    column: int = field(default=1, compare=False)

    @property
    def key(self) -> str:
        return f"{self.item.key}^"


@dataclass(frozen=True, slots=True)
class Fit:
    """A number as a column of `scale` decimal places holds it: rounded, and blank where it has no room."""

    item: "Node"
    scale: int
    type: FormulaType = "number"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Held:
    """Never written: how the person who acts holds a record besides owning it; only rules of a Scope have it.

    `people`: the owner at `item` is one of those whose records are theirs, too, by `names`: "managers", "departments",
    "department", "department_and_below". `shares`: the record with the id at `item` was shared with them; `names` is
    its object and the accesses that do. `member`: they are in a department or team; `names` is that object and names.
    """

    way: Literal["people", "shares", "member"]
    item: Path
    names: tuple[str, ...]
    type: FormulaType = "boolean"
    column: int = field(default=1, compare=False)


Node = (
    Const | Path | Outer | Config | Actor | Not | And | Or | Compare | In | Arith | Call | Prior | IsNew | Aggregate
    | InTree | Fit | Held
)  # fmt: skip


def field_of(node: Node) -> Field | None:
    """The field whose value it is, if it is one's."""
    match node:
        case Path(_, fields) | Prior(Path(_, fields)) | Outer(Path(_, fields)):
            return fields[-1]
        case Config():
            return node.field
    return None


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes right below one, of the same record: without what an aggregate asks of its lines."""
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
        case Prior(path) | Aggregate(_, path):
            return (path,)
        case InTree(item, _, _, root):
            return (item, root)
        case Fit(item) | Held(_, item):
            return (item,)
    return ()


def paths_in(node: Node) -> tuple[Path, ...]:
    """All paths of a formula from left to right, those to lines included; not those of their lines."""
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
    head: Hashable
    match node:
        case Const(None):
            return "blank"
        case Const(value, type_):
            values.append(value)
            return ("const", type_)
        case Path(steps):
            return ("path", *steps)
        case Outer() | Config():
            return ("key", node.key)
        case Actor(attribute):
            return ("user", attribute)
        case Aggregate(op, _, object_, by, inner):
            below = _shape(inner, values) if inner else "all"
            return (op, object_, by, *(_shape(part, values) for part in parts(node)), below)
        case InTree(_, object_, by):
            head = ("tree", object_, by)
        case Fit(_, scale):
            head = ("fit", scale)
        case Held(way, _, names):
            head = ("held", way, *names)
        case Compare(op) | Arith(op):
            head = op
        case In(negated=negated):
            head = "not in" if negated else "in"
        case Call(name):
            head = ("call", name)
        case _:
            head = type(node).__name__
    return (head, *(_shape(part, values) for part in parts(node)))
