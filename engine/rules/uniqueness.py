"""Which fields a database's refusal is about."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from engine.errors import Conflict, InputProblem
from engine.snapshot import Snapshot
from engine.store.names import bounded

__all__ = ["as_conflicts", "is_violation"]

VIOLATIONS = (sqlite3.IntegrityError, psycopg.errors.IntegrityError)
SQLITE_COLUMNS = re.compile(r"UNIQUE constraint failed: (.+)")


@contextmanager
def as_conflicts(snapshot: Snapshot, object_name: str) -> Iterator[None]:
    """A violated uniqueness or reference raises Conflict, with a problem at each of its fields."""
    try:
        yield
    except VIOLATIONS as error:
        raise _conflict(snapshot, object_name, error) from error


def is_violation(error: BaseException) -> bool:
    return isinstance(error, VIOLATIONS)


def _conflict(snapshot: Snapshot, object_name: str, error: Exception) -> Conflict:
    names = _fields(snapshot, object_name, error)
    if not names:
        return Conflict(
            "a record that this one refers to was removed meanwhile", code="reference.gone", fix="load it again"
        )
    quoted = " and ".join(f"'{name}'" for name in names)
    message = f"another {object_name} has the same {quoted}"
    problems = [
        InputProblem(name, "value.unique", message, "choose another value", (("name", name),)) for name in names
    ]
    return Conflict(message, code="value.unique", fix="choose another value", problems=problems)


def _fields(snapshot: Snapshot, object_name: str, error: Exception) -> tuple[str, ...]:
    columns = snapshot.physical.names.columns[object_name]
    if isinstance(error, psycopg.errors.UniqueViolation):
        definition = snapshot.definitions.objects[object_name]
        table = snapshot.physical.names.tables[object_name]
        groups = [*((name,) for name in definition.fields), *definition.unique]
        by_index = {bounded("ux", table, *(columns[name] for name in group)): group for group in groups}
        return by_index.get(error.diag.constraint_name or "", ())
    found = SQLITE_COLUMNS.search(str(error))
    if found is None:
        return ()
    fields = {column: name for name, column in columns.items()}
    named = (part.split(".")[-1] for part in found[1].split(", "))
    return tuple(fields[column] for column in named if column in fields)
