"""What a person sees of the fields of an object, and which of them they write. Opens no connection.

Grants add up, as far as they let the same records through. What a grant opens is open on records that it does not let
through only if another grant opens it there; as a person has one set of fields for all records of an object, those
grants count which let through all that any of the others does. Where there is no such grant, the strictest counts.

What is worked out is hidden from whoever does not see all that it is worked out from, unless it `reveals`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.access.grants import rank
from engine.formula.fields import tree_of
from engine.snapshot import Snapshot
from metadata.formula import Aggregate, Config, InTree, Node, Outer, Path, Prior, definition_names, parse
from metadata.formula.nodes import parts
from metadata.model import SYSTEM_FIELDS, Action, Field, Grant

__all__ = ["ALWAYS", "HIDDEN", "MASKED", "OPEN", "Level", "level_of", "read_by", "reads_of"]

HIDDEN, MASKED, OPEN = 0, 1, 2
ALWAYS = frozenset({"id", "version"})  # read with every record


@dataclass(frozen=True, slots=True)
class Level:
    sees: int = OPEN
    writes: bool = True


LEVELS = {
    "hidden": Level(HIDDEN, False), "masked": Level(MASKED, False), "read": Level(OPEN, False),
    "edit_masked": Level(MASKED, True), "edit": Level(),
}  # fmt: skip


def level_of(grants: Sequence[Grant], action: Action, sharing: str, field: Field) -> Level:
    """What these grants, all of an action on one object, allow with a field."""
    if field.name in ALWAYS or not any(grant.fields for grant in grants):
        return Level()
    widest = [one for one in grants if all(covers(one, other, action, sharing) for other in grants)]
    levels = [said(grant, field) for grant in widest or grants]
    choose: Callable[..., int] = max if widest else min
    return Level(choose(one.sees for one in levels), bool(choose(int(one.writes) for one in levels)))


def said(grant: Grant, field: Field) -> Level:
    found = LEVELS.get(grant.fields.get(field.name) or grant.fields.get("*") or "edit", LEVELS["hidden"])
    return LEVELS["hidden"] if found.sees == MASKED and not field.mask else found


def covers(grant: Grant, other: Grant, action: Action, sharing: str) -> bool:
    """Whether it lets through all records that the other does."""
    if grant.rows and grant.rows != other.rows:
        return False
    if grant.record_types and not (other.record_types and set(other.record_types) <= set(grant.record_types)):
        return False
    return rank(grant, action, sharing) >= rank(other, action, sharing)


def reads_of(snapshot: Snapshot, object_name: str, field: Field) -> frozenset[tuple[str, str]]:
    """(object, field) of all that a formula field or a roll-up reads, through references and of lines."""
    key = ("access reads", object_name, field.name)
    if key not in snapshot.cache:
        snapshot.cache[key] = frozenset(_reads(snapshot, object_name, field))
    found: frozenset[tuple[str, str]] = snapshot.cache[key]
    return found


def _reads(snapshot: Snapshot, object_name: str, field: Field) -> Iterator[tuple[str, str]]:
    if field.source == "formula":
        yield from read_by(tree_of(snapshot, object_name, field), object_name)
    elif field.source == "rollup":
        yield field.of, field.by
        if field.measured:
            yield field.of, field.measured
        if field.filter:
            names = definition_names(snapshot.definitions.objects, field.of, field.by)
            yield from read_by(parse(field.filter, names, functions=snapshot.plugins.functions), field.of)


def read_by(node: Node, object_name: str) -> Iterator[tuple[str, str]]:
    """(object, field) of all that a formula of the object names, one by one."""
    match node:
        case Path():
            yield from along(node, object_name)
        case Prior(path) | Outer(path):
            yield from along(path, object_name)
        case Config(name, field):
            yield name, field.name
        case Aggregate(path=path, inner=inner):
            yield from along(path, object_name)
            if inner is not None:
                yield from read_by(inner, node.object)
            return
        case InTree(_, name, by):
            yield name, by
    for part in parts(node):
        yield from read_by(part, object_name)


def along(path: Path, object_name: str) -> Iterator[tuple[str, str]]:
    here = object_name
    for field in path.fields:
        yield here, field.name
        here = field.target


assert set(SYSTEM_FIELDS) > ALWAYS
