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
from pathlib import Path
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import LRUCache

from engine.errors import BadInput, Busy, WrongTenant
from engine.store.budget import Budget
from engine.store.connecting import connect_postgres, connect_sqlite
from engine.store.failures import BUSY_TIMEOUT_S, FAILURES, STATEMENT_TIMEOUT_S, busy, raise_told
from engine.store.sql import Compiled, compile_sql, dialect_for

__all__ = ["Compiled", "Connection", "Database", "compile_sql", "new_id"]

Dialect = Literal["sqlite", "postgresql"]

STEPS_BETWEEN_LOOKS = (
    50_000  # of a statement of SQLite, which asks us whether it takes too long; PostgreSQL watches itself
)
IDLE_CONNECTIONS = 8
SCHEMA_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
IDLE = psycopg.pq.TransactionStatus.IDLE
COMPILED: LRUCache[Any, Any] = LRUCache(2000)  # what SQLAlchemy compiled; names no schema, so all tenants share it


class Connection:
    """One connection, borrowed. `sql` is as compile_sql makes it: ? on SQLite, %s on PostgreSQL."""

    __slots__ = (
        "_database",
        "_deadline_s",
        "_is_patient",
        "_sa",
        "afterwards",
        "chain",
        "cursor",
        "dialect",
        "exempt",
        "notes",
        "raw",
        "reckoned",
        "saving",
        "wakes",
    )

    def __init__(self, database: "Database", raw: Any) -> None:
        self._database, self.raw, self.dialect = database, raw, database.dialect
        self.cursor: Any = raw.cursor()
        self._sa: sa.Connection | None = None
        self._deadline_s, self._is_patient = math.inf, False
        if self.dialect == "sqlite":
            raw.set_progress_handler(self._is_overdue, STEPS_BETWEEN_LOOKS)
        self.notes: list[Any] = []  # what this transaction is to leave in the audit log: engine/audit
        self.exempt: tuple[Any, ...] = ()  # what may be written although it is locked: engine/store/rows_locks.py
        self.reckoned: dict[tuple[str, str], dict[str, Any]] = {}
        """(object, record) -> roll-ups over its lines as they were: of those that what follows a save asks about"""
        self.saving: Any = None  # what the save that it is at has set off: engine/process/automation/saving.py
        self.chain: Any = None  # the audit log's that this connection writes, as it was last committed
        self.afterwards: dict[Any, Callable[[], None]] = {}  # what is done once the transaction has ended, either way
        self.wakes = False  # whether this transaction leaves work for later: engine/jobs

    def need(self, database: "Database") -> None:
        """Raises WrongTenant on a connection of another database: what is run for one tenant is for no other."""
        if self._database is not database and self._database.place != database.place:
            raise WrongTenant(f"the connection is bound to {self._database.schema}, not to {database.schema}")

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
        self.saving, self.reckoned = None, {}
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
        is_file = self.dialect == "postgresql" or url.database not in (None, "", ":memory:")
        self.place: tuple[Any, ...] = (url, schema) if is_file else (id(self),)  # what tells one storage from others
        self.keep_notes: Callable[[Connection], Any] = lambda connection: connection.chain
        """Called at the end of a transaction with notes; returns what is the connection's chain once it is committed"""
        self.wake: Callable[[], None] = lambda: None  # called after a transaction that left work for later
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
        except FAILURES as error:
            raise_told(error)
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
        afterwards: dict[Any, Callable[[], None]] = {}
        try:
            connection = self._take()
            try:
                connection.cursor.execute("BEGIN IMMEDIATE")
                yield connection
                chain = self.keep_notes(connection) if connection.notes else connection.chain
                connection.cursor.execute("COMMIT")
                connection.chain = chain
                if connection.wakes:
                    self.wake()
            except FAILURES as error:
                raise_told(error)
            finally:
                if connection.raw.in_transaction:
                    connection.cursor.execute("ROLLBACK")
                afterwards = connection.afterwards
                self._give_back(connection)
        finally:
            self._writer.release()
            for done in afterwards.values():
                done()

    @contextmanager
    def _write_postgres(self) -> Iterator[Connection]:
        connection = self._take()
        try:
            connection.cursor.execute("BEGIN")
            yield connection
            chain = self.keep_notes(connection) if connection.notes else connection.chain
            connection.cursor.execute("COMMIT")
            connection.chain = chain
            if connection.wakes:
                self.wake()
        except FAILURES as error:
            raise_told(error)
        finally:
            if not connection.raw.closed and connection.raw.info.transaction_status != IDLE:
                connection.cursor.execute("ROLLBACK")
            afterwards = connection.afterwards
            self._give_back(connection)
            for done in afterwards.values():
                done()

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
        host = "" if self.dialect == "sqlite" else str(self.url.query.get("host") or self.url.host)
        dialect = dialect_for(self.dialect, host, self.url.port)
        pool = StaticPool(lambda: raw, reset_on_return=None, dialect=dialect)
        engine = sa.Engine(pool, dialect, self.url, execution_options={"compiled_cache": COMPILED})
        connection = engine.connect()
        if dialect.server_version_info is None:
            dialect.initialize(connection)
        return connection

    def _take(self) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if self.budget is not None:
                self.budget.taken(connection)
            if self.dialect == "sqlite" or not connection.raw.closed:
                connection.need(self)
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
        connection.need(self)
        connection.end_of_use()
        connection.notes.clear()
        connection.afterwards = {}
        connection.wakes = False
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
            return (
                connect_sqlite(self.url, self.functions)
                if self.dialect == "sqlite"
                else connect_postgres(self.url, self.schema)
            )
        except (OSError, sqlite3.DatabaseError, psycopg.Error) as error:
            # Where it is and why is not for everybody's eyes: whoever may know reads the cause.
            raise Busy("the database cannot be opened", code="database.unreachable") from error


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
