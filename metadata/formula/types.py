"""Which values compare and add up."""

from collections.abc import Mapping, Sequence
from typing import Any

from metadata.formula.errors import FormulaError
from metadata.formula.literals import as_type, must_be_choice
from metadata.formula.nodes import (
    Actor,
    Aggregate,
    And,
    Arith,
    Call,
    Compare,
    Config,
    Const,
    FormulaType,
    In,
    Node,
    Not,
    Or,
    Outer,
    Path,
)

__all__ = [
    "TEXTS", "WORDS", "arith", "blank_of", "compare", "described", "fault", "holds", "logic",
    "membership", "must_be",
]  # fmt: skip


WORDS: Mapping[str, str] = {
    "text": "a text", "number": "a number", "boolean": "true or false", "date": "a date", "datetime": "a date and time",
    "time": "a time", "choice": "a choice", "choices": "a list of choices", "reference": "a reference",
    "json": "structured data", "secret": "a secret", "lines": "a list of records", "null": "blank", "any": "any value",
    "pattern": "a pattern in quotes",
}  # fmt: skip
WORD_LIKE = frozenset({"text", "choice", "reference"})
ORDERED = frozenset({"text", "number", "date", "datetime", "time"})
DATES = frozenset({"date", "datetime"})
TEXTS = frozenset({"text", "choice"})
DONE = {"+": "added to", "-": "subtracted from", "*": "multiplied with", "/": "divided by", "%": "divided by"}


def fault(message: str, fix: str, node: Node) -> FormulaError:
    return FormulaError("formula.type", message, fix, node.column)


def described(node: Node) -> str:
    """A node as a message names it: "'amount' is a number"."""
    match node:
        case Path() | Outer() | Config():
            name = f"'{node.key}'"
        case Actor(attribute):
            name = f"'user.{attribute}'"
        case Call(function) | Aggregate(function):
            name = f"'{function}(…)'"
        case Const(value) if value is not None:
            name = f"'{str(value)[:40]}'"
        case _:
            name = "this"
    return f"{name} is {WORDS[node.type]}"


def must_be(node: Node, wanted: FormulaType | str) -> None:
    if node.type != wanted:
        fix = "compare it with something" if wanted == "boolean" else ""
        raise fault(f"{described(node)}, where {WORDS[wanted]} is wanted", fix, node)


def blank_of(node: Node) -> Node:
    """'' is blank."""
    return Const(None, "null", node.column) if isinstance(node, Const) and node.value == "" else node


def compare(op: Any, left: Node, right: Node, column: int) -> Node:
    """A checked comparison; texts beside dates become dates, and a blank constant moves to the right."""
    left, right = blank_of(left), blank_of(right)
    if left.type == "null" and right.type != "null":
        left, right = right, left
        op = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
    if right.type == "null":
        if op not in ("==", "!="):
            raise fault(f"'{op}' does not compare with blank", "write '== null' or '!= null'", right)
        return Compare(op, left, right, column=column)
    left, right = aligned(left, right)
    if op not in ("==", "!=") and not {left.type, right.type} <= ORDERED:
        raise fault(f"{described(left)}, which has no order for '{op}'", "write '==' or '!='", left)
    if left.type in ("choices", "json"):
        fix = f"write 'value' in {'.'.join(left.steps)}" if isinstance(left, Path) and left.type == "choices" else ""
        raise fault(f"{described(left)}, which compares only with blank", fix, left)
    return Compare(op, left, right, column=column)


def aligned(left: Node, right: Node) -> tuple[Node, Node]:
    """Both sides with literals read as the other side's type; raises where they do not compare."""
    if isinstance(right, Const):
        right = as_type(right, left.type)
    elif isinstance(left, Const):
        left = as_type(left, right.type)
    must_be_choice(right, left)
    must_be_choice(left, right)
    if left.type != right.type and not {left.type, right.type} <= WORD_LIKE:
        raise fault(f"{described(left)} and {described(right)}: they do not compare", mending(left, right), right)
    for one, other in ((left, right), (right, left)):
        if one.type == "reference" and isinstance(other, Actor) and other.attribute != "id":
            raise fault(f"{described(one)}, which holds an id, not a user name", "write user.id", other)
    return left, right


def mending(left: Node, right: Node) -> str:
    for one, other in ((left, right), (right, left)):
        if isinstance(other, Const) and other.type == "text" and one.type == "number":
            return "write the number without quotes"
        if isinstance(other, Const) and other.type == "text" and one.type == "boolean":
            return "write true or false without quotes"
        if isinstance(other, Const) and other.type == "number" and one.type in WORD_LIKE:
            return f"write '{other.value}' in quotes"
        if one.type == "datetime" and other.type == "date":
            return "compare it with NOW(), or NOW() - 7 for seven days ago"
    return ""


def membership(item: Node, options: tuple[Node, ...], negated: bool, column: int) -> Node:
    """`in` a list; blank among the options becomes a comparison of its own."""
    item = blank_of(item)
    if item.type == "null":
        raise fault("blank cannot be looked up in a list", "write x == null", item)
    if item.type in ("choices", "json"):
        fix = f"write 'value' in {'.'.join(item.steps)}" if isinstance(item, Path) and item.type == "choices" else ""
        raise fault(f"{described(item)}, which cannot be looked up in a list", fix, item)
    checked: list[Node] = []
    has_blank = False
    for option in map(blank_of, options):
        has_blank = has_blank or option.type == "null"
        if option.type != "null":
            item, option = aligned(item, option)
            checked.append(option)
    found: Node = In(item, tuple(checked), column=column)
    if has_blank:
        blank = Compare("==", item, Const(None, "null", column), column=column)
        found = Or((found, blank), column=column) if checked else blank
        return Not(found, column=column) if negated else found
    return In(item, tuple(checked), negated, column=column)


def holds(item: Node, choices: Node, negated: bool, column: int) -> Node:
    """`'vip' in tags`, for a field of several choices."""
    if choices.type != "choices":
        raise fault(f"{described(choices)}; 'in' wants a list", "write ['a', 'b']", choices)
    must_be_choice(item, choices)
    holds_ids = isinstance(choices, Path) and bool(choices.fields[-1].targets)
    if item.type not in (("text", "reference") if holds_ids else ("text", "choice")):
        raise fault(f"{described(item)}, where a choice is wanted", "", item)
    return In(item, (choices,), negated, column=column)


def arith(op: Any, left: Node, right: Node, column: int) -> Node:
    """Of numbers; date ± days, datetime ± days; text + text."""
    if op in "+-" and left.type in DATES and right.type == "number":
        return Arith(op, left, right, left.type, column)
    if op == "+" and left.type == "number" and right.type in DATES:
        return Arith(op, right, left, right.type, column)
    if op == "+" and {left.type, right.type} <= TEXTS:
        return Arith(op, left, right, "text", column)
    for side, other in ((left, right), (right, left)):
        if side.type != "number":
            raise fault(f"{described(side)}, which cannot be {DONE[op]} something", _arith_fix(op, side, other), side)
    return Arith(op, left, right, "number", column)


def _arith_fix(op: str, side: Node, other: Node) -> str:
    if op == "-" and {side.type, other.type} <= DATES:
        return "write DAYS_BETWEEN(first, last)"
    if op == "+" and side.type in TEXTS and other.type in ("number", "date"):
        return "write TEXT(…) around what is no text"
    return ""


def logic(kind: type[And] | type[Or], items: Sequence[Node], column: int) -> Node:
    for item in items:
        must_be(item, "boolean")
    return kind(tuple(items), column=column)
