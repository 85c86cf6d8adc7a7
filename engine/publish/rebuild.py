"""The tables of a version as a publish would have made them, in an empty storage, under the names they have already."""

from collections.abc import Callable

from engine.publish.ddl import Ddl, references
from engine.publish.migration import first_sort, indexes
from engine.snapshot import Snapshot
from engine.store.database import Connection

__all__ = ["rebuild"]


def rebuild(connection: Connection, snapshot: Snapshot, fill: Callable[[], None]) -> None:
    """Make the tables, `fill()` them, then add what constrains and finds their rows, in the caller's transaction."""
    definitions, names, plugins = snapshot.definitions, snapshot.physical.names, snapshot.plugins
    ddl = Ddl(connection, names, plugins)
    for definition in definitions.objects.values():
        ddl.create_table(definition)
    fill()
    for definition in definitions.objects.values():
        for column, target in references(definition, names, plugins):
            ddl.add_reference(names.tables[definition.name], column, target)
    for name, definition in definitions.objects.items():
        for index in sorted(indexes(definition, names, plugins, first_sort(definitions, name))):
            ddl.create_index(index)
