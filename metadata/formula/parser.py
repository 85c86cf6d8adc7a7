"""Text of a formula -> a checked tree. Python's parser reads it, an allow-list lets it through; nothing is run."""

import ast
import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from metadata.formula.calls import Signature, call
from metadata.formula.errors import FormulaError
from metadata.formula.lookup import Lookup
from metadata.formula.names import Names
from metadata.formula.nodes import And, Arith, Const, Node, Not, Or, field_of
from metadata.formula.special import AGGREGATES, CHANGES, aggregate, change, in_tree, includes, lines_of
from metadata.formula.tokens import prepared
from metadata.formula.trees import calls_deep
from metadata.formula.types import arith, blank_of, compare, holds, logic, membership, must_be
from metadata.model import ValueType

__all__ = ["Limits", "calls_deep", "parse"]

PARSING = threading.Lock()
"""Python 3.11 counts the depth of its trees for all threads together: two that parse at once upset each other."""


@dataclass(frozen=True, slots=True)
class Limits:
    characters: int = 2000
    nodes: int = 320
    depth: int = 50
    steps: int = 6  # of one path
    calls: int = 50  # functions and signs around each other


LIMITS = Limits()
OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "null": None}
LARGEST = Decimal(10) ** 30
PLACES = 20  # after the point: no number of a formula has more
ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%",
}  # fmt: skip


def parse(
    text: str, scope: Names, *, functions: Mapping[str, Signature], limits: Limits = LIMITS,
    wants: ValueType | None = "boolean", has_prior: bool = False, outer: Names | None = None,
) -> Node:  # fmt: skip
    """The checked tree of `text`, whose value is of the type `wants` (None: of any). Raises FormulaError.

    `has_prior`: it is asked about a change of a record, so that PRIOR, CHANGED, BECAME and IS_NEW mean something.
    `outer`: names of the record that refers, for the filter of a reference: `record.account`.
    """
    if len(text) > limits.characters:
        raise _limit(f"a formula has at most {limits.characters:,} characters, not {len(text):,}", 1)
    reader = _Reader(text, Lookup(scope, functions, limits.steps, outer), functions, limits, has_prior)
    node = reader.read(reader.tree(), 1)
    if calls_deep(node) > limits.calls:
        raise _limit(f"functions and calculations stand at most {limits.calls} deep in each other", node.column)
    if wants is not None:
        must_be(node, wants)
    return node


def _is_fine_enough(number: Decimal) -> bool:
    exponent = number.normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -PLACES


def _limit(message: str, column: int) -> FormulaError:
    return FormulaError("formula.limit", message, "", column)


class _Reader:
    def __init__(
        self, text: str, lookup: Lookup, functions: Mapping[str, Signature], limits: Limits, has_prior: bool
    ) -> None:
        source = prepared(text)
        self.lead = len(source) - len(source.lstrip())
        self.source = source.strip()
        self.bytes = self.source.encode("utf-8", "surrogatepass")
        self.lookup, self.functions, self.limits = lookup, functions, limits
        self.nodes, self.has_prior = 0, has_prior

    def tree(self) -> ast.expr:
        if not self.source:
            raise FormulaError("formula.syntax", "the formula is empty", "leave it out")
        try:
            with PARSING:
                return ast.parse(self.source, mode="eval").body
        except SyntaxError as error:
            column = min(max(error.offset or 1, 1), len(self.source)) + self.lead
            raise FormulaError("formula.syntax", f"not a formula: {error.msg}", self._hint(), column) from error
        except (ValueError, MemoryError, RecursionError) as error:
            raise _limit(f"a formula is nested at most {self.limits.depth} levels deep", 1) from error

    def _hint(self) -> str:
        for word in self.source.split():
            if word in ("AND", "OR", "NOT", "IN"):
                return f"write '{word.lower()}'"
        return ""

    def column(self, node: ast.expr) -> int:
        return len(self.bytes[: node.col_offset].decode("utf-8", "replace")) + self.lead + 1

    def read(self, node: ast.expr, depth: int) -> Node:
        column = self.column(node)
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise _limit(f"a formula has at most {self.limits.nodes} parts", column)
        if depth > self.limits.depth:
            raise _limit(f"a formula is nested at most {self.limits.depth} levels deep", column)
        match node:
            case ast.Constant(value):
                return self._constant(node, value, column)
            case ast.Name() | ast.Attribute():
                return self._name(node, column)
            case ast.BoolOp(word, values):
                kind = And if isinstance(word, ast.And) else Or
                return logic(kind, [self.read(value, depth + 1) for value in values], column)
            case ast.UnaryOp(ast.Not(), operand):
                item = self.read(operand, depth + 1)
                must_be(item, "boolean")
                return Not(item, column=column)
            case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
                return self._signed(node, self.read(operand, depth + 1), column)
            case ast.BinOp(left, op, right) if type(op) in ARITHMETIC:
                return arith(ARITHMETIC[type(op)], self.read(left, depth + 1), self.read(right, depth + 1), column)
            case ast.Compare():
                return self._compare(node, depth, column)
            case ast.Call():
                return self._call(node, depth, column)
            case ast.List() | ast.Tuple():
                raise FormulaError("formula.syntax", "a list stands only after 'in'", "", column)
            case ast.IfExp(test, body, other):
                branches = [self.read(part, depth + 1) for part in (test, body, other)]
                return call("IF", branches, self.functions, column)
        raise FormulaError("formula.syntax", "this is not part of the formula language", "", column)

    def _constant(self, node: ast.expr, value: object, column: int) -> Const:
        match value:
            case None:
                return Const(None, "null", column)
            case bool():
                return Const(value, "boolean", column)
            case str():
                if any(0xD800 <= ord(c) <= 0xDFFF or c == "\0" for c in value):
                    raise FormulaError("formula.syntax", "a text holds a sign that is not allowed", "", column)
                return Const(value, "text", column)
            case int() | float():
                return Const(self._number(node, column), "number", column)
        raise FormulaError("formula.syntax", "this is not part of the formula language", "", column)

    def _number(self, node: ast.expr, column: int) -> int | Decimal:
        """From the text, not from the float: 0.1 is exactly that."""
        written = self.bytes[node.col_offset : node.end_col_offset].decode()
        try:
            number = Decimal(written)
        except InvalidOperation:
            raise FormulaError("formula.syntax", f"'{written}' is not a number", "", column) from None
        if abs(number) >= LARGEST or len(number.as_tuple().digits) > 40 or not _is_fine_enough(number):
            raise _limit(f"'{written[:40]}' is too large or too fine a number", column)
        is_whole = "." not in written and "e" not in written.lower()
        return int(number) if is_whole else number

    def _signed(self, node: ast.UnaryOp, item: Node, column: int) -> Node:
        must_be(item, "number")
        if isinstance(node.op, ast.UAdd):
            return item
        if isinstance(item, Const):
            assert isinstance(item.value, (int, Decimal))
            return Const(-item.value, "number", column)
        return Arith("-", Const(0, "number", column), item, "number", column)

    def _compare(self, node: ast.Compare, depth: int, column: int) -> Node:
        found: list[Node] = []
        left = self.read(node.left, depth + 1)
        for op, written in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)):
                if len(node.ops) > 1:
                    raise FormulaError("formula.syntax", "'in' does not stand in a chain of comparisons",
                                       "join the parts with 'and'", column)  # fmt: skip
                return self._in(left, written, isinstance(op, ast.NotIn), depth, column)
            if type(op) not in OPERATORS:
                raise FormulaError("formula.syntax", "'is' does not compare", "write '=='", column)
            right = self._beside(left, written, depth)
            found.append(compare(OPERATORS[type(op)], left, right, column))
            left = right
        return found[0] if len(found) == 1 else And(tuple(found), column=column)

    def _beside(self, left: Node, written: ast.expr, depth: int) -> Node:
        """What a value is compared with: a choice that lacks its quotes reads as the name of a field."""
        try:
            return self.read(written, depth + 1)
        except FormulaError as error:
            field = field_of(left)
            choices = field.choices if field else ()
            if isinstance(written, ast.Name) and any(choice.value == written.id for choice in choices):
                fix = f"write '{written.id}' with the quotes"
                raise FormulaError(error.code, error.message, fix, error.column) from error
            raise

    def _in(self, item: Node, written: ast.expr, negated: bool, depth: int, column: int) -> Node:
        if isinstance(written, (ast.List, ast.Tuple)):
            if not written.elts:
                raise FormulaError("formula.syntax", "the list after 'in' is empty", "", self.column(written))
            options = tuple(self._beside(item, option, depth) for option in written.elts)
            return membership(item, options, negated, column)
        return holds(item, self.read(written, depth + 1), negated, column)

    def _call(self, node: ast.Call, depth: int, column: int) -> Node:
        if not isinstance(node.func, ast.Name):
            raise FormulaError("formula.syntax", "only functions such as TODAY() can be called", "", column)
        if node.keywords:
            raise FormulaError("formula.syntax", "a function takes values without names", "", column)
        name = node.func.id
        if name in AGGREGATES:
            return self._aggregate(name, node, depth, column)
        args = [self.read(arg, depth + 1) for arg in node.args]
        if name in CHANGES:
            return change(name, args, self.has_prior, column)
        if name == "IN_TREE":
            return in_tree(self.lookup.scope, args, column)
        if name == "INCLUDES":
            return includes(args, column)
        return call(name, args, self.functions, column)

    def _aggregate(self, name: str, node: ast.Call, depth: int, column: int) -> Node:
        if not 1 <= len(node.args) <= 2:
            raise FormulaError("formula.type", f"{name} takes 2 values, not {len(node.args)}", "", column)
        written = node.args[0]
        if not isinstance(written, ast.Name | ast.Attribute):
            raise FormulaError("formula.type", f"{name} takes the name of a field that holds records", "", column)
        path = self.lookup.path(self._steps(written), self.column(written))
        self.nodes += 1
        scope = lines_of(name, self.lookup.scope, path)
        if len(node.args) == 1:
            return aggregate(name, path, None, column)
        here, has_prior = self.lookup, self.has_prior
        self.lookup, self.has_prior = here.within(scope), False
        inner = self.read(node.args[1], depth + 1)
        self.lookup, self.has_prior = here, has_prior
        return aggregate(name, path, blank_of(inner), column)

    def _name(self, node: ast.expr, column: int) -> Node:
        steps = self._steps(node)
        if len(steps) == 1 and steps[0] in CONSTANTS:
            return self._constant(node, CONSTANTS[steps[0]], column)
        return self.lookup.named(steps, column)

    def _steps(self, node: ast.expr) -> tuple[str, ...]:
        steps: list[str] = []
        while isinstance(node, ast.Attribute):
            steps.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            raise FormulaError("formula.syntax", "a '.' follows names only", "", self.column(node))
        steps.append(node.id)
        return tuple(unicodedata.normalize("NFKC", step) for step in reversed(steps))
