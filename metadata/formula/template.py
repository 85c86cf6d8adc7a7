"""Texts with formulas in them: "{account.name} - {number}" -> a formula that gives the text, or its parts."""

from collections.abc import Callable, Mapping, Sequence

from metadata.formula.calls import Signature, call
from metadata.formula.errors import FormulaError
from metadata.formula.names import Names
from metadata.formula.nodes import Arith, Const, Node, Path, Prior
from metadata.formula.parser import parse as parse_formula

__all__ = ["as_formula", "as_node", "is_template", "parse", "said_parts", "split"]

CHARACTERS_MOST = 10_000
FORMULAS_MOST = 50
SAID = frozenset(("number", "date", "datetime", "time", "text", "choice", "choices", "reference", "null"))


def is_template(text: str) -> bool:
    """Whether braces make it more than a plain text."""
    return "{" in text or "}" in text


def parse(
    text: str, scope: Names, functions: Mapping[str, Signature], *, has_prior: bool = False
) -> tuple[str | Node, ...]:
    """Texts as they stand, and formulas as texts, as TEXT() gives them. Raises FormulaError, its column in `text`."""
    return tuple(
        part if isinstance(part, str) else _formula(*part, scope, functions, has_prior) for part in split(text)
    )


def split(text: str) -> tuple[str | tuple[str, int], ...]:
    """Texts as they stand, and (formula, signs before it). Raises FormulaError, its column in `text`."""
    if len(text) > CHARACTERS_MOST:
        message = f"a text with formulas has at most {CHARACTERS_MOST:,} characters, not {len(text):,}"
        raise FormulaError("formula.limit", message)
    found: list[str | tuple[str, int]] = []
    plain, at = "", 0
    while at < len(text):
        pair, sign = text[at : at + 2], text[at]
        if pair in ("{{", "}}"):
            plain, at = plain + sign, at + 2
        elif sign == "}":
            raise FormulaError("formula.syntax", "a '}' closes nothing", "write '}}' for the sign", at + 1)
        elif sign == "{":
            end = _end(text, at)
            found += [plain] * bool(plain) + [(text[at + 1 : end], at + 1)]
            plain, at = "", end + 1
        else:
            plain, at = plain + sign, at + 1
    if sum(not isinstance(part, str) for part in found) > FORMULAS_MOST:
        raise FormulaError("formula.limit", f"a text has at most {FORMULAS_MOST} formulas")
    return (*found, plain) if plain else tuple(found)


def said_parts(
    text: str, scope: Names, functions: Mapping[str, Signature], title_of: Callable[[str], str], *,
    has_prior: bool = False,
) -> tuple[str | Node, ...]:  # fmt: skip
    """The same for a text that is told to a person: formulas keep their types, and a reference is its record's title.

    `title_of`: the field that names the records of an object. Raises FormulaError.
    """
    return tuple(
        part if isinstance(part, str) else _said(*part, scope, functions, title_of, has_prior) for part in split(text)
    )


def _said(
    text: str, before: int, scope: Names, functions: Mapping[str, Signature], title_of: Callable[[str], str],
    has_prior: bool,
) -> Node:  # fmt: skip
    try:
        node = parse_formula(text, scope, functions=functions, wants=None, has_prior=has_prior)
        field = node.fields[-1] if isinstance(node, Path) else None
        if isinstance(node, Path) and field is not None and field.target:
            found = scope.resolve((*node.steps, title_of(field.target)))
            if found is not None:
                return Path(found.steps, (*node.fields, found.field), found.value, node.column)
        read = node.path.fields[-1] if isinstance(node, Prior) else field
        if node.type not in SAID or (read is not None and (read.targets or read.target)):
            words = {"boolean": "true or false", "reference": "a reference", "choices": "a list of records"}
            message = f"this is {words.get(node.type, f'a {node.type}')}, which no text shows"
            fix = "write IF(…, 'yes', 'no')" if node.type == "boolean" else "name a number, a date, a text or a choice"
            raise FormulaError("formula.type", message, fix, node.column)
        return node
    except FormulaError as error:
        raise FormulaError(error.code, error.message, error.fix, error.column + before) from error


def as_formula(text: str) -> str:
    """The same as the text of one formula, as a formula field has it. Raises FormulaError where braces do not fit."""
    parts = [repr(part) if isinstance(part, str) else f"TEXT({part[0]})" for part in split(text)]
    while len(parts) > 1:  # in pairs, as in as_node
        pairs = [f"({left} + {right})" for left, right in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*pairs, *parts[len(parts) - len(parts) % 2 :]]
    return parts[0] if parts else "null"


def as_node(parts: Sequence[str | Node]) -> Node:
    """One formula for the whole text; blank parts are nothing in it."""
    nodes = [Const(part, "text") if isinstance(part, str) else part for part in parts]
    if not nodes:
        return Const(None, "null")
    while len(nodes) > 1:  # in pairs: as a chain it would be as deep as it is long
        pairs = zip(nodes[::2], nodes[1::2], strict=False)
        joined: list[Node] = [Arith("+", left, right, "text", left.column) for left, right in pairs]
        nodes = [*joined, *nodes[len(nodes) - len(nodes) % 2 :]]
    return nodes[0]


def _end(text: str, start: int) -> int:
    """Where the formula that begins behind `start` ends. A brace in quotes is none."""
    quote, at = "", start + 1
    while at < len(text):
        sign = text[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "}":
            return at
        elif sign == "{":
            raise FormulaError("formula.syntax", "a '{' within a formula", "write '{{' for the sign", start + 1)
        at += 1
    raise FormulaError("formula.syntax", "a '{' is not closed", "write '{{' for the sign", start + 1)


def _formula(
    text: str, before: int, scope: Names, functions: Mapping[str, Signature], has_prior: bool
) -> Node:  # fmt: skip
    try:
        node = parse_formula(text, scope, functions=functions, wants=None, has_prior=has_prior)
        return call("TEXT", [node], functions, node.column)
    except FormulaError as error:
        raise FormulaError(error.code, error.message, error.fix, error.column + before) from error
