"""Roll-ups are kept up to date in the transaction that changes what they count, sum or average.

Who changes a record says which, and which fields; here it is worked out whose roll-ups read these, directly, through
references, by formula fields or by other roll-ups, and those records are brought up to date, layer by layer upwards.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import Conflict
from engine.formula.fields import reads, whole
from engine.snapshot import Snapshot
from engine.store import rollups, rows_deletion
from engine.store.database import Connection
from engine.store.rollups import Group
from metadata.formula import definition_names, parse, shape
from metadata.model import Field
from metadata.processes import nodes_in

__all__ = [
    "after_change", "beginning", "concerns", "fingerprint", "groups_of", "is_rolled_up", "rebuild", "references_of",
    "verify",
]  # fmt: skip

PIECE = 500
MOST_ROUNDS = 1000  # of one change: definitions have no circles, but deep towers of roll-ups


@dataclass(frozen=True, slots=True)
class Trigger:
    """A change of one of `fields` of an object, or that a record of it comes or goes, that concerns a group."""

    group: Group
    fields: frozenset[str]
    prefix: tuple[str, ...]  # from the child to the object, through references; () is the child itself


def groups_of(snapshot: Snapshot) -> tuple[Group, ...]:
    """All groups of roll-ups."""
    key = "rollup groups"
    if key not in snapshot.cache:
        found: dict[tuple[str, str, str], list[Field]] = {}
        for name, definition in snapshot.definitions.objects.items():
            for field in definition.fields.values():
                if field.source == "rollup":
                    found.setdefault((name, field.of, field.by), []).append(field)
        snapshot.cache[key] = tuple(Group(*place, tuple(fields)) for place, fields in found.items())
    groups: tuple[Group, ...] = snapshot.cache[key]
    return groups


def is_rolled_up(snapshot: Snapshot, child: str, parent: str) -> bool:
    """Whether records of `child` are rolled up into those of `parent`."""
    key = "rolled up"
    if key not in snapshot.cache:
        snapshot.cache[key] = frozenset((group.child, group.parent) for group in groups_of(snapshot))
    return (child, parent) in snapshot.cache[key]


def beginning(snapshot: Snapshot, object_name: str) -> Mapping[str, Any]:
    """What the roll-ups of a new record hold: 0 records, and 0 as their sum."""
    key = ("rollup beginning", object_name)
    if key not in snapshot.cache:
        fields = snapshot.definitions.objects[object_name].fields.values()
        own = [field for field in fields if field.source == "rollup" and field.operation in rollups.EMPTY_IS_ZERO]
        snapshot.cache[key] = {field.name: 0 for field in own}
    found: Mapping[str, Any] = snapshot.cache[key]
    return found


def after_change(
    connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str],
    fields: Iterable[str] | None = None, former: Mapping[str, Iterable[str]] = {},
) -> dict[str, dict[str, None]]:  # fmt: skip
    """`fields`: those that were changed; None where the records came or went. `former`: by reference, to whom the
    records belonged before. Returns the records whose roll-ups are others now, by object."""
    refreshed: dict[str, dict[str, None]] = {}
    changes: list[tuple[str, Sequence[str], frozenset[str] | None, Mapping[str, Iterable[str]]]] = [
        (object_name, ids, None if fields is None else frozenset(fields), former)
    ]
    rounds = 0
    while changes:
        name, changed, names, left = changes.pop(0)
        rounds += 1
        if rounds > MOST_ROUNDS:
            raise Conflict("roll-ups would have to be worked out without end", code="rollup.limit")
        for trigger in _triggers(snapshot).get(name, ()):
            if names is None and trigger.prefix:
                continue  # a record that comes or goes is referred to by nobody, or by what goes with it
            if names is not None and not names & trigger.fields:
                continue
            group = trigger.group
            if trigger.prefix:
                parents = rollups.parents_through(connection, snapshot, group, trigger.prefix, changed)
            else:
                parents = rollups.parents_of(connection, snapshot, group, changed)
                parents.update(one for one in left.get(group.by, ()) if one)
            if not parents:
                continue
            rollups.lock(connection, snapshot, group.parent, list(parents))
            is_own = not trigger.prefix  # else what lines refer to was written, not they
            former_values = _former(connection, snapshot, group, list(parents)) if is_own else {}
            if written := rollups.refresh(connection, snapshot, group, list(parents)):
                for one in written if former_values else ():
                    held = connection.reckoned.setdefault((group.parent, one), {})
                    connection.reckoned[group.parent, one] = {**former_values[one], **held}
                changes.append((group.parent, written, frozenset(field.name for field in group.fields), {}))
                refreshed.setdefault(group.parent, {}).update(dict.fromkeys(written))
    return refreshed


def _former(
    connection: Connection, snapshot: Snapshot, group: Group, parents: Sequence[str]
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """What roll-ups over lines hold, where an approval follows their changes: nothing else tells that of a record of
    which only lines are written."""
    key = ("rollups followed", group)
    if key not in snapshot.cache:
        is_asked = any(
            one.object == group.parent
            and (one.trigger == "update" or any(node.reset_on_change for node in nodes_in(one.flow)))
            for one in snapshot.definitions.processes.approvals.values()
        )
        snapshot.cache[key] = is_asked and snapshot.definitions.objects[group.child].fields[group.by].is_master
    if not snapshot.cache[key]:
        return {}
    names = [field.name for field in group.fields]
    found = rows_deletion.stored(connection, snapshot, group.parent, names, parents)
    return {one: dict(zip(names, values, strict=True)) for one, values in found.items()}


def concerns(snapshot: Snapshot, object_name: str) -> bool:
    """Whether any roll-up depends on the object's records: who writes others need not look further."""
    return object_name in _triggers(snapshot)


def references_of(snapshot: Snapshot, object_name: str) -> frozenset[str]:
    """References of an object's records by which they are rolled up."""
    return frozenset(t.group.by for t in _triggers(snapshot).get(object_name, ()) if not t.prefix)


def _triggers(snapshot: Snapshot) -> Mapping[str, tuple[Trigger, ...]]:
    key = "rollup triggers"
    if key not in snapshot.cache:
        found: dict[str, list[Trigger]] = {}
        for group in groups_of(snapshot):
            for (name, prefix), fields in _read_by(snapshot, group).items():
                found.setdefault(name, []).append(Trigger(group, frozenset(fields), prefix))
        snapshot.cache[key] = {name: tuple(triggers) for name, triggers in found.items()}
    triggers: Mapping[str, tuple[Trigger, ...]] = snapshot.cache[key]
    return triggers


def _read_by(snapshot: Snapshot, group: Group) -> dict[tuple[str, tuple[str, ...]], set[str]]:
    """(object, path to it from the child) -> its stored fields that the group's roll-ups read."""
    found: dict[tuple[str, tuple[str, ...]], set[str]] = {(group.child, ()): {group.by}}
    objects = snapshot.definitions.objects
    for path in _paths(snapshot, group):
        here = group.child
        for index, step in enumerate(path):
            found.setdefault((here, path[:index]), set()).add(step)
            field = objects[here].fields.get(step)
            here = field.target if field else "user"  # a system field, such as owner
    return found


def _paths(snapshot: Snapshot, group: Group) -> Iterator[tuple[str, ...]]:
    names = definition_names(snapshot.definitions.objects, group.child)
    for field in group.fields:
        for text in _texts(field):
            node = parse(text, names, functions=snapshot.plugins.functions, wants=None)
            yield from reads(snapshot, group.child, node)


def _texts(field: Field) -> list[str]:
    """What a roll-up reads, as formulas over the child. A field may be called `in`: hence `this`."""
    return [text for text in (field.filter, field.measured and f"this.{field.measured}") if text]


def fingerprint(snapshot: Snapshot, group: Group) -> str:
    """Equal for two versions in which the group's roll-ups give the same values."""
    names = definition_names(snapshot.definitions.objects, group.child)
    parts = []
    for field in group.fields:
        trees = [parse(text, names, functions=snapshot.plugins.functions, wants=None) for text in _texts(field)]
        # With the formula fields in them written out: another formula is of no concern.
        shapes = [shape(whole(snapshot, group.child, tree)) for tree in trees]
        parts.append((field.name, field.type, dict(field.options), field.operation, shapes))
    return repr((group.child, group.by, parts))


def rebuild(connection: Connection, snapshot: Snapshot, groups: Sequence[Group] | None = None) -> int:
    """Work all roll-ups out anew, those that others read first; how many records held something else."""
    count = 0
    for group in in_order(snapshot, groups_of(snapshot) if groups is None else groups):
        for piece in _pieces(connection, snapshot, group.parent):
            rollups.lock(connection, snapshot, group.parent, piece)
            if written := rollups.refresh(connection, snapshot, group, piece):
                count += len(written)
                names = [field.name for field in group.fields]
                after_change(connection, snapshot, group.parent, written, names)
    return count


def verify(connection: Connection, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """(object, field, record) wherever a stored roll-up is not what it should be."""
    for group in groups_of(snapshot):
        for piece in _pieces(connection, snapshot, group.parent):
            for record, *pairs in rollups.differing(connection, snapshot, group, piece):
                for index, field in enumerate(group.fields):
                    if pairs[2 * index] != pairs[2 * index + 1]:
                        yield group.parent, field.name, record


def in_order(snapshot: Snapshot, groups: Sequence[Group]) -> list[Group]:
    """A group that reads another's roll-ups comes after it."""
    waiting, done = list(groups), list[Group]()
    while waiting:
        written = {(group.parent, field.name) for group in waiting for field in group.fields}
        free = [
            group for group in waiting
            if not any(
                (name, field) in written
                for (name, _), fields in _read_by(snapshot, group).items() for field in fields
            )
        ] or waiting[:1]  # fmt: skip
        done += free
        waiting = [group for group in waiting if group not in free]
    return done


def _pieces(connection: Connection, snapshot: Snapshot, object_name: str) -> Iterator[list[str]]:
    last = ""
    while piece := rollups.ids_after(connection, snapshot, object_name, last, PIECE):
        yield piece
        last = piece[-1]
