"""Keys of duplicate rules, as a publish leaves them: made for what compares otherwise now, dropped where rules go."""

from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa

from engine.publish.compare import ObjectChange, is_changed
from engine.publish.migration import Work, column_works
from engine.publish.steps import rows_of
from engine.registry import Plugins
from engine.rules.matchers import Matcher, make_matchers, matchers_of
from engine.snapshot import Snapshot
from engine.store import system
from engine.store.database import Connection
from engine.store.names import Names
from engine.store.tables import Physical
from metadata.model import Object

__all__ = ["rebuild", "rebuild_keys", "verify"]

CHUNK = 2000  # keys in one statement


def rebuild_keys(
    connection: Connection, old: Snapshot, changes: Iterable[ObjectChange], physical: Physical, names: Names
) -> None:
    for change in filter(is_changed, changes):
        if change.old is None:  # there are no records yet
            continue
        table = old.physical.names.tables[change.old.name]
        before = by_id(change.old, old.physical.names)
        after = by_id(change.new, names) if change.new else {}
        stale = {one for one, matcher in after.items() if values_change(change, matcher, old.plugins)}
        drop(connection, table, (before.keys() - after.keys()) | (stale & before.keys()))
        fresh = [after[one] for one in after if one not in before or one in stale]
        if fresh and change.new:
            fill(connection, physical.table(change.new.name), fresh)


def by_id(definition: Object, names: Names) -> Mapping[str, Matcher]:
    found = make_matchers(definition, names.tables[definition.name], names.columns[definition.name])
    return {matcher.id: matcher for matcher in found}


def values_change(change: ObjectChange, matcher: Matcher, plugins: Plugins) -> bool:
    """Whether values that the keys are made of are others now, in the same columns."""
    changed = {
        work.new.name
        for work in column_works(change, plugins)
        if work.new and (work.work is Work.REWRITE or (work.becomes_required and work.new.default is not None))
    }
    return not changed.isdisjoint(matcher.fields)


def drop(connection: Connection, table: str, rules: Iterable[str]) -> None:
    kept = system.duplicate_key.c
    for rule in sorted(rules):
        gone = sa.delete(system.duplicate_key).where(kept.object == table, kept.rule == rule)
        connection.sa.execute(gone)


def fill(connection: Connection, table: sa.Table, matchers: Iterable[Matcher]) -> int:
    """For all records, those in the trash too: they may come back. How many keys there are."""
    if connection.dialect == "postgresql":
        # Whoever would write a record now, without keys that its version does not know of, waits.
        name = connection.sa.dialect.identifier_preparer.format_table(table)
        connection.run(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
    count, part = 0, list[dict[str, str]]()
    for key in keys_of(connection, table, list(matchers)):
        part.append(key)
        count += 1
        if len(part) == CHUNK:
            connection.sa.execute(sa.insert(system.duplicate_key), part)
            part = []
    if part:
        connection.sa.execute(sa.insert(system.duplicate_key), part)
    return count


def rebuild(connection: Connection, snapshot: Snapshot) -> int:
    """All keys of all records: where a request on an older version wrote a record while a rule was being published, or
    after a release that compares values otherwise."""
    connection.sa.execute(sa.delete(system.duplicate_key))
    return sum(
        fill(connection, snapshot.physical.table(name), {one.id: one for one in matchers}.values())
        for name in snapshot.definitions.objects
        if (matchers := matchers_of(snapshot, name))
    )


def verify(connection: Connection, snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """(object, record) wherever the stored keys are not those of the record's values."""
    kept = system.duplicate_key.c
    for name in snapshot.definitions.objects:
        matchers, table = matchers_of(snapshot, name), snapshot.physical.table(name)
        wanted: dict[str, set[str]] = {}
        for key in keys_of(connection, table, list(matchers)) if matchers else ():
            wanted.setdefault(key["record"], set()).add(key["key"])
        stored: dict[str, set[str]] = {}
        for record, one in connection.sa.execute(sa.select(kept.record, kept.key).where(kept.object == table.name)):
            stored.setdefault(record, set()).add(one)
        wrong = (one for one in wanted.keys() | stored.keys() if wanted.get(one) != stored.get(one))
        yield from ((name, one) for one in sorted(wrong))


def keys_of(connection: Connection, table: sa.Table, matchers: list[Matcher]) -> Iterator[dict[str, str]]:
    fields = list(dict.fromkeys(part.match.field for matcher in matchers for part in matcher.parts))
    for record, *values in rows_of(connection, table, [table.c.id, *(table.c[name] for name in fields)], sa.true()):
        row = dict(zip(fields, values, strict=True))
        for matcher in matchers:
            for key in matcher.keys(row)[0]:
                yield {"key": key, "record": record, "rule": matcher.id, "object": table.name}
