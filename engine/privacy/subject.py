"""All that belongs to one person: which records, and which of their fields are personal."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.context import Context
from engine.errors import BadInput, Forbidden, NotFound
from engine.snapshot import Snapshot
from engine.store import rows, rows_merge
from engine.store.database import Connection
from engine.store.references import referring
from engine.store.types import is_id
from metadata.model import Field
from metadata.problem import nearest

__all__ = ["USER", "Person", "gather", "may_handle_privacy", "need_privacy", "personal", "subjects"]

USER = "user"
MOST = 10_000  # records of one person


@dataclass(slots=True)
class Person:
    """A record of an object with `data_subject`, and what belongs to it: object -> ids, deleted ones included."""

    object: str
    id: str
    records: dict[str, dict[str, None]] = field(default_factory=dict)  # whose personal fields are this person's
    mentions: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (object, reference) -> others

    @property
    def size(self) -> int:
        return sum(map(len, self.records.values()))


def may_handle_privacy(ctx: Context) -> bool:
    """Whether this person may export and erase the data of others: the one place that says so."""
    return ctx.scope.has("manage_privacy")


def need_privacy(ctx: Context) -> None:
    if not may_handle_privacy(ctx):
        raise Forbidden("you may not handle personal data", code="privacy.forbidden", fix="ask an administrator")


def personal(snapshot: Snapshot, object_name: str) -> dict[str, Field]:
    """The fields of an object that hold personal data and have a column."""
    fields = snapshot.definitions.objects[object_name].fields
    return {name: one for name, one in fields.items() if one.category and one.is_stored}


def subjects(snapshot: Snapshot) -> list[str]:
    """Users are persons, too."""
    return [name for name, one in snapshot.definitions.objects.items() if one.is_data_subject or name == USER]


def gather(ctx: Context, connection: Connection, object_name: str, record_id: str) -> Person:
    """The record, what was merged into it, its lines, and records that refer to it and are about no person themselves;
    of a user the account alone: what they work on is the business's.

    Raises NotFound for a record that never was, BadInput for an object whose records are about no person.
    """
    snapshot = ctx.snapshot
    known = subjects(snapshot)
    if object_name not in known:
        guess = nearest(object_name, known)
        fix = f"write '{guess}'?" if guess else "give the object 'data_subject: true'"
        raise BadInput(f"the records of '{object_name}' are about no person", code="privacy.subject", fix=fix)
    if not is_id(record_id) or not rows.versions_of(snapshot, connection, object_name, [record_id]):
        raise NotFound(f"no {object_name} has the id '{record_id[:60]}'", code="record.unknown")
    person = Person(object_name, record_id)
    if object_name == USER:
        person.records[USER] = {record_id: None}
        return person
    own = list(dict.fromkeys((record_id, *merged(connection, record_id))))
    person.records[object_name] = dict.fromkeys(own)
    fresh: list[tuple[str, list[str]]] = [(object_name, own)]
    while fresh:
        target, ids = fresh.pop()
        for name, reference, found in pointing(ctx, connection, target, ids):
            is_own = reference.is_master or (
                target == object_name and not snapshot.definitions.objects[name].is_data_subject
            )
            if not is_own:
                if target == object_name:
                    person.mentions.setdefault((name, reference.name), []).extend(found)
                continue
            known_ids = person.records.setdefault(name, {})
            new = [one for one in found if one not in known_ids]
            known_ids.update(dict.fromkeys(new))
            if new:
                fresh.append((name, new))
            if person.size > MOST:
                raise BadInput(f"more than {MOST:,} records belong to this person", code="privacy.limit")
    return person


def merged(connection: Connection, record_id: str) -> Iterator[str]:
    found, fresh = {record_id}, [record_id]
    while fresh:
        for one in rows_merge.losers_of(connection, fresh.pop()):
            if one not in found:
                found.add(one)
                fresh.append(one)
                yield one


def pointing(
    ctx: Context, connection: Connection, target: str, ids: list[str]
) -> Iterator[tuple[str, Field, list[str]]]:
    """Records that refer to one of these, and by which field; who owns them is no matter here."""
    for name, reference in referring(ctx.snapshot, target):
        if not reference.is_stored or reference.name == "owner":
            continue
        for start in range(0, len(ids), 200):
            some = ids[start : start + 200]
            found = rows_merge.pointing(connection, ctx.snapshot, name, reference, target, some, MOST + 1)
            if found:
                yield name, reference, [one for one, _ in found]
