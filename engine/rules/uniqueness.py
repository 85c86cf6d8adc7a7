"""Which fields a database's refusal is about."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from engine.errors import BadInput, Conflict, InputProblem
from engine.snapshot import Snapshot
from engine.store.names import bounded

__all__ = ["as_conflicts", "is_violation"]

VIOLATIONS = (sqlite3.IntegrityError, psycopg.errors.IntegrityError)
SQLITE_COLUMNS = re.compile(r"UNIQUE constraint failed: (.+)")
SQLITE_INDEX = re.compile(r"UNIQUE constraint failed: index '(.+)'")


@contextmanager
def as_conflicts(snapshot: Snapshot, object_name: str) -> Iterator[None]:
    """A violated uniqueness or reference raises Conflict, with a problem at each of its fields; BadInput is raised
    for values that PostgreSQL cannot index: it takes 2,704 bytes of an index's fields together."""
    try:
        yield
    except psycopg.errors.ProgramLimitExceeded as error:
        raise _too_long(snapshot, object_name, error) from error
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


def _too_long(snapshot: Snapshot, object_name: str, error: psycopg.errors.ProgramLimitExceeded) -> BadInput:
    names = _indexed(snapshot, object_name, error.diag.constraint_name or "")
    fields = snapshot.definitions.objects[object_name].fields.values()
    # Above 8 KB PostgreSQL does not say which index it is.
    candidates = [field.name for field in fields if (field.is_unique or field.is_indexed) and field.value == "text"]
    quoted = " and ".join(f"'{name}'" for name in names) or " or ".join(f"'{name}'" for name in candidates)
    message = f"the value of {quoted} is too long for the index on it"
    fix = "write less than 600 characters"
    problems = [InputProblem(name, "value.index.length", message, fix, (("name", name),)) for name in names or [""]]
    return BadInput(message, code="value.index.length", fix=fix, problems=problems)


def _indexed(snapshot: Snapshot, object_name: str, index: str) -> tuple[str, ...]:
    """The fields of an index by its name."""
    definition = snapshot.definitions.objects[object_name]
    columns = snapshot.physical.names.columns[object_name]
    table = snapshot.physical.names.tables[object_name]
    groups = [
        *((name,) for name in definition.fields), *definition.unique, *definition.unique_with_blank,
        *definition.indexes,
    ]  # fmt: skip
    for group in groups:
        parts = [columns.get(name, name) for name in group]
        folded = [f"lower_{part}" for part in parts]
        plain = (bounded("ix", table, *some, "id") for some in (parts, folded))
        if index in (bounded("ux", table, *parts), bounded("ub", table, *parts), *plain):
            return tuple(group)
    return ()


def _fields(snapshot: Snapshot, object_name: str, error: Exception) -> tuple[str, ...]:
    columns = snapshot.physical.names.columns[object_name]
    if isinstance(error, psycopg.errors.UniqueViolation):
        return _indexed(snapshot, object_name, error.diag.constraint_name or "")
    if (index := SQLITE_INDEX.search(str(error))) is not None:
        return _indexed(snapshot, object_name, index[1])
    found = SQLITE_COLUMNS.search(str(error))
    if found is None:
        return ()
    fields = {column: name for name, column in columns.items()}
    named = (part.split(".")[-1] for part in found[1].split(", "))
    return tuple(fields[column] for column in named if column in fields)
