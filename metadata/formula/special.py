"""What is written like a function but takes a field or lines, not their values: PRIOR, COUNT, IN_TREE and others."""

from collections.abc import Mapping, Sequence
from typing import Any

from metadata.formula.errors import FormulaError
from metadata.formula.lookup import LINES
from metadata.formula.names import Names
from metadata.formula.nodes import Aggregate, And, Compare, Const, InTree, IsNew, Node, Or, Path, Prior
from metadata.formula.types import WORDS, blank_of, compare, described, fault, holds, must_be

__all__ = ["AGGREGATES", "CHANGES", "SPECIAL", "aggregate", "change", "in_tree", "includes", "lines_of"]

# Of the record as it was: how many values each takes.
CHANGES: Mapping[str, int] = {"PRIOR": 1, "CHANGED": 1, "BECAME": 2, "IS_NEW": 0}
# Of lines: the types of what they are worked out from.
AGGREGATES: Mapping[str, tuple[str, ...]] = {
    "COUNT": ("boolean",), "SUM": ("number",), "AVERAGE": ("number",),
    "HIGHEST": ("number", "date", "datetime", "time"), "LOWEST": ("number", "date", "datetime", "time"),
}  # fmt: skip
SPECIAL = (*CHANGES, *AGGREGATES, "IN_TREE", "INCLUDES")


def change(name: str, args: Sequence[Node], has_prior: bool, column: int) -> Node:
    """PRIOR(x), CHANGED(x), BECAME(x, value), IS_NEW(): the last three in terms of what was before."""
    if not has_prior:
        message = f"{name} asks what a record was before it changed, and nothing changes here"
        raise FormulaError("formula.prior", message, "", column)
    must_be_so_many(name, args, CHANGES[name], column)
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


def lines_of(name: str, scope: Names, path: Path) -> Names:
    """The words of the records in the field at `path`."""
    field = path.fields[-1]
    if field.source not in LINES or len(path.steps) > 1:
        message = f"{described(path)}, where {name} takes a field of the record itself that holds records"
        raise fault(message, "", path)
    found = scope.lines(field)
    if found is None:  # whoever may not read the lines gets the answer of a field that there is not
        raise FormulaError("formula.name.unknown", f"no field '{path.key}'", "", path.column)
    return found


def aggregate(name: Any, path: Path, inner: Node | None, column: int) -> Aggregate:
    field = path.fields[-1]
    wanted = AGGREGATES[name]
    if inner is None and name != "COUNT":
        raise FormulaError("formula.type", f"{name} takes 2 values, not 1", f"write {name}({path.key}, value)", column)
    if inner is not None and inner.type not in wanted:
        words = " or ".join(WORDS[kind] for kind in wanted)
        raise fault(f"{described(inner)}, where {name} takes {words} of each line", "", inner)
    kind = inner.type if inner is not None and name != "COUNT" else "number"
    return Aggregate(name, path, field.of, field.by, inner, kind, column)


def in_tree(scope: Names, args: Sequence[Node], column: int) -> InTree:
    must_be_so_many("IN_TREE", args, 2, column)
    item, root = args
    found = scope.tree(item.steps) if isinstance(item, Path) else None
    if found is None or not isinstance(item, Path):
        message = f"{described(item)}, where IN_TREE takes a reference to a tree, or the id of one's record"
        raise fault(message, "say which reference makes the object a tree: tree: parent", item)
    is_id = isinstance(root, Const) and root.type in ("text", "null")
    if not is_id:
        must_be(root, "reference")
    return InTree(item, *found, root, column=column)


def includes(args: Sequence[Node], column: int) -> Node:
    must_be_so_many("INCLUDES", args, 2, column)
    return holds(args[1], args[0], False, column)


def must_be_so_many(name: str, args: Sequence[Node], count: int, column: int) -> None:
    if len(args) != count:
        values = "value" if count == 1 else "values"
        raise FormulaError("formula.type", f"{name} takes {count or 'no'} {values}, not {len(args)}", "", column)
