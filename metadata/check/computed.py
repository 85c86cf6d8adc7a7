"""Do formula fields and roll-ups work out: can they be read, do they give what they promise, do they end?"""

from collections.abc import Generator, Iterator, Mapping

from metadata.assemble import FieldItem
from metadata.check.facts import Facts
from metadata.check.fields import place
from metadata.formula import (
    Aggregate,
    Call,
    Config,
    Fit,
    FormulaError,
    InTree,
    Node,
    Path,
    expanded,
    paths_of,
)
from metadata.formula.nodes import Actor, parts
from metadata.model import Field
from metadata.problem import Problem

__all__ = ["check"]

OPERATIONS = {"count": "how many there are", "sum": "numbers", "average": "numbers", "min": "values", "max": "values"}
ORDERED = frozenset(("number", "date", "datetime", "time", "text"))
TITLE = ("title",)  # where a field stands that a title was made into
Place = tuple[str, str]  # (object, field)
Trees = list[tuple[str, Node]]  # formulas beside the object that they are over


def check(facts: Facts) -> Iterator[Problem]:
    reads: dict[Place, set[Place]] = {}
    items: dict[Place, FieldItem] = {}
    trees: dict[Place, Trees] = {}
    for item in facts.assembly.fields:
        if item.built.source == "formula":
            tree = yield from formula_works(facts, item)
        elif item.built.source == "rollup":
            tree = yield from rollup_works(facts, item)
        else:
            continue
        here = (item.owner, item.built.name)
        items[here] = item
        paths = [found for owner, node in tree for found in paths_of(node, owner)]
        reads[here] = {read for owner, path in paths for read in worked_out(owner, path)}
        trees[here] = tree
    yield from circles(items, reads)
    for here, item in items.items():
        if item.built.source == "formula" and reads[here]:
            yield from stays_small(facts, item, trees)


def formula_works(facts: Facts, item: FieldItem) -> Generator[Problem, None, Trees]:
    """Yields problems; returns what was read."""
    field, kind = item.built, facts.kinds.get(item.built.type)
    if not field.formula or kind is None:
        return []
    try:
        tree = facts.read(field.formula, facts.names(item.owner), wants=None)
    except FormulaError as error:
        if item.steps != TITLE:  # what is wrong with a title is told where titles are checked
            at = facts.within(place(item, "formula"), field.formula, error.column)
            yield Problem(at, error.code, error.message, error.fix)
        return []
    if not fits(str(tree.type), kind.value):
        message = f"'{field.name}' returns {field.type}, but the formula gives {worded(tree)}"
        fix = f"write TEXT(…) around it, or return {likely(tree)}" if kind.value == "text" else f"return {likely(tree)}"
        yield Problem(place(item, "formula"), "field.returns", message, fix)
    return [(item.owner, tree)]


def stays_small(facts: Facts, item: FieldItem, trees: Mapping[Place, Trees]) -> Iterator[Problem]:
    """With the formulas of the fields that it reads written out, as databases get it. Circles were told before."""

    def tree_of(owner: str, name: str) -> Node | None:
        field = facts.objects[owner].fields.get(name)
        found = trees.get((owner, name)) if field is not None and field.source == "formula" else None
        return (Fit(found[0][1], 0) if found[0][1].type == "number" else found[0][1]) if found else None

    for owner, tree in trees[item.owner, item.built.name]:
        try:
            expanded(tree, owner, tree_of)
        except FormulaError as error:
            if error.code == "formula.limit":
                yield Problem(place(item, "formula"), error.code, error.message, error.fix)


def fits(given: str, wanted: str) -> bool:
    return given in (wanted, "null") or (wanted == "text" and given in ("choice", "reference"))


def worded(tree: Node) -> str:
    words = {"number": "a number", "boolean": "true or false", "datetime": "a date and time", "choices": "a list"}
    return words.get(str(tree.type), f"a {tree.type}")


def likely(tree: Node) -> str:
    return {"number": "decimal", "choice": "text", "reference": "text"}.get(str(tree.type), str(tree.type))


def rollup_works(facts: Facts, item: FieldItem) -> Generator[Problem, None, Trees]:
    """Yields problems; returns what was read."""
    field, kind = item.built, facts.kinds.get(item.built.type)
    if field.of not in facts.objects or not field.by or kind is None or field.operation not in OPERATIONS:
        return []
    found: Trees = []
    names = facts.names(field.of)
    if not field.measured and field.operation != "count":
        message = f"'{field.operation}' needs the field of '{field.of}' whose {OPERATIONS[field.operation]} it takes"
        yield Problem(place(item), "rollup.field", message, "add 'field'")
    if field.measured:
        yield from facts.path_exists(field.measured, field.of, place(item, "field"))
        resolved = names.resolve(tuple(field.measured.split(".")))
        if resolved is not None:
            yield from measure_fits(facts, item, resolved.field)
            found.append((field.of, facts.read(f"this.{field.measured}", names, wants=None)))
    if field.operation == "count" and kind.value != "number":
        yield Problem(
            place(item, "returns"), "field.returns", f"a count is a number, not {field.type}", "return integer"
        )
    if field.filter:
        yield from facts.formula(field.filter, field.of, item.document, *item.steps, "filter")
        try:
            tree = facts.parsed(field.filter, field.of)
        except FormulaError:
            return found
        found.append((field.of, tree))
    yield from no_time(facts, item, found)
    return found


def measure_fits(facts: Facts, item: FieldItem, measured: Field) -> Iterator[Problem]:
    field, kind = item.built, facts.kinds[item.built.type]
    if field.operation in ("sum", "average") and measured.value != "number":
        message = f"'{field.measured}' is a field of type '{measured.type}'; a {field.operation} takes numbers"
        numbers = [f.name for f in facts.objects[field.of].fields.values() if f.value == "number"]
        yield Problem(place(item, "field"), "rollup.field", message, f"write '{numbers[0]}'?" if numbers else "")
    elif field.operation in ("min", "max") and measured.value not in ORDERED:
        message = f"'{field.measured}' is a field of type '{measured.type}', which has no least and no greatest value"
        yield Problem(place(item, "field"), "rollup.field", message)
    elif field.operation != "count" and not fits(measured.value, kind.value):
        message = f"'{field.name}' returns {field.type}, but '{field.measured}' is a field of type '{measured.type}'"
        yield Problem(place(item, "returns"), "field.returns", message, f"return {measured.type}")


def no_time(facts: Facts, item: FieldItem, trees: Trees) -> Iterator[Problem]:
    """A roll-up is stored: it cannot follow the time, nor who looks at it, nor what is in other records' lines."""
    for name in dict.fromkeys(one for owner, tree in trees for one in passing(facts, owner, tree, set())):
        message = f"'{item.built.name}' is stored, and what '{name}' gives changes by itself"
        fix = "leave it out of the roll-up, and filter by it where the records are listed"
        yield Problem(place(item, "filter" if item.built.filter else "field"), "rollup.time", message, fix)


def passing(facts: Facts, owner: str, node: Node, seen: set[Place]) -> Iterator[str]:
    """What a formula asks of more than records and their references, its formula fields included."""
    if isinstance(node, Actor):
        yield f"user.{node.attribute}"
    if isinstance(node, Call) and facts.functions[node.name].is_volatile:
        yield node.name
    if isinstance(node, Config):
        yield node.key
    if isinstance(node, Aggregate | InTree):
        yield node.op if isinstance(node, Aggregate) else "IN_TREE"
        return
    if isinstance(node, Path):
        for name, field in worked_out(owner, node):
            definition = facts.objects[name].fields[field]
            if definition.source == "formula" and (name, field) not in seen:
                seen.add((name, field))
                try:
                    tree = facts.read(definition.formula, facts.names(name), wants=None)
                except FormulaError:
                    continue
                yield from passing(facts, name, tree, seen)
    for part in parts(node):
        yield from passing(facts, owner, part, seen)


def worked_out(owner: str, path: Path) -> Iterator[Place]:
    """The formula field or roll-up that a path leads to."""
    last = path.fields[-1]
    if last.source in ("formula", "rollup"):
        yield (path.fields[-2].target if len(path.fields) > 1 else owner, last.name)


def circles(items: Mapping[Place, FieldItem], reads: Mapping[Place, set[Place]]) -> Iterator[Problem]:
    """Each circle once, at its first field."""
    done: set[Place] = set()
    for start in items:
        trail: list[Place] = []
        if (found := way_around(start, reads, trail, done)) is not None:
            shown = " -> ".join(f"{name}.{field}" for name, field in found)
            key = "formula" if items[found[0]].built.source == "formula" else "of"
            message = f"'{found[0][1]}' is worked out from itself: {shown}"
            yield Problem(place(items[found[0]], key), "formula.circle", message, "take one of these out of the other")


def way_around(
    here: Place, reads: Mapping[Place, set[Place]], trail: list[Place], done: set[Place]
) -> list[Place] | None:
    """A circle that can be reached from here, its first field at both ends; none that was found before."""
    waiting: list[tuple[Place, Iterator[Place]]] = []
    if here in done:
        return None
    trail.append(here)
    waiting.append((here, iter(sorted(reads.get(here, ())))))
    while waiting:
        _, following = waiting[-1]
        step = next(following, None)
        if step is None:
            done.add(trail.pop())
            waiting.pop()
        elif step in trail:
            circle = [*trail[trail.index(step) :], step]
            done.update(trail)
            return circle
        elif step not in done:
            trail.append(step)
            waiting.append((step, iter(sorted(reads.get(step, ())))))
    return None
