"""Do views and the search box stay fast where an object holds many records? It says so itself: `expected_records`."""

from collections.abc import Iterator, Sequence

from metadata.assemble import Item
from metadata.check.facts import Facts
from metadata.document import show
from metadata.formula import Compare, Const, FormulaError, In, Node, Not, Path
from metadata.formula.nodes import And
from metadata.formula.ranges import flat, junction
from metadata.model import SYSTEM_FIELDS, Field, Object, View
from metadata.problem import Problem

__all__ = ["MANY", "check"]

MANY = 100_000  # records from which on a missing index is felt
ALWAYS_INDEXED = ("id", "owner", "created_at")


def check(facts: Facts) -> Iterator[Problem]:
    large = {name: one for name, one in facts.objects.items() if one.expected_records >= MANY}
    if not large:
        return
    defaults = default_views(facts)
    for item in facts.assembly.views:
        if item.package in facts.given and item.built.object in large:
            object_ = large[item.built.object]
            yield from sort_is_near(facts, item, object_)
            yield from has_index(facts, item, object_, is_default=defaults.get(object_.name) == item.built.name)
    for found in facts.assembly.objects:
        if found.package in facts.given and found.built.name in large:
            yield from search_is_short(facts, found)


def default_views(facts: Facts) -> dict[str, str]:
    """Object -> the view that it opens with, for whose order a publish makes an index."""
    chosen: dict[str, str] = {}
    for item in facts.assembly.views:
        if item.built.is_default or item.built.object not in chosen:
            chosen[item.built.object] = item.built.name
    return chosen


def sort_is_near(facts: Facts, item: Item[View], object_: Object) -> Iterator[Problem]:
    view = item.built
    if view.sort and "." in view.sort[0].path and facts.field(view.sort[0].path, object_.name) is not None:
        message = (
            f"'{view.sort[0].path}' stands in another table: each page sorts all of the {object_.expected_records:,} "
            f"records of '{object_.name}'"
        )
        yield Problem(item.document.at("sort"), "view.sort.far", message, "sort by a field of its own", "warning")


def has_index(facts: Facts, item: Item[View], object_: Object, *, is_default: bool) -> Iterator[Problem]:
    """A page is found by an index that begins with a field of the filter, or is read in the order of one."""
    view, indexed = item.built, leads(facts, object_)
    near = bool(view.sort) and "." not in view.sort[0].path
    order = view.sort[0].path if near else "created_at" if not view.sort else ""
    try:
        node = facts.parsed(view.filter, object_.name) if view.filter else None
    except FormulaError:
        return
    equal, between = compared(facts, object_, node) if node is not None else ([], [])
    if any(name in indexed for name in (*equal, *between)):
        return
    if node is None:
        if not order or order in indexed or is_default or not is_indexable(facts, object_, order):
            return
        wanted, where, key = [order], "sorts by", "sort"
    else:
        wanted = [*equal, *([order] if equal and order in object_.fields else between[:1])]
        where, key = "filters by", "filter"
        wanted = [name for name in dict.fromkeys(wanted) if is_indexable(facts, object_, name)]
        if not wanted:
            return
    message = (
        f"the view {where} {show((equal or between or [order])[0])}, which has no index, over "
        f"{object_.expected_records:,} records of '{object_.name}'"
    )
    fix = f"write 'indexes: [[{', '.join(wanted)}]]' in '{object_.name}'"
    if len(wanted) == 1:
        fix = f"write 'index: true' at the field '{wanted[0]}'"
    yield Problem(item.document.at(key), "view.index", message, fix, "warning")


def leads(facts: Facts, object_: Object) -> frozenset[str]:
    """Fields with which an index begins."""
    fields = object_.fields.values()
    single = (f.name for f in fields if f.is_indexed or f.is_unique or ((kind := facts.kind(f)) and kind.refers))
    groups = (*object_.unique, *object_.unique_with_blank, *object_.indexes)
    return frozenset((*ALWAYS_INDEXED, *single, *(group[0] for group in groups if group)))


def is_indexable(facts: Facts, object_: Object, name: str) -> bool:
    field = object_.fields.get(name) or SYSTEM_FIELDS.get(name)
    kind = facts.kind(field) if field is not None else None
    return name in object_.fields and field is not None and field.is_stored and kind is not None and kind.may_be_indexed


def compared(facts: Facts, object_: Object, node: Node) -> tuple[list[str], list[str]]:
    """Fields of the record itself that a filter wants to be equal to something, and those that it wants in a range."""
    joined = junction(node)
    items: Sequence[Node] = list(flat(And, joined[1])) if joined and joined[0] is And else [node]
    equal: list[str] = []
    between: list[str] = []
    for item in items:
        match item:
            case Path((name,), _, "boolean") | Not(Path((name,), _, "boolean")):
                equal.append(name)
            case Compare("==", Path((name,)), _) | In(Path((name,)), _, False):
                equal.append(name)
            case Compare("<" | "<=" | ">" | ">=", Path((name,)), _) | Compare(
                "<" | "<=" | ">" | ">=", _, Path((name,))
            ):
                between.append(name)
            case Compare("!=", Path((name,)), Const(None)):
                between.append(name)
    return list(dict.fromkeys(equal)), list(dict.fromkeys(between))


def search_is_short(facts: Facts, item: Item[Object]) -> Iterator[Problem]:
    """The search box looks into each value: long texts make it read the whole table from end to end."""
    object_ = item.built
    long = [name for name in object_.search if name in object_.fields and is_long(facts, object_.fields[name])]
    if not long:
        return
    short = [name for name in object_.search if name not in long]
    at = item.document.at("search") if "search" in item.document.data else item.document.at("object")
    many = f"{object_.expected_records:,} records of '{object_.name}'"
    message = f"the search box reads {show(long[0])}, a long text, of {many}"
    fix = f"write 'search: [{', '.join(short)}]'" if short else "name short texts in 'search'"
    yield Problem(at, "object.search.long", message, fix, "warning")


def is_long(facts: Facts, field: Field) -> bool:
    kind = facts.kind(field)
    return kind is not None and kind.value == "text" and not kind.may_be_indexed
