"""Formulas and conditions of other products -> texts of our formula language.

Two dialects are read: Salesforce's formulas (Steedos writes them too) and the comparisons in JavaScript of Frappe's
`eval:doc.status == "Open"`. What cannot be said here raises Untranslatable with the reason.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Found", "Outside", "Untranslatable", "translated"]

Dialect = Literal["salesforce", "javascript"]
TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<name>[$A-Za-z_\u00aa-\uffdc][\w$]*(?:\.[A-Za-z_\u00aa-\uffdc][\w]*)*)"""
    r"""|(?P<sign>===|!==|==|!=|<>|<=|>=|&&|\|\||[-+*/^&=<>!(),\[\]]))""",
    re.VERBOSE,
)
COMPARE: Mapping[str, str] = {
    "=": "==", "==": "==", "===": "==", "<>": "!=", "!=": "!=", "!==": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
# Their function -> ours, where the arguments are the same.
SAME: Mapping[str, str] = {
    name: name for name in (
        "IF", "CASE", "ISBLANK", "BLANKVALUE", "TODAY", "NOW", "YEAR", "MONTH", "DAY", "WEEKDAY", "LEN", "LEFT",
        "RIGHT", "MID", "FIND", "SUBSTITUTE", "TRIM", "UPPER", "LOWER", "VALUE", "ROUND", "FLOOR", "CEILING", "ABS",
        "MOD", "MIN", "MAX", "SQRT", "CONTAINS", "BEGINS", "DATE", "REGEX", "ADDMONTHS",
    )
} | {
    "ISNULL": "ISBLANK", "NULLVALUE": "BLANKVALUE", "PRIORVALUE": "PRIOR", "ISCHANGED": "CHANGED", "ISNEW": "IS_NEW",
}  # fmt: skip
RESULT: Mapping[str, str] = {
    **dict.fromkeys(("ISBLANK", "CONTAINS", "BEGINS", "REGEX", "CHANGED", "IS_NEW"), "boolean"),
    **dict.fromkeys(("TODAY", "DATE", "ADDMONTHS"), "date"),
    **dict.fromkeys(("LEFT", "RIGHT", "MID", "SUBSTITUTE", "TRIM", "UPPER", "LOWER"), "text"),
    **dict.fromkeys(("YEAR", "MONTH", "DAY", "WEEKDAY", "LEN", "FIND", "VALUE", "ROUND", "FLOOR", "CEILING", "ABS",
                     "MOD", "MIN", "MAX", "SQRT"), "number"),
    "NOW": "datetime",
}  # fmt: skip
TEXTS = ("text", "choice", "null")
STRFTIME: Mapping[str, str] = {
    "Y": "yyyy", "y": "yy", "m": "MM", "d": "dd", "H": "HH", "M": "mm", "S": "ss", "b": "MMM",
}  # fmt: skip


class Untranslatable(Exception):
    """Why an expression cannot be said in our language."""


class Outside(Untranslatable):
    """It names what the digest does not hold: fields of other packages, labels of the organisation."""


@dataclass(frozen=True)
class Found:
    """An expression of ours, and what its value is to a formula ("any" where that is not known)."""

    text: str
    kind: str
    is_simple: bool = True  # stands beside a sign without brackets

    def inside(self) -> str:
        return self.text if self.is_simple else f"({self.text})"


Resolve = Callable[[Sequence[str]], Found]
"""The steps of a name -> what it is here. Raises Untranslatable."""


def translated(source: str, dialect: Dialect, resolve: Resolve, *, is_condition: bool) -> str:
    reader = Reader(tokens(source), dialect, resolve)
    found = reader.either()
    if reader.at < len(reader.tokens):
        raise Untranslatable(f"'{reader.tokens[reader.at][1]}' is not expected")
    return reader.truth(found).text if is_condition else found.text


def tokens(source: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, source.strip().rstrip(";").rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            if text[at:].isspace():
                break
            raise Untranslatable(f"'{text[at : at + 20].strip()}' is not part of the language")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    if not found:
        raise Untranslatable("it is empty")
    return found


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


class Reader:
    """Recursive descent; each step is one level of precedence."""

    def __init__(self, found: list[tuple[str, str]], dialect: Dialect, resolve: Resolve) -> None:
        self.tokens, self.dialect, self.resolve, self.at = found, dialect, resolve, 0

    def sign(self, *wanted: str) -> str:
        if self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            if kind == "sign" and text in wanted:
                self.at += 1
                return text
        return ""

    def need(self, sign: str) -> None:
        if not self.sign(sign):
            raise Untranslatable(f"'{sign}' is missing")

    def truth(self, found: Found) -> Found:
        """As a condition. JavaScript takes what is not blank, and not 0, for true."""
        if found.kind == "boolean" or self.dialect == "salesforce":
            return found
        if found.kind == "number":
            return Found(f"{found.inside()} != 0 and not ISBLANK({found.text})", "boolean", is_simple=False)
        return Found(f"not ISBLANK({found.text})", "boolean", is_simple=False)

    def either(self) -> Found:
        parts = [self.both()]
        while self.sign("||"):
            parts.append(self.both())
        return self.joined("or", parts)

    def both(self) -> Found:
        parts = [self.compared()]
        while self.sign("&&"):
            parts.append(self.compared())
        return self.joined("and", parts)

    def joined(self, word: str, parts: list[Found]) -> Found:
        if len(parts) == 1:
            return parts[0]
        return Found(f" {word} ".join(self.truth(part).inside() for part in parts), "boolean", is_simple=False)

    def compared(self) -> Found:
        left = self.added()
        op = self.sign(*COMPARE)
        if not op:
            return left
        right = self.added()
        if "boolean" in (left.kind, right.kind) and {left.text, right.text} & {"0", "1"}:
            left, right = (right, left) if left.text in ("0", "1") else (left, right)
            is_so = (right.text == "1") == (COMPARE[op] == "==")
            return left if is_so else Found(f"not {left.inside()}", "boolean", is_simple=False)
        return Found(f"{left.inside()} {COMPARE[op]} {right.inside()}", "boolean", is_simple=False)

    def added(self) -> Found:
        found = self.multiplied()
        is_sum = False  # a sum goes on without brackets
        while sign := self.sign("+", "-", "&"):
            other = self.multiplied()
            left = found.text if is_sum else found.inside()
            if sign == "&" or (sign == "+" and "text" in (found.kind, other.kind)):
                left = left if found.kind in TEXTS else as_text(found)
                found, is_sum = Found(f"{left} + {as_text(other)}", "text", is_simple=False), True
            elif sign == "-" and {found.kind, other.kind} <= {"date", "datetime"}:
                found, is_sum = Found(f"DAYS_BETWEEN({other.text}, {found.text})", "number"), False
            else:
                kind = found.kind if found.kind in ("date", "datetime") else "number"
                found, is_sum = Found(f"{left} {sign} {other.inside()}", kind, is_simple=False), True
        return found

    def multiplied(self) -> Found:
        found = self.raised()
        while sign := self.sign("*", "/"):
            found = Found(f"{found.inside()} {sign} {self.raised().inside()}", "number", is_simple=False)
        return found

    def raised(self) -> Found:
        found = self.single()
        while self.sign("^"):
            found = Found(f"POWER({found.text}, {self.single().text})", "number")
        return found

    def single(self) -> Found:
        if self.sign("!"):
            return Found(f"not {self.truth(self.single()).inside()}", "boolean", is_simple=False)
        if self.sign("-"):
            return Found(f"-{self.single().inside()}", "number", is_simple=False)
        if self.sign("("):
            found = self.either()
            self.need(")")
            return found
        if self.at >= len(self.tokens):
            raise Untranslatable("it ends too early")
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Found(text, "number")
        if kind == "text":
            return Found(quoted(re.sub(r"\\(.)", r"\1", text[1:-1])), "text")
        if kind != "name":
            raise Untranslatable(f"'{text}' is not expected")
        return self.call(text) if self.sign("(") else self.name(text)

    def name(self, text: str) -> Found:
        if text.casefold() in ("true", "false"):
            return Found(text.casefold(), "boolean")
        if text.casefold() in ("null", "undefined"):
            return Found("null", "null")
        return self.resolve(text.split("."))

    def call(self, written: str) -> Found:
        args = []
        if not self.sign(")"):
            args.append(self.either())
            while self.sign(","):
                args.append(self.either())
            self.need(")")
        name = written.upper()
        if self.dialect == "javascript":
            raise Untranslatable(f"the function {written} of JavaScript")
        return self.function(name, args)

    def function(self, name: str, args: list[Found]) -> Found:
        match name:
            case "AND" | "OR":
                return self.joined(name.lower(), args)
            case "NOT" if len(args) == 1:
                return Found(f"not {args[0].inside()}", "boolean", is_simple=False)
            case "BR" if not args:
                return Found("'\\n'", "text")
            case "ISPICKVAL" if len(args) == 2:
                return Found(f"{args[0].inside()} == {args[1].inside()}", "boolean", is_simple=False)
            case "INCLUDES" if len(args) == 2:
                return Found(f"{args[1].inside()} in {args[0].inside()}", "boolean", is_simple=False)
            case "CASESAFEID" if len(args) == 1:
                return args[0]
            case "HYPERLINK" if len(args) in (2, 3):  # the third says in which window
                return Found(f"HYPERLINK({args[0].text}, {args[1].text})", "text")
            case "STRFTIME" if len(args) == 2 and args[1].text.startswith("'"):
                return Found(f"DATE_TEXT({args[0].text}, {strftime_pattern(args[1].text)})", "text")
            case "TEXT" if len(args) == 1:
                return args[0] if args[0].kind in TEXTS else Found(f"TEXT({args[0].text})", "text")
        if name not in SAME:
            raise Untranslatable(f"the function {name}")
        ours = SAME[name]
        kind = RESULT.get(ours, "any")
        if kind == "any":  # of the type of what it gives
            results = args[1:] if ours == "IF" else args[2::2] if ours == "CASE" else args
            kind = next((one.kind for one in results if one.kind not in ("any", "null") and one.text != "''"), "text")
        return Found(f"{ours}({', '.join(one.text for one in args)})", kind)


def strftime_pattern(written: str) -> str:
    pattern = re.sub(r"%([a-zA-Z])", lambda sign: STRFTIME.get(sign[1], sign[0]), written)
    if "%" in pattern:
        raise Untranslatable(f"the pattern {written}")
    return pattern


def as_text(found: Found) -> str:
    if found.kind == "reference":
        return f"ID_TEXT({found.text})"
    return found.inside() if found.kind in TEXTS else f"TEXT({found.text})"
