"""Text of a formula -> a checked tree. Python's parser reads it, an allow-list lets it through; nothing is run."""

import ast
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from metadata.formula.calls import Signature, call
from metadata.formula.errors import FormulaError
from metadata.formula.names import Names
from metadata.formula.nodes import Actor, And, Arith, Call, Compare, Const, IsNew, Node, Not, Or, Path, Prior, parts
from metadata.formula.tokens import prepared
from metadata.formula.types import arith, blank_of, compare, holds, logic, membership, must_be
from metadata.model import Field, ValueType
from metadata.problem import nearest

__all__ = ["Limits", "parse"]


@dataclass(frozen=True, slots=True)
class Limits:
    characters: int = 2000
    nodes: int = 320
    depth: int = 50
    steps: int = 6  # of one path
    calls: int = 12  # functions and signs around each other: SQLite's own parser gives up at some twenty


LIMITS = Limits()
OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "null": None}
ACTOR: Mapping[str, ValueType] = {"id": "reference", "username": "text"}
LARGEST = Decimal(10) ** 30
PLACES = 20  # after the point: no number of a formula has more
ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%",
}  # fmt: skip
# Of the record as it was, so they are no functions: they take a field, not its value.
CHANGES = {"PRIOR": 1, "CHANGED": 1, "BECAME": 2, "IS_NEW": 0}


def parse(
    text: str, scope: Names, *, functions: Mapping[str, Signature], limits: Limits = LIMITS,
    wants: ValueType | None = "boolean", has_prior: bool = False,
) -> Node:  # fmt: skip
    """The checked tree of `text`, whose value is of the type `wants` (None: of any). Raises FormulaError.

    `has_prior`: it is asked about a change of a record, so that PRIOR, CHANGED, BECAME and IS_NEW mean something.
    """
    if len(text) > limits.characters:
        raise _limit(f"a formula has at most {limits.characters:,} characters, not {len(text):,}", 1)
    reader = _Reader(text, scope, functions, limits, has_prior)
    node = reader.read(reader.tree(), 1)
    if calls_deep(node) > limits.calls:
        raise _limit(f"functions and calculations stand at most {limits.calls} deep in each other", node.column)
    if wants is not None:
        must_be(node, wants)
    return node


def calls_deep(node: Node) -> int:
    return isinstance(node, (Arith, Call)) + max(map(calls_deep, parts(node)), default=0)


def _is_fine_enough(number: Decimal) -> bool:
    exponent = number.normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -PLACES


def _limit(message: str, column: int) -> FormulaError:
    return FormulaError("formula.limit", message, "", column)


class _Reader:
    def __init__(
        self, text: str, scope: Names, functions: Mapping[str, Signature], limits: Limits, has_prior: bool
    ) -> None:
        source = prepared(text)
        self.lead = len(source) - len(source.lstrip())
        self.source = source.strip()
        self.bytes = self.source.encode("utf-8", "surrogatepass")
        self.scope, self.functions, self.limits = scope, functions, limits
        self.nodes, self.has_prior = 0, has_prior

    def tree(self) -> ast.expr:
        if not self.source:
            raise FormulaError("formula.syntax", "the formula is empty", "leave it out")
        try:
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
            choices = left.fields[-1].choices if isinstance(left, Path) else ()
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
        args = [self.read(arg, depth + 1) for arg in node.args]
        if node.func.id in CHANGES:
            return self._change(node.func.id, args, column)
        return call(node.func.id, args, self.functions, column)

    def _change(self, name: str, args: list[Node], column: int) -> Node:
        """PRIOR(x), CHANGED(x), BECAME(x, value), IS_NEW(): the last three in terms of what was before."""
        if not self.has_prior:
            message = f"{name} asks what a record was before it changed, and nothing changes here"
            raise FormulaError("formula.prior", message, "", column)
        if len(args) != CHANGES[name]:
            raise FormulaError("formula.type", f"{name} takes {CHANGES[name]} values, not {len(args)}", "", column)
        if name == "IS_NEW":
            return IsNew(column=column)
        path = args[0]
        if not isinstance(path, Path) or len(path.steps) > 1:
            raise FormulaError("formula.prior", f"{name} takes a field of the record itself", "", args[0].column)
        prior = Prior(path, path.type, column)
        if name == "PRIOR":
            return prior
        if name == "CHANGED":
            return Compare("!=", path, prior, column=column)
        wanted = blank_of(args[1])
        now, before = compare("==", path, wanted, column), compare("!=", prior, wanted, column)
        return And((now, Or((IsNew(column=column), before), column=column)), column=column)

    def _name(self, node: ast.expr, column: int) -> Node:
        steps = self._steps(node)
        if len(steps) == 1 and steps[0] in CONSTANTS:
            return self._constant(node, CONSTANTS[steps[0]], column)
        if steps[0] == "user" and len(steps) > 1:
            return self._actor(steps, column)
        if steps[0] == "this" and len(steps) > 1:
            column += len("this.")
            steps = steps[1:]
        if len(steps) > self.limits.steps:
            raise _limit(f"a path has at most {self.limits.steps} steps, not {len(steps)}", column)
        fields: list[Field] = []
        for count in range(1, len(steps) + 1):
            found = self.scope.resolve(steps[:count])
            if found is None:
                raise self._unknown(steps, count - 1, fields, column)
            fields.append(found.field)
        assert found is not None
        if found.value == "secret":
            message = f"'{'.'.join(steps)}' is a secret, which no formula reads"
            raise FormulaError("formula.secret", message, "leave it out", column)
        return Path(found.steps, tuple(fields), found.value, column)

    def _steps(self, node: ast.expr) -> tuple[str, ...]:
        steps: list[str] = []
        while isinstance(node, ast.Attribute):
            steps.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            raise FormulaError("formula.syntax", "a '.' follows names only", "", self.column(node))
        steps.append(node.id)
        return tuple(unicodedata.normalize("NFKC", step) for step in reversed(steps))

    def _actor(self, steps: tuple[str, ...], column: int) -> Actor:
        if len(steps) == 2 and steps[1] in ACTOR:
            return Actor(steps[1], ACTOR[steps[1]], column)
        name = ".".join(steps)
        fix = f"write user.id, user.username, or this.{name} for the field"
        raise FormulaError("formula.name.unknown", f"'{name}' is not known of the person acting", fix, column)

    def _unknown(self, steps: tuple[str, ...], at: int, fields: list[Field], column: int) -> FormulaError:
        code, name, before = "formula.name.unknown", steps[at], steps[:at]
        column += sum(len(step) + 1 for step in before)
        if before and not fields[-1].target:
            message = f"'{'.'.join(before)}' is no reference, so '{name}' cannot follow it"
            return FormulaError(code, message, f"write {'.'.join(before)}", column)
        known = list(self.scope.known(before))
        guess = nearest(name, known)
        fix = f"write '{'.'.join((*before, guess))}'?" if guess else ""
        if not before and not guess and name == "user":
            fix = "write user.id"
        elif not before and name.upper() in self.functions:
            fix = f"write {name.upper()}()"
        where = f" in '{fields[-1].target}'" if before else ""
        return FormulaError(code, f"no field '{name}'{where}", fix, column)
