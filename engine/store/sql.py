"""SQL text: the two dialects, with every name quoted, and statements compiled once. Opens no connection."""

import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGIdentifierPreparer_psycopg
from sqlalchemy.dialects.sqlite.base import SQLiteDDLCompiler, SQLiteIdentifierPreparer
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

__all__ = ["DIALECTS", "Compiled", "PostgresDialect", "SQLiteDialect", "compile_sql",
           "dialect_for"]  # fmt: skip

# SQLAlchemy takes some 25 calls for each level of a formula, of which there may be 50. A call of Python's own needs no
# room on the stack. For all, once: set and reset around a statement, it would be reset below another thread.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))


class SQLiteNames(SQLiteIdentifierPreparer):
    # SQLite takes an unknown "name" for a text, but never an unknown `name`.
    def __init__(self, dialect: Any, **options: Any) -> None:
        super().__init__(dialect, initial_quote="`", escape_quote="`", **options)

    def _requires_quotes(self, value: str) -> bool:
        return True


class PostgresNames(PGIdentifierPreparer_psycopg):
    def _requires_quotes(self, value: str) -> bool:
        return True


class SQLiteDdl(SQLiteDDLCompiler):
    """Foreign keys stand with their columns: ALTER TABLE can drop such a column, but none that a table's key names."""

    def visit_create_column(self, create: Any, first_pk: bool = False, **more: Any) -> Any:
        text = super().visit_create_column(create, first_pk, **more)  # type: ignore[no-untyped-call]
        for key in create.element.foreign_keys:
            table, _, column = key.target_fullname.rpartition(".")
            text += f" REFERENCES {self.preparer.quote(table)} ({self.preparer.quote(column)})"
            text += self.define_constraint_deferrability(key.constraint)
        return text

    def visit_foreign_key_constraint(self, constraint: Any, **more: Any) -> Any:
        return None


class SQLiteDialect(SQLiteDialect_pysqlite):
    supports_statement_cache = True
    ddl_compiler = SQLiteDdl
    preparer = SQLiteNames  # type: ignore[assignment]

    def do_begin(self, dbapi_connection: Any) -> None: ...

    # Connection.sa works inside a transaction that is not its own.
    do_commit = do_rollback = do_begin


class PostgresDialect(PGDialect_psycopg):
    supports_statement_cache = True
    preparer = PostgresNames

    def do_begin(self, dbapi_connection: Any) -> None: ...

    do_commit = do_rollback = do_begin


DIALECTS: Mapping[str, sa.Dialect] = {
    "sqlite": SQLiteDialect(dbapi=sqlite3),
    "postgresql": PostgresDialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}


@cache
def dialect_for(kind: str, host: str = "", port: int | None = None) -> sa.Dialect:
    """One for all databases of a server: it asks once what that can do."""
    if kind == "sqlite":
        return SQLiteDialect(dbapi=sqlite3)
    return PostgresDialect(dbapi=psycopg)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Compiled:
    """SQL text, kept, and how to give it values."""

    sql: str
    keys: tuple[str, ...]  # values that `bind` needs, by name
    bind: Callable[[Mapping[str, Any]], tuple[Any, ...]]  # values by name -> what Connection.rows and .run take


def compile_sql(statement: sa.Executable, dialect: str, columns: Sequence[str] | None = None) -> Compiled:
    """SQL for a statement's bindparams; `columns` are the keys that a plain insert or update sets.

    Constants, lists in `in_` too, become fixed parameters. A list that comes with each call is to be written otherwise.
    """
    kind = DIALECTS[dialect]
    compiled: Any = statement.compile(dialect=kind, column_keys=columns)  # type: ignore[attr-defined]
    known = {name: bind.effective_value for name, bind in compiled.binds.items()}
    needed = {name for name, bind in compiled.binds.items() if bind.required or (columns and name in columns)}
    if compiled.post_compile_params or compiled.literal_execute_params:
        state = compiled.construct_expanded_state(known)
        sql, names = state.statement, state.positiontup
        known |= state.additional_parameters
        processors = compiled._bind_processors | state.processors
    else:
        sql, names, processors = compiled.string, compiled.positiontup or [], compiled._bind_processors
    slots = [slot(name, name in needed, known[name], processors.get(name)) for name in names]
    return Compiled(sql, tuple(dict.fromkeys(name for name in names if name in needed)), binder(slots))


Slot = tuple[str | None, Any, Callable[[Any], Any] | None]


def slot(name: str, is_needed: bool, value: Any, process: Callable[[Any], Any] | None) -> Slot:
    if is_needed:
        return name, None, process
    return None, process(value) if process else value, None


def binder(slots: Sequence[Slot]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if not any(name for name, _, _ in slots):
        fixed = tuple(value for _, value, _ in slots)
        return lambda values: fixed

    def bind(values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(
            [
                fixed if name is None else process(values[name]) if process else values[name]
                for name, fixed, process in slots
            ]
        )

    return bind
