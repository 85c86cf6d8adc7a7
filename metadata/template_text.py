"""Texts of templates: Jinja2, of which they may use little. What of a record one reads is known before it is made.

A template reads values by path, chooses between texts, formats them by a few filters and goes through the lines of its
record, in no loop within another. It calls nothing and reaches into no object: how long it takes and what it reads can
be told from its text.
"""

from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes

__all__ = ["FILTERS", "LONGEST", "LOOP", "MOST_LOOPS", "Loop", "TemplateError", "TemplateText", "read_template"]

LONGEST = 20_000
MOST_LOOPS = 10
FILTERS = frozenset(
    ("capitalize", "d", "default", "e", "escape", "first", "last", "length", "lower", "title", "trim",
     "truncate", "upper")
)  # fmt: skip
USER = ("name", "username")
ALONE = ("link",)  # names that are values by themselves
LOOP = ("index", "first", "last", "length")  # what is known of a loop within it
KNOWN = frozenset(("record", "raw", "user", "values", "link", "loop"))
PLAIN: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.If, nodes.CondExpr, nodes.And, nodes.Or,
    nodes.Not, nodes.Compare, nodes.Operand, nodes.Concat, nodes.Neg, nodes.Add, nodes.Sub, nodes.Div, nodes.Keyword,
)  # fmt: skip


class TemplateError(ValueError):
    """What is wrong with a text: a code, a sentence and the line of the text."""

    def __init__(self, code: str, message: str, line: int = 1, fix: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.line, self.fix = code, message, line, fix


@dataclass(frozen=True, slots=True)
class Loop:
    """Lines of the record that are gone through, and what is read of each: "product.name"."""

    field: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateText:
    paths: tuple[str, ...]  # of the record: "account.name"
    loops: tuple[Loop, ...] = ()  # one for each field of lines


@dataclass(frozen=True, slots=True)
class Within:
    """A loop around a part of the text: the name that it gives each line, and the field of the lines."""

    name: str
    field: str


@lru_cache(maxsize=512)
def read_template(text: str) -> TemplateText:
    """Raises TemplateError."""
    if len(text) > LONGEST:
        raise TemplateError("template.long", f"a template has at most {LONGEST:,} characters, not {len(text):,}")
    try:
        tree = Environment(autoescape=True).parse(text)
    except TemplateSyntaxError as error:
        raise TemplateError("template.syntax", f"the text cannot be read: {error.message}", error.lineno) from error
    except RecursionError as error:
        raise TemplateError("template.syntax", "the text is nested too deep") from error
    paths: dict[str, None] = {}
    loops: dict[str, dict[str, None]] = {}
    count = 0
    waiting: list[tuple[nodes.Node, Within | None]] = [(tree, None)]
    while waiting:
        node, within = waiting.pop()
        if isinstance(node, nodes.Getattr | nodes.Name):
            found = path_of(node, within)
            if found is not None:
                (paths if found[0] == "" else loops[found[0]])[found[1]] = None
        elif isinstance(node, nodes.For):
            loop = loop_of(node, within)
            count += 1
            if count > MOST_LOOPS:
                raise TemplateError("template.syntax", f"a template has at most {MOST_LOOPS} loops", node.lineno)
            loops.setdefault(loop.field, {})
            waiting.extend((part, loop) for part in node.body)
            waiting.extend((part, None) for part in node.else_)
        else:
            check(node)
            waiting.extend((part, within) for part in node.iter_child_nodes())
    return TemplateText(tuple(paths), tuple(Loop(name, tuple(read)) for name, read in loops.items()))


def loop_of(node: nodes.For, within: Within | None) -> Within:
    """Raises TemplateError for one that is not `{% for line in record.LINES %}`."""
    target, over = node.target, node.iter
    if within is not None:
        raise TemplateError("template.syntax", "a template has no loops within loops", node.lineno)
    if node.recursive or node.test is not None or not isinstance(target, nodes.Name):
        fix = "write {% for line in record.LINES %}, and {% if … %} within it"
        raise TemplateError("template.syntax", "a loop of a template has one name and no condition", node.lineno, fix)
    if target.name in KNOWN or target.name.startswith("_"):
        message = f"'{target.name}' is no name for a line: a template knows it as something else"
        raise TemplateError("template.name", message, node.lineno, "call it line")
    is_of_record = isinstance(over, nodes.Getattr) and isinstance(over.node, nodes.Name) and over.node.name == "record"
    if not is_of_record:
        message = "a template loops over lines of its record alone"
        raise TemplateError("template.syntax", message, node.lineno, "write {% for line in record.LINES %}")
    assert isinstance(over, nodes.Getattr)
    return Within(target.name, over.attr)


def path_of(node: nodes.Getattr | nodes.Name, within: Within | None) -> tuple[str, str] | None:
    """(the field of the lines, or "" for the record itself; the path that is read of it); None for what is known
    besides. Raises TemplateError."""
    steps: list[str] = []
    at: nodes.Node = node
    while isinstance(at, nodes.Getattr):
        steps.insert(0, at.attr)
        at = at.node
    if not isinstance(at, nodes.Name):
        raise TemplateError("template.syntax", "a path begins with a name, such as record", node.lineno)
    name, written = at.name, ".".join([at.name, *steps])
    if name in ("record", "raw") and steps:
        return "", ".".join(steps)
    if within is not None and name == within.name and steps:
        return within.field, ".".join(steps[1:] if steps[0] == "raw" and len(steps) > 1 else steps)
    if within is not None and name == "loop" and len(steps) == 1 and steps[0] in LOOP:
        return None
    if (name in ALONE and not steps) or (name == "user" and len(steps) == 1 and steps[0] in USER):
        return None
    if name == "values" and len(steps) == 1 and not steps[0].startswith("_"):
        return None
    known = "record.FIELD, raw.FIELD, user.name, user.username, values.NAME and link"
    if within is not None:
        known = f"{within.name}.FIELD, {within.name}.raw.FIELD, loop.index, {known}"
    raise TemplateError("template.name", f"'{written}' is nothing that a template knows", node.lineno, f"use {known}")


def check(node: nodes.Node) -> None:
    if isinstance(node, nodes.Filter):
        if node.name not in FILTERS:
            known = ", ".join(sorted(FILTERS))
            raise TemplateError("template.filter", f"there is no filter '{node.name}'", node.lineno, f"one of {known}")
    elif type(node) not in PLAIN:
        what = WORDS.get(type(node).__name__, type(node).__name__.lower())
        raise TemplateError("template.syntax", f"a template has no {what}", node.lineno)


WORDS = {
    "Call": "calls", "Getitem": "[…]", "Mul": "*", "Pow": "**", "Mod": "%", "FloorDiv": "//",
    "Assign": "set", "AssignBlock": "set", "Include": "include", "Import": "import", "FromImport": "import",
    "Extends": "extends", "Macro": "macros", "Block": "blocks", "Test": "tests", "List": "lists", "Dict": "maps",
}  # fmt: skip
