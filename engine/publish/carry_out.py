"""Carry out a migration: tables, columns, values, indexes and names, in the caller's transaction."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from engine.audit.chain import Changed
from engine.keyring import Keyring
from engine.publish.compare import Changes, ObjectChange, is_changed
from engine.publish.ddl import Ddl, references
from engine.publish.duplicates import rebuild_keys
from engine.publish.migration import ColumnWork, Index, NameChange, Work, allocate, column_works, first_sort, indexes
from engine.publish.steps import convert_of, rows_of
from engine.registry import Plugins
from engine.rules import rollups
from engine.rules.reach import values_of
from engine.sealed import Unsealed
from engine.snapshot import Snapshot
from engine.store import rows_history, system
from engine.store.database import Connection, compile_sql
from engine.store.names import Allocator, Names
from engine.store.tables import Physical
from metadata.model import Definitions, Field

__all__ = ["Migration"]

Default = Callable[[Field], Any]
Values = Iterator[tuple[str, Any, Any]]  # (id, value before, value after)
CHUNK = 1000


class Migration:
    """From the version that runs to `new`. `default` gives the value that fills blank records of a field, `secrets` the
    keys for what becomes a secret."""

    def __init__(
        self, connection: Connection, old: Snapshot, new: Definitions, changes: Changes, default: Default,
        secrets: Callable[[], Keyring],
    ) -> None:  # fmt: skip
        self.connection, self.old, self.new, self.changes = connection, old, new, changes
        self.default, self.secrets = default, secrets
        self.rewritten: list[Changed] = []  # lines of the history that say less now
        self.plugins: Plugins = old.plugins
        given = connection.sa.execute(sa.select(system.name.c.table, system.name.c.column))
        allocator = Allocator((table, column) for table, column in given)
        self.names, self.name_changes = allocate(changes, old.physical.names, allocator, self.plugins)
        self.physical = Physical(new, self.names, self.plugins)
        self.ddl = Ddl(connection, self.names, self.plugins)
        before, after = old.definitions.views, new.views
        views = (versions.get(name) for name in before.keys() | after.keys() for versions in (before, after)
                 if before.get(name) != after.get(name))  # fmt: skip
        self.resorted = {view.object for view in views if view}

    def run(self, version: int) -> Names:
        """In an order in which nothing depends on what is not there yet, or not there any more."""
        kept = [change for change in self.changes.objects if change.old and change.new and is_changed(change)]
        made = [change.new for change in self.changes.objects if change.new and not change.old]
        gone = [change.old for change in self.changes.objects if change.old and not change.new]
        before, after = (
            self._indexes(self.old.definitions, self.old.physical.names),
            self._indexes(self.new, self.names),
        )
        tables_gone = {self.old.physical.names.tables[definition.name] for definition in gone}
        for index in sorted(before - after):
            if index.table not in tables_gone:
                self.ddl.drop_index(index)
        for definition in made:
            self.ddl.create_table(definition)
        for change in kept:
            self._add_columns(change)
        self._add_references()
        for change in kept:
            self._fill(change)
        for change in kept:
            self._drop_columns(change)
        self._drop_tables([definition.name for definition in gone])
        for index in sorted(after - before):
            self.ddl.create_index(index)
        self._check_references()
        self._roll_up(version)
        rebuild_keys(self.connection, self.old, self.changes.objects, self.physical, self.names)
        self._write_names(version)
        self._forget()
        return self.names

    def _roll_up(self, version: int) -> None:
        """Work out the roll-ups that are new, or that read something else now."""
        new = Snapshot(version, self.new, self.physical, self.plugins, self.connection.dialect)
        known = {rollups.fingerprint(self.old, group) for group in rollups.groups_of(self.old)}
        changed = [group for group in rollups.groups_of(new) if rollups.fingerprint(new, group) not in known]
        if changed:
            rollups.rebuild(self.connection, new, changed)

    def _works(self, change: ObjectChange) -> Iterator[ColumnWork]:
        return column_works(change, self.plugins)

    def _indexes(self, definitions: Definitions, names: Names) -> set[Index]:
        """Of the objects that may have other ones now, as they are in one of the two versions."""
        touched = {
            o.name for change in self.changes.objects if is_changed(change) for o in (change.old, change.new) if o
        } | self.resorted
        found = (
            indexes(definitions.objects[name], names, self.plugins, first_sort(definitions, name))
            for name in touched & definitions.objects.keys()
        )
        return {index for one in found for index in one}

    def _add_columns(self, change: ObjectChange) -> None:
        for work in self._works(change):
            if work.work in (Work.ADD, Work.COPY):
                assert change.new
                assert work.new
                self.ddl.add_column(change.new.name, work.new)

    def _drop_columns(self, change: ObjectChange) -> None:
        for work in self._works(change):
            if work.work in (Work.DROP, Work.COPY):
                assert change.old
                assert work.old
                names = self.old.physical.names
                self.ddl.drop_column(names.tables[change.old.name], names.columns[change.old.name][work.old.name])

    def _add_references(self) -> None:
        for change in self.changes.objects:
            if change.new is None or not is_changed(change):
                continue
            old, new = self.old.physical.names, self.names
            before = set(references(change.old, old, self.plugins)) if change.old else set()
            table = new.tables[change.new.name]
            for column, target in references(change.new, new, self.plugins):
                if (column, target) not in before:
                    self.ddl.add_reference(table, column, target)

    def _fill(self, change: ObjectChange) -> None:
        assert change.old
        assert change.new
        old, new = self.old.physical.table(change.old.name), self.physical.table(change.new.name)
        for work in self._works(change):
            if work.work in (Work.COPY, Work.REWRITE):
                self._convert(old, new, work)
            if work.new and work.becomes_required and work.new.default is not None:
                column = new.c[work.new.name]
                fill = sa.update(new).where(column.is_(None)).values({column: self.default(work.new)})
                self.connection.sa.execute(fill)
            if work.new and work.new.is_written and work.work is not Work.KEEP:
                self._number(change.new.name, new, work.new)

    def _convert(self, old: sa.Table, new: sa.Table, work: ColumnWork) -> None:
        assert work.old
        assert work.new
        convert, source = convert_of(work, self.plugins), old.c[work.old.name]
        # What is in the trash keeps values that a new rule forbids; names of objects change there, too.
        is_rule = work.old.type == work.new.type and work.work is Work.REWRITE and not work.new.targets
        where = sa.and_(source.is_not(None), old.c.deleted_at.is_(None)) if is_rule else source.is_not(None)
        values: Values = (
            (key, value, convert(value)) for key, value in rows_of(self.connection, old, [old.c.id, source], where)
        )
        if self.plugins.fields[work.new.type].is_secret and not self.plugins.fields[work.old.type].is_secret:
            values = self._encrypted(values, f"{new.name}.{new.c[work.new.name].name}")
            # It was no secret there.
            self.rewritten += rows_history.forget_field(self.connection, old.name, source.name)
        if work.work is Work.COPY:
            changed = ((key, value) for key, _, value in values if value is not None)
        else:
            changed = ((key, value) for key, before, value in values if value != before)
        self._write(new, work.new.name, changed)

    def _encrypted(self, values: Values, place: str) -> Values:
        keys = self.secrets()
        return (
            (key, before, keys.seal(after, place) if isinstance(after, Unsealed) else after)
            for key, before, after in values
        )

    def _write(self, table: sa.Table, field: str, values: Iterator[tuple[str, Any]]) -> None:
        column = table.c[field]
        statement = compile_sql(
            sa.update(table)
            .where(table.c.id == sa.bindparam("the_id", type_=table.c.id.type))
            .values({column: sa.bindparam("the_value", type_=column.type)}),
            self.connection.dialect,
        )
        for part in pieces(values):
            rows = [statement.bind({"the_id": key, "the_value": value}) for key, value in part]
            self.connection.run_many(statement.sql, rows)

    def _values(self, object_name: str, paths: Sequence[str], ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Record -> what it holds at some paths, in the new version."""
        if not paths:
            return {}
        new = Snapshot(0, self.new, self.physical, self.plugins, self.connection.dialect)
        return {row["id"]: row for row in values_of(new, self.connection, {}, object_name, paths, "id", ids)}

    def _number(self, object_name: str, table: sa.Table, field: Field) -> None:
        """Give the records that have no number one, in the order in which they were made."""
        kind = self.plugins.fields[field.type]
        if kind.generate is None:
            return
        start = kind.counter_start(field) if kind.counter_start else 1
        counts: Counter[str] = Counter()
        numbered: list[tuple[str, Any]] = []
        columns = [table.c.id, table.c.created_at]
        blank = list(rows_of(self.connection, table, columns, table.c[field.name].is_(None)))
        values = self._values(object_name, kind.reads(field) if kind.reads else (), [key for key, _ in blank])
        for key, created_at in blank:
            period = kind.counter_period(field, created_at, values.get(key, {})) if kind.counter_period else ""
            counts[period] += 1
            number = start - 1 + counts[period]
            numbered.append((key, kind.generate(field, created_at, number, values.get(key, {}))))
        self._write(table, field.name, iter(numbered))
        # As engine/store/rows_counters.py counts: by physical names, how many were given.
        column = table.c[field.name].name
        rows = [
            {"object": table.name, "field": column, "period": period, "value": count}
            for period, count in counts.items()
        ]
        if rows:
            self.connection.sa.execute(sa.insert(system.counter), rows)

    def _drop_tables(self, gone: list[str]) -> None:
        """Tables may refer to each other, and to themselves: first no row or constraint of them refers to anything."""
        names = self.old.physical.names
        for name in gone:
            definition = self.old.definitions.objects[name]
            table = self.old.physical.table(name)
            for column, target in references(definition, names, self.plugins):
                if target not in {names.tables[other] for other in gone}:
                    continue
                self.ddl.drop_reference(names.tables[name], column)
                if self.ddl.is_inline:
                    key = next(c for c in table.columns if c.name == column)
                    self.connection.sa.execute(sa.update(table).where(key.is_not(None)).values({key: None}))
        for name in gone:
            self.ddl.drop_table(names.tables[name])

    def _check_references(self) -> None:
        """SQLite's own check, of the tables whose rows or columns may refer to what has gone."""
        if self.connection.dialect != "sqlite":
            return
        works = {c.new.name: {work.work for work in self._works(c)} for c in self.changes.objects if c.old and c.new}
        touched = {name for name, kinds in works.items() if kinds & {Work.COPY, Work.REWRITE, Work.DROP}}
        if any(change.new is None for change in self.changes.objects):
            touched = set(self.new.objects)
        for name in sorted(touched):
            table = self.connection.sa.dialect.identifier_preparer.quote(self.names.tables[name])
            broken = self.connection.rows(f"PRAGMA foreign_key_check({table})")
            assert not broken, f"the publish would leave references to nothing in {name}: {broken[:3]}"

    def _write_names(self, version: int) -> None:
        c = system.name.c
        at = sa.and_(
            c.table == sa.bindparam("at_table", type_=c.table.type),
            c.column == sa.bindparam("at_column", type_=c.column.type),
        )
        drop = sa.update(system.name).where(at).values(dropped_in=version)
        rename = (
            sa.update(system.name)
            .where(at)
            .values(
                object=sa.bindparam("to_object", type_=c.object.type),
                field=sa.bindparam("to_field", type_=c.field.type),
            )
        )
        self._each(sa.insert(system.name), [row(change) for change in self.name_changes if change.was is None])
        self._each(drop, [place(change) for change in self.name_changes if change.now is None])
        self._each(
            rename,
            [
                {**place(change), "to_object": change.now[0], "to_field": change.now[1]}
                for change in self.name_changes
                if change.was and change.now
            ],
        )

    def _forget(self) -> None:
        """What restoring a deleted record would put back into a table or column that has gone."""
        c = system.deletion.c
        gone = {change.table for change in self.name_changes if change.now is None and not change.column}
        in_table = sa.delete(system.deletion).where(c.object == sa.bindparam("at_table", type_=c.object.type))
        in_column = in_table.where(c.field == sa.bindparam("at_column", type_=c.field.type))
        self._each(in_table, [{"at_table": table} for table in sorted(gone)])
        columns = [change for change in self.name_changes if change.now is None and change.table not in gone]
        self._each(in_column, [place(change) for change in columns])

    def _each(self, statement: sa.Executable, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.connection.sa.execute(statement, rows)


def place(change: NameChange) -> dict[str, Any]:
    return {"at_table": change.table, "at_column": change.column}


def row(change: NameChange) -> dict[str, Any]:
    assert change.now
    object_name, field = change.now
    kind = "column" if change.column else "table"
    return {"table": change.table, "column": change.column, "kind": kind, "object": object_name, "field": field}


def pieces(values: Iterator[tuple[str, Any]]) -> Iterator[list[tuple[str, Any]]]:
    part: list[tuple[str, Any]] = []
    for value in values:
        part.append(value)
        if len(part) == CHUNK:
            yield part
            part = []
    if part:
        yield part
