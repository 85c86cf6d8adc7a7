"""A checked formula -> JavaScript source of a pure function, for the browser. Opens no connection.

What it makes stands on ui/frontend/src/formula.js, imported as `fs`, and on the functions that `module` writes as `fn`.
"""

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal

from engine.contracts.function import Function
from engine.formula import exact
from engine.formula.evaluate import is_textual
from engine.pattern import Pattern
from engine.store.types import utc_text
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

__all__ = ["formula_source", "module"]


def module(formulas: Mapping[str, Node], functions: Mapping[str, Function], runtime: str) -> str:
    """An ES module that exports `formulas`: by name, (here, record, prior) -> value. `runtime` is formula.js's URL.

    `here` has now, today, zone, userId, username, roles, departments and fiscalStart; `record` has values by dotted
    path, numbers as texts, lines as arrays of such records; `prior` is the record before the change, or null. A number
    of the result is a text.
    """
    used = sorted({part.name for node in formulas.values() for part in walk(node) if isinstance(part, Call)})
    for name in used:
        if not functions[name].js:
            raise NotImplementedError(f"{name} does not work in the browser: it has no JavaScript")
    bodies = [f"  {json.dumps(name)}: {formula_source(node, functions)}," for name, node in formulas.items()]
    lines = [f"  {name}: {functions[name].js}," for name in used]
    return "\n".join(
        [f"import * as fs from {json.dumps(runtime)};", "const fn = {", *lines, "};",
         "export const formulas = {", *bodies, "};", ""]
    )  # fmt: skip


def formula_source(node: Node, functions: Mapping[str, Function]) -> str:
    return f"(here, record, prior = null) => fs.shown((fs.begin(), {written(node, functions)}))"


def written(node: Node, functions: Mapping[str, Function]) -> str:
    def made(part: Node) -> str:
        return written(part, functions)

    match node:
        case Const():
            return constant(node.value)
        case Path() | Outer() | Config():
            return f"fs.read(record, {json.dumps(node.key)}, {json.dumps(node.type)})"
        case Prior(path):
            return f"fs.read(prior, {json.dumps(path.key)}, {json.dumps(path.type)})"
        case IsNew():
            return "(prior === null)"
        case Actor("id"):
            return "(here.userId || null)"
        case Actor():
            return "(here.username || null)"
        case Not(item):
            return f"({made(item)} !== true)"
        case And(items) | Or(items):
            sign = " && " if isinstance(node, And) else " || "
            return "(" + sign.join(f"{made(item)} === true" for item in items) + ")"
        case Compare(op, left, right):
            return f"fs.compare({json.dumps(op)}, {made(left)}, {made(right)})"
        case In(item, options, negated):
            return ("!" if negated else "") + membership(made(item), options, [made(option) for option in options])
        case Arith():
            return arith(node, made(node.left), made(node.right))
        case Call(name, args):
            kinds = node.kinds or ("",) * len(args)
            given = [pattern(a) if kind == "pattern" else made(a) for a, kind in zip(args, kinds, strict=True)]
            return called(node, given, functions[name])
        case Aggregate(op, path, _, by, inner):
            of_line = f"(record) => {made(inner)}" if inner is not None else "null"
            return f"fs.aggregate({json.dumps(op)}, record, {json.dumps(path.steps)}, {json.dumps(by)}, {of_line})"
        case InTree(_, _, _, root):
            return f"fs.inTree(record, {json.dumps(node.key)}, {made(root)})"
        case Fit(item, scale):
            return f"fs.fitted({made(item)}, {scale})"
    raise TypeError(f"no formula: {node!r}")


def pattern(node: Node) -> str:
    """The tables that the browser follows: its own expressions may take minutes."""
    assert isinstance(node, Const)
    return json.dumps(json.dumps(Pattern(str(node.value)).tables))


def constant(value: object) -> str:
    match value:
        case None | "":
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return f"{exact.scaled(value)}n"
        case dt.datetime():
            return json.dumps(utc_text(value))
        case dt.date() | dt.time():
            return json.dumps(value.isoformat())
    return json.dumps(value)


def membership(item: str, options: tuple[Node, ...], made: list[str]) -> str:
    if options and options[0].type == "choices":
        return f"({made[0]} ?? []).includes({item})"
    return f"fs.isIn({item}, [{', '.join(made)}])"


def arith(node: Arith, left: str, right: str) -> str:
    kind = node.type
    if kind == "number":
        return f"fs.arithmetic({json.dumps(node.op)}, {left}, {right})"
    if kind == "text":
        return f"fs.join({left}, {right})"
    sign = "-" if node.op == "-" else ""
    return f"fs.daysLater({left}, {sign}fs.count({right} ?? 0n))"


def called(node: Call, args: list[str], function: Function) -> str:
    given = [f"({arg} === true)" if kind == "boolean" else arg for arg, kind in zip(args, node.kinds, strict=True)]
    if is_textual(node):
        how = f"{function.weight}, {json.dumps(function.blank == 'blank')}, [{', '.join(given)}]"
        return f"fs.counted({how}, (...args) => fn.{node.name}(here, ...args))"
    if function.blank == "blank":
        return f"fs.strict([{', '.join(given)}], (...args) => fn.{node.name}(here, ...args))"
    return f"fn.{node.name}({', '.join(['here', *given])})"
