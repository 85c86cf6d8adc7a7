"""What can be done with a checked tree: what it reads, values put in, formula fields written out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from metadata.formula.errors import FormulaError
from metadata.formula.nodes import (
    Actor,
    Aggregate,
    And,
    Arith,
    Call,
    Compare,
    Const,
    Fit,
    In,
    InTree,
    Node,
    Not,
    Or,
    Outer,
    Path,
    Prior,
    parts,
)

__all__ = [
    "EXPANDED_DEPTH", "EXPANDED_NODES", "bound", "expanded", "is_volatile", "mapped", "paths_of", "reads", "walk",
]  # fmt: skip

EXPANDED_NODES = 2000
EXPANDED_DEPTH = 100
EXPANDED_STEPS = 12
EXPANDED_CALLS = 50  # functions and signs around each other, as in one formula

TreeOf = Callable[[str, str], Node | None]
"""(object, name of a field) -> the tree of a formula field, over that object; None for other fields."""


class Asking(Protocol):
    @property
    def is_volatile(self) -> bool: ...


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, what is asked of lines included."""
    yield node
    for part in parts(node):
        yield from walk(part)
    if isinstance(node, Aggregate) and node.inner is not None:
        yield from walk(node.inner)


def mapped(node: Node, change: Callable[[Node], Any]) -> Node:
    """The node with `change` applied to those right below it, of the same record."""
    match node:
        case And(items) | Or(items):
            return replace(node, items=tuple(map(change, items)))
        case Not(item) | Fit(item):
            return replace(node, item=change(item))
        case Compare(_, left, right) | Arith(_, left, right):
            return replace(node, left=change(left), right=change(right))
        case In(item, options):
            return replace(node, item=change(item), options=tuple(map(change, options)))
        case Call(_, args):
            return replace(node, args=tuple(map(change, args)))
        case Prior(path) | Aggregate(_, path):
            return replace(node, path=change(path))
        case InTree(item, _, _, root):
            return replace(node, item=change(item), root=change(root))
    return node


def paths_of(node: Node, owner: str) -> Iterator[tuple[str, Path]]:
    """Every path, those of lines too, beside the object that it is over."""
    if isinstance(node, Path):
        yield owner, node
    for part in parts(node):
        yield from paths_of(part, owner)
    if isinstance(node, Aggregate) and node.inner is not None:
        yield from paths_of(node.inner, node.object)


def reads(node: Node) -> tuple[Path, ...]:
    """Every path whose value it asks for, once: of lines as `lines.amount`, behind the path of the lines themselves."""
    return tuple({path.key: path for path in _reads(node)}.values())


def _reads(node: Node) -> Iterator[Path]:
    if isinstance(node, Path):
        yield node
    for part in parts(node):
        yield from _reads(part)
    if not isinstance(node, Aggregate) or node.inner is None:
        return
    lines = node.path
    for path in _reads(node.inner):
        if path.steps[0] != node.by:
            yield after(lines.steps, lines.fields, path)
        elif len(path.steps) > 1:
            own = replace(path, steps=path.steps[1:], fields=path.fields[1:])
            yield after(lines.steps[:-1], lines.fields[:-1], own)


def after(steps: tuple[str, ...], fields: tuple[Any, ...], path: Path) -> Path:
    return replace(path, steps=(*steps, *path.steps), fields=(*fields, *path.fields))


def is_volatile(node: Node, functions: Mapping[str, Asking]) -> bool:
    """Whether it may change though nothing is written: it asks for the time, its zone, or for who is acting."""
    return any(
        isinstance(part, Actor) or (isinstance(part, Call) and functions[part.name].is_volatile) for part in walk(node)
    )


def bound(node: Node, values: Mapping[str, Any]) -> Node:
    """The filter of a reference with the values of the record that refers, `record.x`, in the place of their names."""

    def change(part: Node) -> Node:
        return bound(part, values)

    if isinstance(node, Outer):
        value = values[node.key]
        return Const(None, "null", node.column) if value in (None, "", []) else Const(value, node.type, node.column)
    if isinstance(node, In) and isinstance(node.options[0], Outer) and node.options[0].type == "choices":
        chosen = values[node.options[0].key] or ()
        options = tuple(Const(value, "text", node.column) for value in chosen)
        return _member(replace(node, item=change(node.item), options=options))
    made = mapped(node, change)
    if isinstance(made, Aggregate) and made.inner is not None:
        return replace(made, inner=change(made.inner))
    if isinstance(made, Compare):
        return _compared(made)
    if isinstance(made, In):
        return _member(made)
    if isinstance(made, InTree) and is_blank(made.root):
        return Const(False, "boolean", made.column)
    return made


def is_blank(node: Node) -> bool:
    return isinstance(node, Const) and node.value is None


def _compared(node: Compare) -> Node:
    """A blank stands on the right, below == and != only."""
    if not (is_blank(node.left) or is_blank(node.right)):
        return node
    if node.op not in ("==", "!="):
        return Const(False, "boolean", node.column)
    return replace(node, left=node.right, right=node.left) if is_blank(node.left) else node


def _member(node: In) -> Node:
    if not is_blank(node.item):
        return node if node.options else Const(node.negated, "boolean", node.column)
    is_list = any(option.type == "choices" for option in node.options)
    others = () if is_list else tuple(Compare("==", option, node.item) for option in node.options)
    found: Node = Or(others, column=node.column) if others else Const(False, "boolean", node.column)
    return Not(found, column=node.column) if node.negated else found


def expanded(node: Node, owner: str, tree_of: TreeOf) -> Node:
    """A formula over the object `owner` with the trees of formula fields in the place of their paths.

    Raises FormulaError: `formula.circle` where one is worked out from itself, `formula.limit` where it grows too large.
    """
    return _Expander(tree_of).expand(node, owner)


class _Expander:
    def __init__(self, tree_of: TreeOf) -> None:
        self.tree_of = tree_of
        self.trail: list[tuple[str, str]] = []
        self.made: dict[tuple[str, str], tuple[Node, int] | None] = {}
        self.put_in = 0  # nodes, while one tree is expanded

    def expand(self, node: Node, owner: str) -> Node:
        outer, self.put_in = self.put_in, 0
        found = self._expanded(node, owner)
        self.put_in = outer
        size, depth = measure(found)
        if size > EXPANDED_NODES or depth > EXPANDED_DEPTH:
            raise too_large(node.column)
        if calls_deep(found) > EXPANDED_CALLS:
            raise too_deep(node.column)
        return found

    def _expanded(self, node: Node, owner: str) -> Node:
        if isinstance(node, Path):
            return self._path(node, owner)
        if isinstance(node, Aggregate):  # the path leads to lines, which are no formula
            return replace(node, inner=self.expand(node.inner, node.object)) if node.inner is not None else node
        if isinstance(node, Prior):
            return node
        if isinstance(node, InTree):
            return replace(node, root=self._expanded(node.root, owner))
        return mapped(node, lambda part: self._expanded(part, owner))

    def _path(self, path: Path, owner: str) -> Node:
        for field in path.fields[:-1]:
            owner = field.target
        found = self._tree(owner, path)
        if found is None:
            return path
        tree, size = found
        self.put_in += size  # before it is: a few names may stand for millions of nodes
        if self.put_in > EXPANDED_NODES:
            raise too_large(path.column)
        return prefixed(tree, path.steps[:-1], path.fields[:-1]) if len(path.steps) > 1 else tree

    def _tree(self, owner: str, path: Path) -> tuple[Node, int] | None:
        place = (owner, path.fields[-1].name)
        if place in self.trail:
            names = [*self.trail[self.trail.index(place) :], place]
            shown = " -> ".join(name if one == names[0][0] else f"{one}.{name}" for one, name in names)
            message = f"'{place[1]}' is worked out from itself: {shown}"
            raise FormulaError("formula.circle", message, "name other fields", path.column)
        if place not in self.made:
            self.made[place] = None
            if (tree := self.tree_of(*place)) is not None:
                self.trail.append(place)
                found = self.expand(tree, owner)
                self.trail.pop()
                self.made[place] = found, measure(found)[0]
        return self.made[place]


def too_large(column: int) -> FormulaError:
    message = (
        f"with the formulas of the fields that it names, it has more than {EXPANDED_NODES:,} parts or {EXPANDED_DEPTH} "
        "levels"
    )
    return FormulaError("formula.limit", message, "name fewer formula fields", column)


def too_deep(column: int) -> FormulaError:
    message = (
        f"with the formulas of the fields that it names, functions and calculations stand more than {EXPANDED_CALLS} "
        "deep in each other"
    )
    return FormulaError("formula.limit", message, "name fewer formula fields", column)


def calls_deep(node: Node) -> int:
    below = [*parts(node)]
    if isinstance(node, Aggregate) and node.inner is not None:
        below.append(node.inner)
    return isinstance(node, (Arith, Call, Aggregate)) + max(map(calls_deep, below), default=0)


def measure(node: Node) -> tuple[int, int]:
    """How many nodes, and how deep they lie. That a number fits its field is none: nobody wrote it."""
    below = [*parts(node)]
    if isinstance(node, Aggregate) and node.inner is not None:
        below.append(node.inner)
    sizes = [measure(part) for part in below]
    own = not isinstance(node, Fit)
    return own + sum(size for size, _ in sizes), own + max((depth for _, depth in sizes), default=0)


def prefixed(node: Node, steps: tuple[str, ...], fields: tuple[Any, ...]) -> Node:
    """A formula over what a reference leads to as one over the record that refers."""
    if isinstance(node, Path):
        if len(steps) + len(node.steps) > EXPANDED_STEPS:
            message = f"'{'.'.join((*steps, *node.steps))}' leads through more than {EXPANDED_STEPS - 1} references"
            raise FormulaError("formula.limit", message, "", node.column)
        return after(steps, fields, node)
    return mapped(node, lambda part: prefixed(part, steps, fields))
