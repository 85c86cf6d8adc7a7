"""A deep formula on SQLite: one call of Python for all of it. Opens no connection.

SQLite's parser gives up at some twenty functions around each other. The tree goes along as a text, a constant of the
statement, and is read once; what it reads of the record goes along as JSON.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy as sa

from engine.contracts.function import Function, Here
from engine.formula import exact
from engine.formula.evaluate import evaluator
from engine.formula.literals import Slot
from engine.formula.numeric import Number
from engine.formula.stored import LOAD, dumped
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
    Node,
    Not,
    Or,
    Path,
    parts,
)
from metadata.formula.trees import is_volatile

if TYPE_CHECKING:
    from engine.formula.sql import Formula

__all__ = ["is_deep", "one_call", "python_side"]

# What SQLite's parser has to remember of a level while it reads what stands in it. It gives up at 100.
COST = {And: 3, Or: 3, Arith: 5, Call: 6, Compare: 1, In: 2, Not: 1, Fit: 4, Aggregate: 12, InTree: 12}
COST_MOST = 72
ARGUMENTS_MOST = 100  # SQLite takes 127
LETTERS = {"text": "s", "id": "s", "element": "j", "date": "d", "datetime": "m", "time": "t", "exact": "n"}  # of slots
KINDS = {
    "boolean": "b",
    "date": "d",
    "datetime": "m",
    "time": "t",
    "choices": "j",
    "json": "o",
}  # of columns; others are texts
Expression = sa.ColumnElement[Any]


def is_deep(node: Node, known: dict[int, int] | None = None) -> bool:
    """Whether SQLite cannot read the SQL of it, or call a function of so many values."""
    if isinstance(node, Const | Path | Config | Actor | Aggregate | InTree):
        return False
    # What only a statement can tell is in no call; the parts beside it are asked for themselves.
    return cost(node, {} if known is None else known) > COST_MOST and not has_held(node)


def has_held(node: Node) -> bool:
    return isinstance(node, Held) or any(has_held(part) for part in parts(node))


def cost(node: Node, known: dict[int, int]) -> int:
    """`known`: of nodes that were asked for, by their ids."""
    if id(node) not in known:
        below = [cost(part, known) for part in parts(node)]
        if isinstance(node, Aggregate) and node.inner is not None:
            below.append(min(cost(node.inner, known), COST_MOST))  # what costs more is one call
        is_wide = isinstance(node, Call) and len(node.args) > ARGUMENTS_MOST
        known[id(node)] = COST.get(type(node), 0) + max(below, default=0) + (COST_MOST if is_wide else 0)
    return known[id(node)]


def one_call(formula: "Formula", node: Node) -> Expression:
    """What the formula gives, as SQLite keeps it; a number as its shortest text."""
    leaves: dict[Any, Expression] = {}
    written = _written(formula, node, leaves)
    values = [*leaves.values()]
    chunks = [values[at : at + ARGUMENTS_MOST] for at in range(0, len(values), ARGUMENTS_MOST)]
    context = formula.context
    person: list[Any] = [context.actor["id"], context.actor["username"], context.roles, context.departments]
    if is_volatile(node, formula.functions):
        here = sa.func.json_array(context.fiscal_start, context.now, context.zone, *person)
    else:  # departments cost a statement when they are bound
        here = sa.func.json_array(context.fiscal_start)
    tree = sa.literal(orjson.dumps(written).decode(), types.Text())
    return sa.func.fx_formula(tree, here, *(sa.func.json_array(*chunk) for chunk in chunks))


def _written(formula: "Formula", node: Node, leaves: dict[Any, Expression]) -> Any:
    def made(part: Node) -> Any:
        return _written(formula, part, leaves)

    match node:
        case Const(None | bool() as constant):
            return ["const", constant]
        case Const() | Path() | Config() | Aggregate() | InTree():
            key = node.key if isinstance(node, Path | Config) else id(node)
            if key not in leaves:
                leaves[key] = formula.value(node)
            return ["leaf", [*leaves].index(key), str(node.type), *_kept_as(node, leaves[key])]
        case Actor(attribute):
            return ["user", attribute]
        case Not(item):
            return ["not", made(item)]
        case And(items) | Or(items):
            return ["and" if isinstance(node, And) else "or", [made(item) for item in items]]
        case Compare(op, left, right):
            return ["compare", op, made(left), made(right)]
        case In(item, options, negated):
            return ["in", made(item), [made(option) for option in options], negated]
        case Arith(op, left, right):
            return ["arith", op, str(node.type), made(left), made(right)]
        case Call(name, args):
            return ["call", name, str(node.type), list(node.kinds), [made(arg) for arg in args]]
        case Fit(item, scale):
            return ["fit", made(item), scale]
    raise TypeError(f"no formula of a statement: {node!r}")


def _kept_as(node: Node, value: Expression) -> tuple[str, int]:
    """How SQLite keeps a value: a letter of LOAD, or "i" for a whole number, the number times 10^scale."""
    if isinstance(node, Const):
        slot = cast(Slot, node.value)
        return ("i", slot.scale) if slot.kind == "number" else (LETTERS[slot.kind], 0)
    if node.type == "number":
        if isinstance(value.type, Number):
            return "n", 0
        return "i", value.type.scale if isinstance(value.type, types.Decimal) else 0
    return KINDS.get(str(node.type), "s"), 0


def python_side(functions: Mapping[str, Function]) -> Callable[..., Any]:
    """What SQLite calls: (tree, who and when, values...) -> value."""

    @lru_cache(maxsize=500)
    def compiled(tree: str) -> tuple[Any, dict[str, Callable[[Any], Any]]]:
        loaders: dict[str, Callable[[Any], Any]] = {}
        node = _read(orjson.loads(tree), loaders)
        return evaluator(node, functions), loaders

    def call(tree: str, here: str, *chunks: str) -> Any:
        evaluate, loaders = compiled(tree)
        values = [value for chunk in chunks for value in orjson.loads(chunk)]
        record = {key: None if values[int(key)] is None else load(values[int(key)]) for key, load in loaders.items()}
        return dumped(evaluate(_here(here), record, None))

    return call


def _read(data: Sequence[Any], loaders: dict[str, Callable[[Any], Any]]) -> Node:
    def made(part: Any) -> Node:
        return _read(part, loaders)

    match data:
        case ["const", value]:
            return Const(value, "null" if value is None else "boolean")
        case ["leaf", index, type_, letter, scale]:
            loaders[str(index)] = _scaled_down(scale) if letter == "i" else LOAD[letter]
            return Path((str(index),), (), type_)
        case ["user", attribute]:
            return Actor(attribute)
        case ["not", item]:
            return Not(made(item))
        case ["and" | "or" as word, items]:
            return (And if word == "and" else Or)(tuple(map(made, items)))
        case ["compare", op, left, right]:
            return Compare(op, made(left), made(right))
        case ["in", item, options, negated]:
            return In(made(item), tuple(map(made, options)), negated)
        case ["arith", op, type_, left, right]:
            return Arith(op, made(left), made(right), type_)
        case ["call", name, type_, kinds, args]:
            return Call(name, tuple(map(made, args)), type_, kinds=tuple(kinds))
        case ["fit", item, scale]:
            return Fit(made(item), scale)
    raise ValueError(f"no tree: {data!r}")


def _scaled_down(scale: int) -> Callable[[Any], Any]:
    return lambda whole: exact.EXACT.scaleb(Decimal(whole), -scale)


@lru_cache(maxsize=200)
def _here(text: str) -> Here:
    fiscal_start, *person = orjson.loads(text)
    if not person:
        return Here(fiscal_start=fiscal_start)
    now, zone, user_id, username, roles, departments = person
    return Here(
        LOAD["m"](now), ZoneInfo(zone), user_id or "", username or "", frozenset(orjson.loads(roles)),
        frozenset(orjson.loads(departments)), fiscal_start,
    )  # fmt: skip
