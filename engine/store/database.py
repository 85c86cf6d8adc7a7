"""Connections to one tenant's storage. Nothing else opens one."""

import math
import os
import re
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from psycopg.types.string import TextLoader
from sqlalchemy.pool import StaticPool

from engine.errors import BadInput, Busy
from engine.store import sqlite_functions
from engine.store.budget import Budget
from engine.store.sql import DIALECTS, Compiled, PostgresDialect, SQLiteDialect, compile_sql

__all__ = ["Compiled", "Connection", "Database", "compile_sql", "is_schema_changed", "new_id"]

Dialect = Literal["sqlite", "postgresql"]

BUSY_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 30  # of one statement; PostgreSQL watches itself, SQLite asks us after so many of its steps
STEPS_BETWEEN_LOOKS = 50_000
IDLE_CONNECTIONS = 8
SCHEMA_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
IDLE = psycopg.pq.TransactionStatus.IDLE
MISSING = re.compile(r"no such (column|table)|has no column named")


class Connection:
    """One connection, borrowed. `sql` is as compile_sql makes it: ? on SQLite, %s on PostgreSQL."""

    __slots__ = ("_database", "_deadline_s", "_is_patient", "_sa", "chain", "cursor", "dialect", "notes", "raw")

    def __init__(self, database: "Database", raw: Any) -> None:
        self._database, self.raw, self.dialect = database, raw, database.dialect
        self.cursor: Any = raw.cursor()
        self._sa: sa.Connection | None = None
        self._deadline_s, self._is_patient = math.inf, False
        if self.dialect == "sqlite":
            raw.set_progress_handler(self._is_overdue, STEPS_BETWEEN_LOOKS)
        self.notes: list[Any] = []  # what this transaction is to leave in the audit log: engine/audit
        self.chain: Any = None  # the audit log's that this connection writes, as it was last committed

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self.cursor
        if self.dialect != "sqlite" or self._is_patient:
            cursor.execute(sql, params)
            return cursor.fetchall()  # type: ignore[no-any-return]
        self._deadline_s = time.monotonic() + STATEMENT_TIMEOUT_S
        try:
            cursor.execute(sql, params)
            return cursor.fetchall()  # type: ignore[no-any-return]
        finally:
            self._deadline_s = math.inf

    def be_patient(self) -> None:
        """Statements may take as long as they need, until the end of this use: for publishing, backups and the like."""
        self._is_patient = True
        if self.dialect == "postgresql":
            self.run("SET LOCAL statement_timeout = 0")

    def _is_overdue(self) -> bool:
        return time.monotonic() > self._deadline_s

    def rows_planned(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The same, planned for these very values. PostgreSQL else keeps one plan for all values after a few runs.

        Measured: sums over three quarters of 100,000 rows took twice as long with the kept plan, which used an index.
        """
        if self.dialect == "sqlite":
            return self.rows(sql, params)
        cursor = self.cursor
        cursor.execute(sql, params, prepare=False)
        return cursor.fetchall()  # type: ignore[no-any-return]

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """How many rows it changed."""
        cursor = self.cursor
        cursor.execute(sql, params)
        return cursor.rowcount  # type: ignore[no-any-return]

    def run_many(self, sql: str, params: Sequence[Sequence[Any]]) -> int:
        cursor = self.cursor
        cursor.executemany(sql, params)
        return cursor.rowcount  # type: ignore[no-any-return]

    def defer_references(self) -> None:
        """Check foreign keys at the end of this transaction, not after each statement."""
        self.run("PRAGMA defer_foreign_keys = ON" if self.dialect == "sqlite" else "SET CONSTRAINTS ALL DEFERRED")

    @property
    def sa(self) -> sa.Connection:
        """The same connection, in the same transaction, for SQLAlchemy's statements and Alembic's operations."""
        if self._sa is None:
            self._sa = self._database.wrap(self.raw)
        return self._sa

    def end_of_use(self) -> None:
        self._is_patient = False
        if self._sa is not None and self._sa.in_transaction():
            self._sa.rollback()  # SQLAlchemy's notion of a transaction only: the dialects above send nothing


class Joined(threading.local):
    """The transaction that this thread has opened by Database.together."""

    connection: Connection | None = None


class Database:
    """One tenant's storage: an SQLite file, or a schema of a PostgreSQL database. Used from several threads."""

    def __init__(self, url: sa.URL, schema: str) -> None:
        self.url, self.schema = url, schema
        self.dialect: Dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self.keep_notes: Callable[[Connection], Any] = lambda connection: connection.chain
        """Called at the end of a transaction with notes; returns what is the connection's chain once it is committed"""
        self.functions: dict[str, Callable[..., Any]] = {}  # that SQLite may call, by name; classes are aggregates
        self._idle: deque[Connection] = deque()
        self._writer = threading.Lock()  # SQLite has one writer: a lock is fair, its busy handler only polls
        self._lock = threading.Lock()
        self._joined = Joined()
        self._is_closed = False
        self.budget: Budget | None = None  # shared with the other databases of a process that has many

    @classmethod
    def open(cls, url: str, *, schema: str = "public") -> "Database":
        """Raises BadInput for a URL that is neither sqlite:/// nor postgresql://. Connects only when it is used."""
        try:
            parsed = sa.make_url(url)
        except (sa.exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
            raise BadInput(
                f"'{url}' is not a database URL", code="database.url", fix="write sqlite:///crm.db?"
            ) from error
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            hidden = parsed.render_as_string(hide_password=True)
            raise BadInput(
                f"'{hidden}' is not on SQLite or PostgreSQL", code="database.url", fix="write sqlite:///crm.db?"
            )
        if not SCHEMA_NAME.match(schema):
            raise BadInput(f"'{schema}' is not a schema name", code="database.schema")
        return cls(parsed, schema)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Each statement by itself, without BEGIN and ROLLBACK around it."""
        if self._joined.connection is not None:
            yield self._joined.connection
            return
        connection = self._take()
        try:
            yield connection
        except psycopg.errors.QueryCanceled as error:
            raise too_slow() from error
        except sqlite3.DataError as error:
            raise too_long(error) from error
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise too_slow() from error
            raise
        finally:
            self._give_back(connection)

    @contextmanager
    def together(self) -> Iterator[Connection]:
        """A transaction that each `write` and `read` of this thread joins until it ends."""
        outer = self._joined.connection
        with self.write() as connection:
            self._joined.connection = connection
            try:
                yield connection
            finally:
                self._joined.connection = outer

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction: committed at the end, rolled back on any exception. Raises Busy if others hold on too long."""
        if self._joined.connection is not None:
            return nullcontext(self._joined.connection)
        return self._write_sqlite() if self.dialect == "sqlite" else self._write_postgres()

    @contextmanager
    def _write_sqlite(self) -> Iterator[Connection]:
        if not self._writer.acquire(timeout=BUSY_TIMEOUT_S):
            raise busy()
        try:
            connection = self._take()
            try:
                connection.cursor.execute("BEGIN IMMEDIATE")
                yield connection
                chain = self.keep_notes(connection) if connection.notes else connection.chain
                connection.cursor.execute("COMMIT")
                connection.chain = chain
            except sqlite3.DataError as error:
                raise too_long(error) from error
            except sqlite3.OperationalError as error:
                if "locked" in str(error):
                    raise busy() from error
                if "interrupted" in str(error):
                    raise too_slow() from error
                raise
            finally:
                if connection.raw.in_transaction:
                    connection.cursor.execute("ROLLBACK")
                self._give_back(connection)
        finally:
            self._writer.release()

    @contextmanager
    def _write_postgres(self) -> Iterator[Connection]:
        connection = self._take()
        try:
            connection.cursor.execute("BEGIN")
            yield connection
            chain = self.keep_notes(connection) if connection.notes else connection.chain
            connection.cursor.execute("COMMIT")
            connection.chain = chain
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            raise busy() from error
        except psycopg.errors.QueryCanceled as error:
            raise too_slow() from error
        finally:
            if not connection.raw.closed and connection.raw.info.transaction_status != IDLE:
                connection.cursor.execute("ROLLBACK")
            self._give_back(connection)

    @contextmanager
    def steady(self) -> Iterator[Connection]:
        """All reads see the database as it was at the first of them, for as long as it takes. Writes nothing."""
        connection = self._take()
        try:
            if self.dialect == "sqlite":
                connection.run("BEGIN")
                connection.be_patient()
            else:
                connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                connection.be_patient()
                connection.run("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection
        finally:
            if self.dialect == "sqlite" or not connection.raw.closed:
                connection.cursor.close()
                connection.cursor = connection.raw.cursor()
                connection.run("ROLLBACK")
            self._give_back(connection)

    @property
    def is_absent(self) -> bool:
        """Whether using it would create its file."""
        return self.dialect == "sqlite" and bool(self.url.database) and not Path(str(self.url.database)).exists()

    def close(self) -> None:
        """Connections in use are closed when they are given back."""
        self._is_closed = True
        self._close_idle()

    def forget(self, connection: Connection) -> bool:
        """Close an idle connection; False where another thread was faster and uses it."""
        try:
            self._idle.remove(connection)
        except (ValueError, IndexError):
            return False
        connection.raw.close()
        return True

    def _close_idle(self) -> None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if self.budget is not None:
                self.budget.gone(connection)
            connection.raw.close()

    def wrap(self, raw: Any) -> sa.Connection:
        dialect = self._dialect
        pool = StaticPool(lambda: raw, reset_on_return=None, dialect=dialect)
        connection = sa.Engine(pool, dialect, self.url).connect()
        if dialect.server_version_info is None:
            dialect.initialize(connection)
        return connection

    @cached_property
    def _dialect(self) -> sa.Dialect:
        if self.dialect == "sqlite":
            return SQLiteDialect(dbapi=sqlite3)
        return PostgresDialect(dbapi=psycopg)  # type: ignore[no-untyped-call]

    def _take(self) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if self.budget is not None:
                self.budget.taken(connection)
            if self.dialect == "sqlite" or not connection.raw.closed:
                return connection
            if self.budget is not None:
                self.budget.ended()
        if self.budget is None:
            return Connection(self, self._connect())
        self.budget.begun()
        try:
            return Connection(self, self._connect())
        except BaseException:
            self.budget.ended()
            raise

    def _give_back(self, connection: Connection) -> None:
        connection.end_of_use()
        connection.notes.clear()
        if self.dialect == "postgresql" and connection.raw.closed:
            self._close_idle()  # the server went away: so did the others
        elif len(self._idle) < IDLE_CONNECTIONS and not self._is_closed:
            self._idle.append(connection)  # first: the budget may close only what it finds there
            if self.budget is not None:
                self.budget.kept(self, connection)
            return
        else:
            connection.raw.close()
        if self.budget is not None:
            self.budget.ended()

    def _connect(self) -> Any:
        try:
            return self._connect_sqlite() if self.dialect == "sqlite" else self._connect_postgres()
        except (OSError, sqlite3.DatabaseError, psycopg.Error) as error:
            # Where it is and why is not for everybody's eyes: whoever may know reads the cause.
            raise Busy("the database cannot be opened", code="database.unreachable") from error

    def _connect_sqlite(self) -> sqlite3.Connection:
        path = self.url.database or ":memory:"
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        # isolation_level None: Python's own transaction mode does not cover DDL.
        raw = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "temp_store = MEMORY",
                       "cache_size = -16000", "mmap_size = 268435456", "trusted_schema = OFF"):  # fmt: skip
            raw.execute(f"PRAGMA {pragma}")
        sqlite_functions.register(raw)
        for name, function in self.functions.items():
            if isinstance(function, type):
                raw.create_aggregate(name, -1, function)
            else:
                raw.create_function(name, -1, function, deterministic=True)
        return raw

    def _connect_postgres(self) -> psycopg.Connection[Any]:
        _, options = DIALECTS["postgresql"].create_connect_args(self.url)
        raw = psycopg.connect(**options, autocommit=True, prepare_threshold=2, client_encoding="utf8")
        raw.prepared_max = 500
        raw.adapters.register_loader("uuid", TextLoader)
        settings = {
            "search_path": self.schema, "timezone": "UTC", "lock_timeout": f"{BUSY_TIMEOUT_S}s",
            "statement_timeout": f"{STATEMENT_TIMEOUT_S}s", "idle_in_transaction_session_timeout": "300s",
        }  # fmt: skip
        names = ", ".join(["set_config(%s, %s, false)"] * len(settings))
        found = raw.execute(f"SELECT {names}", [part for pair in settings.items() for part in pair], prepare=False)
        if (row := found.fetchone()) is None or row[0] != self.schema:
            raw.close()
            raise psycopg.OperationalError(f"the connection is not bound to the schema '{self.schema}'")
        return raw


def busy() -> Busy:
    return Busy(f"others kept the database busy for {BUSY_TIMEOUT_S} seconds", fix="try again")


def too_slow() -> Busy:
    return Busy(
        f"the database took longer than {STATEMENT_TIMEOUT_S} seconds", code="database.too_slow", fix="ask for less"
    )


def too_long(error: sqlite3.DataError) -> Exception:
    """A function of Python's that SQLite called gave up with an OverflowError; other errors stay as they are."""
    if "too big" not in str(error):
        return error
    message = "a formula reads and makes too much text"
    return BadInput(message, code="formula.limit", fix="shorten the texts, or do less with them")


def is_schema_changed(error: BaseException) -> bool:
    """Whether a statement failed because a publish removed what it names: one more try on the new version may do."""
    cause: BaseException | None = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.OperationalError):
        return MISSING.search(str(cause)) is not None
    if isinstance(cause, psycopg.errors.FeatureNotSupported):
        return "cached plan" in str(cause)
    return isinstance(cause, psycopg.errors.UndefinedColumn | psycopg.errors.UndefinedTable)


class IdClock:
    """UUIDs of version 7 (RFC 9562, 5.7), each later than the last: milliseconds, a 12-bit counter, 62 random bits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self, now: datetime | None = None) -> str:
        milliseconds = int(time.time() * 1000) if now is None else int(now.timestamp() * 1000)
        random = int.from_bytes(os.urandom(9), "big")
        with self._lock:
            # The counter starts in its lower half: thousands fit into one millisecond before it borrows the next.
            self._last = max(self._last + 1, milliseconds << 12 | random >> 61)
            last = self._last
        number = last >> 12 << 80 | 7 << 76 | (last & 0xFFF) << 64 | 2 << 62 | random & (1 << 62) - 1
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


new_id = IdClock()
