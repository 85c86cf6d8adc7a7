"""A checked formula -> a Python function of a record. Opens no connection, and nothing in it can run long.

The tree is our own and already checked, so closures over it need no interpreter: each node becomes one small function.
"""

import operator
import threading
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from engine.contracts.function import Function, Here
from engine.formula import exact
from engine.formula.work import Work
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
from metadata.formula.trees import walk
from metadata.formula.types import TEXTS

__all__ = ["Evaluate", "evaluator"]

Record = Mapping[str, Any]
Evaluate = Callable[[Here, Record, Record | None], Any]
"""(who and when, values as stored by dotted path, the values before the change or None for a new record) -> value."""

ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def evaluator(node: Node, functions: Mapping[str, Function]) -> Evaluate:
    """Blank is None. What it gives raises KeyError where the record lacks a path of the formula, or else TooMuch."""
    meter = Meter()
    inner = built(node, functions, meter)

    def evaluate(here: Here, record: Record, prior: Record | None) -> Any:
        meter.work = Work()
        return inner(here, record, prior)

    return evaluate if any(map(is_textual, walk(node))) else inner


class Meter(threading.local):
    """What is left of the evaluation that this thread is at."""

    work = Work()


def is_textual(node: Node) -> bool:
    """Whether it costs more the longer its texts are."""
    if isinstance(node, Arith):
        return node.type in TEXTS
    return isinstance(node, Call) and (node.type in TEXTS or any(arg.type in TEXTS for arg in node.args))


def built(node: Node, functions: Mapping[str, Function], meter: Meter) -> Evaluate:
    def made(part: Node) -> Evaluate:
        return built(part, functions, meter)

    match node:
        case Const() | Path() | Outer() | Config() | Prior() | IsNew() | Actor():
            return leaf(node)
        case Not(item):
            inner = made(item)
            return lambda here, record, prior: inner(here, record, prior) is not True
        case And(items):
            all_of = [made(item) for item in items]
            return lambda here, record, prior: all(one(here, record, prior) is True for one in all_of)
        case Or(items):
            any_of = [made(item) for item in items]
            return lambda here, record, prior: any(one(here, record, prior) is True for one in any_of)
        case Compare(op, left, right):
            return compared(op, made(left), made(right))
        case In(item, options, negated):
            is_list = bool(options) and options[0].type == "choices"
            return member(made(item), [made(option) for option in options], is_list, negated)
        case Arith():
            return arith(node, made(node.left), made(node.right), meter)
        case Call():
            return called(node, [made(arg) for arg in node.args], functions[node.name], meter)
        case Aggregate():
            return aggregate(node, made(node.inner) if node.inner is not None else None)
        case InTree():
            return in_tree(node.key, made(node.root))
        case Fit(item, scale):
            fitted = made(item)
            return lambda here, record, prior: exact.fitted(fitted(here, record, prior), scale)
    raise TypeError(f"no formula: {node!r}")


def leaf(node: Node) -> Evaluate:
    match node:
        case Const(value):
            found = filled(value)
            return lambda here, record, prior: found
        case Path() | Outer() | Config():
            key = node.key
            return lambda here, record, prior: filled(record[key])
        case Prior(path):
            before = path.key
            return lambda here, record, prior: None if prior is None else filled(prior[before])
        case IsNew():
            return lambda here, record, prior: prior is None
        case Actor("id"):
            return lambda here, record, prior: here.user_id or None
    return lambda here, record, prior: here.username or None


def filled(value: Any) -> Any:
    """No text is empty and no list is: they are blank."""
    return None if value == "" or value == [] or value == () else value


def compared(op: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if op == "==":
        return lambda here, record, prior: left(here, record, prior) == right(here, record, prior)
    if op == "!=":
        return lambda here, record, prior: left(here, record, prior) != right(here, record, prior)
    order = ORDER[op]

    def compare(here: Here, record: Record, prior: Record | None) -> bool:
        one, other = left(here, record, prior), right(here, record, prior)
        return one is not None and other is not None and order(one, other)

    return compare


def member(item: Evaluate, options: list[Evaluate], is_list: bool, negated: bool) -> Evaluate:
    def is_member(here: Here, record: Record, prior: Record | None) -> bool:
        value = item(here, record, prior)
        found = [option(here, record, prior) for option in options]
        return (value in ((found[0] or []) if is_list else found)) != negated

    return is_member


def arith(node: Arith, left: Evaluate, right: Evaluate, meter: Meter) -> Evaluate:
    op, kind = node.op, node.type
    sign = -1 if op == "-" else 1

    def number(here: Here, record: Record, prior: Record | None) -> Decimal | None:
        return exact.arithmetic(op, left(here, record, prior), right(here, record, prior))

    def text(here: Here, record: Record, prior: Record | None) -> str | None:
        both: str = (left(here, record, prior) or "") + (right(here, record, prior) or "")
        meter.work.read((both,))
        return both[: exact.TEXT_MAX] or None

    def moment(here: Here, record: Record, prior: Record | None) -> Any:
        start, days = left(here, record, prior), right(here, record, prior)
        return None if start is None else exact.days_later(start, sign * exact.whole(days or 0))

    return number if kind == "number" else text if kind == "text" else moment


def called(node: Call, args: list[Evaluate], function: Function, meter: Meter) -> Evaluate:
    python, skips_blank, weight = function.python, function.blank == "blank", function.weight
    if python is None:
        raise NotImplementedError(f"{node.name} works in filters only: it has no Python")
    booleans = [kind == "boolean" for kind in node.kinds]

    def call(here: Here, record: Record, prior: Record | None) -> Any:
        values = [arg(here, record, prior) for arg in args]
        values = [value is True if is_one else value for value, is_one in zip(values, booleans, strict=True)]
        if skips_blank and any(value is None for value in values):
            return None
        return filled(python(here, *values))

    def counted(here: Here, record: Record, prior: Record | None) -> Any:
        values = [arg(here, record, prior) for arg in args]
        values = [value is True if is_one else value for value, is_one in zip(values, booleans, strict=True)]
        if skips_blank and any(value is None for value in values):
            return None
        meter.work.read(values[:1], weight)
        meter.work.read(values[1:])
        found = filled(python(here, *values))
        meter.work.read((found,))
        return found

    return counted if is_textual(node) else call


class Line(Mapping[str, Any]):
    """The values of a line; those of the record that it belongs to under the reference to it, as `parent.` reads them.

    The record comes first: in a form it holds what is typed, the line what is stored.
    """

    __slots__ = ("by", "line", "record")

    def __init__(self, line: Record, record: Record, by: str) -> None:
        self.line, self.record, self.by = line, record, f"{by}."

    def __getitem__(self, key: str) -> Any:
        if key.startswith(self.by):
            return self.record[key[len(self.by) :]]
        return self.record[key] if key.startswith(("config.", "record.")) and key not in self.line else self.line[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.line)

    def __len__(self) -> int:
        return len(self.line)


def aggregate(node: Aggregate, inner: Evaluate | None) -> Evaluate:
    key, by, op = node.path.key, node.by, node.op
    start = key[: -len(node.path.steps[-1])]

    def values(here: Here, record: Record) -> list[Any]:
        lines = record[key] or ()
        if inner is None:
            return [True] * len(lines)
        owner = Below(record, start) if start else record
        return [inner(here, Line(line, owner, by), None) for line in lines]

    def count(here: Here, record: Record, prior: Record | None) -> Decimal:
        return Decimal(sum(value is True for value in values(here, record)))

    def measured(here: Here, record: Record, prior: Record | None) -> Any:
        return exact.aggregate(op, [value for value in values(here, record) if value is not None])

    return count if op == "COUNT" else measured


class Below(Mapping[str, Any]):
    """What a record's values hold behind a path, as those of a record; settings as they are."""

    def __init__(self, record: Record, start: str) -> None:
        self.record, self.start = record, start

    def __getitem__(self, key: str) -> Any:
        return self.record[key if key.startswith(("config.", "record.")) else self.start + key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.record)

    def __len__(self) -> int:
        return len(self.record)


def in_tree(key: str, root: Evaluate) -> Evaluate:
    def is_in_tree(here: Here, record: Record, prior: Record | None) -> bool:
        wanted = root(here, record, prior)
        return wanted is not None and wanted in (record[key] or ())

    return is_in_tree
