"""What formulas over one object read: fields of the record itself, and what must be fetched. Opens no connection.

Formula fields of the record itself are worked out from its values, so that they follow what is about to be written.
Those of other records are read as any column is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from engine.formula.evaluate import Evaluate, evaluator
from engine.formula.fields import tree_of
from engine.snapshot import Snapshot
from engine.store import types
from metadata.formula.nodes import Aggregate, Config, Fit, InTree, Node, Outer, Path, Prior, parts
from metadata.model import SYSTEM_FIELDS, Field

__all__ = ["Lines", "Needs", "Tree", "needs_of", "own_fields", "scale_of"]


@dataclass(slots=True)
class Lines:
    """Records that a field at `key` holds: those of `object` whose reference `by` is the record behind `owner`."""

    key: str
    owner: str  # the path to their record; "id" is the record itself
    object: str
    by: str
    paths: dict[str, None] = field(default_factory=dict)
    trees: dict[str, "Tree"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tree:
    """Under `key` stands the record at `item`, of the tree `object` by its reference `by`, and all that is above it."""

    key: str
    item: str
    object: str
    by: str


@dataclass(slots=True)
class Needs:
    paths: dict[str, dict[str, None]] = field(default_factory=dict)  # reference -> paths behind it
    settings: dict[str, dict[str, None]] = field(default_factory=dict)  # settings object -> fields
    lines: dict[str, Lines] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    formulas: dict[str, Evaluate] = field(default_factory=dict)  # of the record's own formula fields

    @property
    def is_empty(self) -> bool:
        return not (self.paths or self.settings or self.lines or self.trees or self.formulas)


def needs_of(
    snapshot: Snapshot, object_name: str, nodes: Iterable[tuple[Node, str]], paths: Iterable[str] = ()
) -> Needs:  # fmt: skip
    """Of formulas over the object, each with the path to the record that it is about: "" is the record itself.

    `paths`: others that are read besides.
    """
    found = Needs()
    for node, start in nodes:
        _gather(snapshot, object_name, node, start, found)
    for path in paths:
        _path(snapshot, object_name, tuple(path.split(".")), found)
    return found


def _gather(snapshot: Snapshot, object_name: str, node: Node, start: str, found: Needs) -> None:
    lead = (start,) if start else ()
    match node:
        case Path(steps) | Prior(Path(steps)):
            _path(snapshot, object_name, (*lead, *steps), found)
        case Outer(path):
            _path(snapshot, object_name, path.steps, found)
        case Config(name, setting):
            found.settings.setdefault(name, {})[setting.name] = None
        case Aggregate(path=path, inner=inner):
            key = ".".join((*lead, *path.steps))
            owner = key.rpartition(".")[0] or "id"
            lines = found.lines.setdefault(key, Lines(key, owner, node.object, node.by))
            if inner is not None:
                _gather_lines(snapshot, object_name, inner, lines, lead, found)
            if "." in owner:
                _path(snapshot, object_name, tuple(owner.split(".")), found)
            return
        case InTree(item, name, by):
            key = ".".join((*lead, *item.steps))
            found.trees[f"{key}^"] = Tree(f"{key}^", key, name, by)
    for part in parts(node):
        if not isinstance(node, Prior):
            _gather(snapshot, object_name, part, start, found)


def _gather_lines(
    snapshot: Snapshot, object_name: str, node: Node, lines: Lines, lead: tuple[str, ...], found: Needs
) -> None:
    """What a formula over lines reads: of a line, or through its reference of the record that holds it."""
    match node:
        case Path(steps) if steps[0] == lines.by and len(steps) > 1:
            _path(snapshot, object_name, (*lead, *steps[1:]), found)
        case Path(steps):
            lines.paths[".".join(steps)] = None
        case Outer() | Config():
            _gather(snapshot, object_name, node, "", found)
        case InTree(item, name, by):
            lines.trees[node.key] = Tree(node.key, item.key, name, by)
    for part in parts(node):
        _gather_lines(snapshot, object_name, part, lines, lead, found)


def _path(snapshot: Snapshot, object_name: str, steps: tuple[str, ...], found: Needs) -> None:
    if len(steps) > 1:
        found.paths.setdefault(steps[0], {})[".".join(steps[1:])] = None
        return
    own = field_of(snapshot, object_name, steps[0])
    if own is not None and own.source == "formula" and own.name not in found.formulas:
        tree, scale = tree_of(snapshot, object_name, own), scale_of(snapshot, own)
        fitting = tree if scale is None else Fit(tree, scale)
        found.formulas[own.name] = evaluator(fitting, snapshot.plugins.functions)
        _gather(snapshot, object_name, tree, "", found)


def own_fields(snapshot: Snapshot, object_name: str, node: Node, start: str = "") -> frozenset[str]:
    """Names of the record's own fields that a formula reads: references that it goes through, lines, and what the
    record's formula fields are made of."""
    return frozenset(_own(snapshot, object_name, node, start, set()))


def _own(snapshot: Snapshot, object_name: str, node: Node, start: str, seen: set[str]) -> Iterator[str]:
    if isinstance(node, Outer):
        yield from _own_path(snapshot, object_name, node.path.steps, seen)
    elif isinstance(node, Path):
        yield from _own_path(snapshot, object_name, (start, *node.steps) if start else node.steps, seen)
    for part in parts(node):
        yield from _own(snapshot, object_name, part, start, seen)
    if isinstance(node, Aggregate) and node.inner is not None:
        for path in _owner_paths(node.inner, node.by):
            yield from _own_path(snapshot, object_name, (start, *path) if start else path, seen)


def _owner_paths(node: Node, by: str) -> Iterator[tuple[str, ...]]:
    if isinstance(node, Path) and node.steps[0] == by and len(node.steps) > 1:
        yield node.steps[1:]
    for part in parts(node):
        yield from _owner_paths(part, by)


def _own_path(snapshot: Snapshot, object_name: str, steps: tuple[str, ...], seen: set[str]) -> Iterator[str]:
    name = steps[0]
    yield name
    own = field_of(snapshot, object_name, name)
    if own is not None and own.source == "formula" and name not in seen:
        seen.add(name)
        yield from _own(snapshot, object_name, tree_of(snapshot, object_name, own), "", seen)


def field_of(snapshot: Snapshot, object_name: str, name: str) -> Field | None:
    return snapshot.definitions.objects[object_name].fields.get(name) or SYSTEM_FIELDS.get(name)


def scale_of(snapshot: Snapshot, one: Field) -> int | None:
    """Decimal places of a field that holds numbers, None of others."""
    stored = snapshot.physical.type_of(one)
    if isinstance(stored, types.Decimal):
        return stored.scale
    return 0 if isinstance(stored, types.Integer) else None
