"""DDL in the caller's transaction, by Alembic's operations; of indexes as texts. Holds no name but allocated ones.

SQLite never needs a table rebuild here, by design: a column's constraints stand with the column (REFERENCES) and all
others are indexes, so ALTER TABLE can add and drop each of them. Alembic's batch mode, which rebuilds, deletes cascade
children when foreign keys are on.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.operations.schemaobj import SchemaObjects

from engine.errors import BadInput
from engine.publish.migration import Index
from engine.registry import Plugins
from engine.store.database import Connection
from engine.store.names import Names, bounded
from engine.store.sql import DIALECTS
from engine.store.tables import system_columns
from metadata.model import SYSTEM_FIELDS, Field, Object

__all__ = ["Ddl", "references"]

# Written by the engine with the id of whoever acts: a constraint would cost each write and never find anything.
UNCHECKED = ("created_by", "modified_by")


class Ddl:
    """Operations on the tables of one tenant; `names` are those of the version that is to be."""

    def __init__(self, connection: Connection, names: Names, plugins: Plugins) -> None:
        self.connection, self.names, self.plugins = connection, names, plugins
        self.is_inline = connection.dialect == "sqlite"  # foreign keys come with their column, else when all tables are
        self.operations = Operations(MigrationContext.configure(connection.sa))

    def create_table(self, definition: Object) -> None:
        columns = self.names.columns[definition.name]
        parts = [
            *system_columns(),
            *(self._column(columns[f.name], f) for f in definition.fields.values() if f.is_stored),
        ]
        if self.is_inline:
            for part in parts:
                field = SYSTEM_FIELDS.get(part.name)
                if field is not None and field.target and field.name not in UNCHECKED:
                    part.append_foreign_key(self._reference(field.target))
        self.operations.create_table(self.names.tables[definition.name], *parts)

    def add_column(self, object_name: str, field: Field) -> None:
        column = self._column(self.names.columns[object_name][field.name], field)
        self.operations.add_column(self.names.tables[object_name], column, inline_references=self.is_inline)

    def drop_column(self, table: str, column: str) -> None:
        self.operations.drop_column(table, column)

    def drop_table(self, table: str) -> None:
        self.operations.drop_table(table)

    def add_reference(self, table: str, column: str, target: str) -> None:
        """A no-op where the constraint came with the column."""
        if not self.is_inline:
            name = bounded("fk", table, column)
            self.operations.create_foreign_key(
                name, table, target, [column], ["id"], deferrable=True, initially="IMMEDIATE"
            )

    def drop_reference(self, table: str, column: str) -> None:
        if not self.is_inline:
            self.operations.drop_constraint(bounded("fk", table, column), table, type_="foreignkey")

    def create_index(self, index: Index) -> None:
        try:
            self.connection.run(text_of(index, self.connection.dialect))
        except psycopg.errors.ProgramLimitExceeded as error:
            # PostgreSQL indexes about 2,700 bytes of a value.
            raise BadInput(
                f"a value of {index.table} ({', '.join(index.columns)}) is too long for an index",
                code="publish.index.length",
                fix="shorten the value, or leave out 'index' and 'unique' of that field and the view's sort by it",
            ) from error

    def drop_index(self, index: Index) -> None:
        self.operations.drop_index(index.name, index.table)

    def _column(self, name: str, field: Field) -> sa.Column[object]:
        kind = self.plugins.fields[field.type]
        keys = [self._reference(field.target)] if kind.refers and self.is_inline else []
        return sa.Column(name, kind.column(field), *keys)

    def _reference(self, target: str) -> sa.ForeignKey:
        return sa.ForeignKey(f"{self.names.tables[target]}.id", deferrable=True, initially="IMMEDIATE")


@lru_cache(4096)
def text_of(index: Index, dialect: str) -> str:
    """What makes an index. Kept: each tenant has those of the system objects, and most have others in common."""
    is_inline = dialect == "sqlite"
    deleted_at: sa.ColumnClause[object] = sa.column("deleted_at")
    where = deleted_at.is_not(None) if index.is_of_trash else deleted_at.is_(None)
    more: dict[str, Any] = {"postgresql_nulls_not_distinct": True} if index.has_equal_blanks and not is_inline else {}
    made = SchemaObjects().index(
        index.name,
        index.table,
        [indexed(index, name, is_inline) for name in index.columns],
        unique=index.is_unique,
        sqlite_where=where,
        postgresql_where=where,
        **more,
    )
    return str(sa.schema.CreateIndex(made).compile(dialect=DIALECTS[dialect]))


def indexed(index: Index, name: str, is_inline: bool) -> str | sa.ColumnElement[object]:
    if index.has_equal_blanks and is_inline:
        return sa.func.coalesce(sa.column(name), sa.literal_column("''"))  # no value is an empty text
    return sa.func.lower(sa.column(name)) if name in index.folded else name


def references(definition: Object, names: Names, plugins: Plugins) -> Iterable[tuple[str, str]]:
    """(column, table that it refers to) of each constraint of an object's table."""
    columns = names.columns[definition.name]
    for name, field in SYSTEM_FIELDS.items():
        if field.target and name not in UNCHECKED:
            yield name, names.tables[field.target]
    for field in definition.fields.values():
        if field.is_stored and plugins.fields[field.type].refers:
            yield columns[field.name], names.tables[field.target]
