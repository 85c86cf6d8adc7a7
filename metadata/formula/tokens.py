"""Let through only the signs of the formula language, and make keywords that are names readable to Python's parser."""

import keyword
import re

from metadata.formula.errors import FormulaError

__all__ = ["prepared"]

OPERATORS = frozenset({"and", "or", "not", "in", "if", "else", "True", "False", "None"})

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*")
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![\w.]))
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>==|!=|<=|>=|<(?!>)|>|\*(?!\*)|/(?!/)|[()\[\],.+%-])
    """,
    re.VERBOSE,
)
SIGNS = {
    "=": ("'=' does not compare", "write '=='"),
    "&": ("'&' is not an operator", "write 'and'"),
    "|": ("'|' is not an operator", "write 'or'"),
    "!": ("'!' is not an operator", "write 'not'"),
    "<": ("'<>' is not an operator", "write '!='"),
    "'": ("a text is not closed", "write a ' at its end"),
    '"': ("a text is not closed", 'write a " at its end'),
    "‘": ("'‘' does not begin a text", "write ' around texts"),
    "’": ("'’' does not begin a text", "write ' around texts"),
    "“": ("'“' does not begin a text", 'write " around texts'),
    "”": ("'”' does not begin a text", 'write " around texts'),
    "（": ("'（' is a full-width bracket", "write '('"),
    "）": ("'）' is a full-width bracket", "write ')'"),
    "，": ("'，' is a full-width comma", "write ','"),
}
# Python reads a name in NFKC form, but looks for keywords before: a full-width first letter hides one.
WIDE = 0xFEE0


def prepared(text: str) -> str:
    """`text` as the parser may see it, of the same length. Raises FormulaError at a sign that is not allowed."""
    pieces = []
    at = 0
    after_dot = False
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise _not_allowed(text, at)
        piece = found[0]
        match found.lastgroup:
            case "space":
                piece = " " * len(piece)
            case "text":
                _must_be_plain(piece, at)
            case "name" if keyword.iskeyword(piece) and (after_dot or piece not in OPERATORS):
                piece = chr(ord(piece[0]) + WIDE) + piece[1:]
        if found.lastgroup != "space":
            after_dot = piece == "."
        pieces.append(piece)
        at = found.end()
    return "".join(pieces)


def _not_allowed(text: str, at: int) -> FormulaError:
    sign = text[at]
    if sign.isdigit():
        number = re.match(r"[\w.]+", text[at:])
        return FormulaError("formula.syntax", f"'{number[0] if number else sign}' is not a number", "", at + 1)
    shown = sign if sign.isprintable() else f"U+{ord(sign):04X}"
    message, fix = SIGNS.get(sign, (f"'{shown}' means nothing in a formula", ""))
    if sign == "=" and not text[:at].strip():
        message, fix = "this is a formula already, so no '=' begins it", "leave out '='"
    return FormulaError("formula.syntax", message, fix, at + 1)


def _must_be_plain(literal: str, at: int) -> None:
    for found in re.finditer(r"\\(.)", literal):
        if found[1] not in "\\'\"nt":
            fix = f"write '\\\\{found[1]}' for a backslash"
            raise FormulaError("formula.syntax", f"'{found[0]}' is not a sign in a text", fix, at + found.start() + 1)
