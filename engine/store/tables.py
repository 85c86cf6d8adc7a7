"""Turn definitions into SQLAlchemy tables, one by one as they are asked for. Opens no connection."""

import threading
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from engine.registry import Plugins
from engine.store.names import Names
from engine.store.types import DateTime, Id, Integer
from metadata.model import Definitions, Field

__all__ = ["Physical", "system_columns"]


class Physical:
    """The tables of one version. `table(o).c` is keyed by field names; the columns' `.name` is the physical name."""

    def __init__(self, definitions: Definitions, names: Names, plugins: Plugins) -> None:
        self.definitions, self.names, self.plugins = definitions, names, plugins
        self._tables: dict[str, sa.Table] = {}
        self._lock = threading.Lock()
        self._schema = sa.MetaData()

    def table(self, object_name: str) -> sa.Table:
        """Raises KeyError for an object that is not defined."""
        found = self._tables.get(object_name)
        if found is None:
            with self._lock:
                found = self._tables.get(object_name)
                if found is None:
                    found = self._tables[object_name] = self._make(object_name)
        return found

    def column(self, object_name: str, field_name: str) -> sa.Column[Any]:
        """Also of the system fields and of `deleted_at`. Raises KeyError for a field that has no column."""
        return self.table(object_name).c[field_name]

    def value_type(self, object_name: str, field_name: str) -> sa.types.TypeEngine[Any]:
        """The type of a field's values, whether it has a column or not."""
        field = self.definitions.objects[object_name].fields.get(field_name)
        if field is not None and not field.is_stored:
            return self.type_of(field)
        return self.column(object_name, field_name).type

    def type_of(self, field: Field) -> sa.types.TypeEngine[Any]:
        return self.plugins.fields[field.type].column(field)

    def _make(self, object_name: str) -> sa.Table:
        definition = self.definitions.objects[object_name]
        columns = self.names.columns[object_name]
        stored = (
            sa.Column(columns[name], self.type_of(field), key=name)
            for name, field in definition.fields.items()
            if field.is_stored
        )
        return sa.Table(self.names.tables[object_name], self._schema, *system_columns(), *stored)


def system_columns() -> Iterator[sa.Column[Any]]:
    yield sa.Column("id", Id, primary_key=True)
    yield sa.Column("owner", Id)
    yield sa.Column("created_at", DateTime, nullable=False)
    yield sa.Column("created_by", Id)
    yield sa.Column("modified_at", DateTime, nullable=False)
    yield sa.Column("modified_by", Id)
    yield sa.Column("version", Integer, nullable=False)
    yield sa.Column("deleted_at", DateTime)
