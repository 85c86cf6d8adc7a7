"""Rows of a tenant's tables as text and back, the same for both databases. Every value is as SQLite stores it."""

import base64
import decimal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from engine.errors import BadInput
from engine.snapshot import Snapshot
from engine.store import system
from engine.store.database import Connection, compile_sql
from engine.store.system_runs import hook
from engine.store.types import Secret, StoredType

__all__ = ["Line", "insert", "lines_of", "tables_of"]

Line = bytes
Convert = Callable[[Any], Any]

FETCHED = 1000
INSERTED = 500
SEALED = (system.totp.c.secret, hook.c.secret)  # the engine's own, stored as those of records are
BINARY, EXACT = "b", "d"  # {"b": base64}, {"d": "1.005"}: what JSON has no form for


def tables_of(snapshot: Snapshot) -> list[sa.Table]:
    """The engine's own tables and those of the definitions, each after those that its constraints refer to at once."""
    own = [table for table in system.TABLES.sorted_tables if table.name != system.state.name]
    return [*own, *(snapshot.physical.table(name) for name in snapshot.definitions.objects)]


def lines_of(connection: Connection, table: sa.Table, keys: set[str]) -> Iterator[Line]:
    """A table's rows as JSON arrays. The ids of keys that its secrets are encrypted with are added to `keys`."""
    columns = list(table.columns)
    converts = [to_text(column.type, connection.dialect) for column in columns]
    is_secret = [isinstance(column.type, Secret) or any(column is one for one in SEALED) for column in columns]
    statement = compile_sql(sa.select(*columns), connection.dialect)
    cursor = (
        connection.raw.cursor(name="fieldstone_backup")
        if connection.dialect == "postgresql"
        else connection.raw.cursor()
    )
    try:
        cursor.execute(statement.sql)
        while rows := cursor.fetchmany(FETCHED):
            for row in rows:
                values = [
                    convert(value) if convert and value is not None else value
                    for convert, value in zip(converts, row, strict=True)
                ]
                for value, secret in zip(values, is_secret, strict=True):
                    if secret and value is not None:
                        keys.add(value.split(".", 2)[1])
                yield orjson.dumps(values)
    finally:
        cursor.close()


def insert(connection: Connection, table: sa.Table, names: Sequence[str], lines: Iterator[Line]) -> int:
    """Write rows that hold the columns `names`; how many. Raises BadInput for what is no row of this table."""
    known = {column.name: column for column in table.columns}
    if unknown := sorted(set(names) - known.keys()):
        message = f"the backup has a column {unknown[0]} of {table.name}, which is not known here"
        raise BadInput(message, code="backup.column", fix="restore it with the release that made it, or a later one")
    columns = [known[name] for name in names]
    if not columns:
        return 0
    if missing := [column.name for column in table.primary_key if column not in columns]:
        raise BadInput(f"the backup has no column {missing[0]} of {table.name}", code="backup.column")
    converts = [from_text(column.type, connection.dialect) for column in columns]
    statement = compile_sql(
        sa.insert(table).values({column: sa.bindparam(f"v{n}") for n, column in enumerate(columns)}),
        connection.dialect,
    )
    order = [int(key[1:]) for key in statement.keys]
    count, waiting = 0, []
    for line in lines:
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadInput(f"a row of {table.name} cannot be read", code="backup.row") from error
        if not isinstance(values, list) or len(values) != len(columns):
            raise BadInput(f"a row of {table.name} has not {len(columns)} values", code="backup.row")
        try:
            row = [
                convert(value) if convert and value is not None else value
                for convert, value in zip(converts, values, strict=True)
            ]
        except (ValueError, TypeError, KeyError, decimal.InvalidOperation) as error:
            raise BadInput(f"a row of {table.name} has a value that is none", code="backup.row") from error
        waiting.append([row[n] for n in order])
        count += 1
        if len(waiting) == INSERTED:
            connection.run_many(statement.sql, waiting)
            waiting = []
    if waiting:
        connection.run_many(statement.sql, waiting)
    return count


def to_text(kind: sa.types.TypeEngine[Any], dialect: str) -> Convert | None:
    """What the driver gives -> plain JSON."""
    if not isinstance(kind, StoredType):
        return binary_text if isinstance(kind, sa.LargeBinary) else None
    if dialect == "sqlite":
        return None
    load, dump = kind.loader(dialect), kind.dumper("sqlite")

    def convert(value: Any) -> Any:
        stored = load(value) if load else value
        plain = dump(stored) if dump else stored
        # A number with more places than its column has: SQLite would round it.
        return {EXACT: str(stored)} if isinstance(plain, float) and isinstance(stored, decimal.Decimal) else plain

    return convert if load or dump else None


def from_text(kind: sa.types.TypeEngine[Any], dialect: str) -> Convert | None:
    """Plain JSON -> what the driver is given."""
    if not isinstance(kind, StoredType):
        return (
            (lambda value: base64.b64decode(value[BINARY], validate=True)) if isinstance(kind, sa.LargeBinary) else None
        )
    load, dump = kind.loader("sqlite"), kind.dumper(dialect)

    def convert(value: Any) -> Any:
        if isinstance(value, dict):
            stored: Any = decimal.Decimal(value[EXACT])
        elif dialect == "sqlite":
            return value
        else:
            stored = load(value) if load else value
        return dump(stored) if dump else stored

    return convert


def binary_text(value: Any) -> dict[str, str]:
    return {BINARY: base64.b64encode(bytes(value)).decode()}
