"""Connections as the drivers have them, set up as all of them are. Only a Database opens one."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.types.string import TextLoader

from engine.store import sqlite_functions
from engine.store.binding import BoundCursor
from engine.store.failures import BUSY_TIMEOUT_S, STATEMENT_TIMEOUT_S
from engine.store.sql import DIALECTS

__all__ = ["connect_postgres", "connect_sqlite"]


def connect_sqlite(url: sa.URL, functions: Mapping[str, Callable[..., Any]]) -> sqlite3.Connection:
    """`functions`: those that it may call, by name; classes are aggregates."""
    path = url.database or ":memory:"
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    # isolation_level None: Python's own transaction mode does not cover DDL.
    raw = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    _write_ahead(raw)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON", "temp_store = MEMORY",
                   "cache_size = -16000", "mmap_size = 268435456", "trusted_schema = OFF"):  # fmt: skip
        raw.execute(f"PRAGMA {pragma}")
    sqlite_functions.register(raw)
    for name, function in functions.items():
        if isinstance(function, type):
            raw.create_aggregate(name, -1, function)
        else:
            raw.create_function(name, -1, function, deterministic=True)
    return raw


def _write_ahead(raw: sqlite3.Connection) -> None:
    """A file's first connection changes how it is written, which SQLite refuses at once, not after its time-out, while
    another one is opening it as well."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raw.close()
                raise
        time.sleep(0.005)


def connect_postgres(url: sa.URL, schema: str) -> psycopg.Connection[Any]:
    """Bound to the schema for as long as it is open."""
    _, options = DIALECTS["postgresql"].create_connect_args(url)
    raw = psycopg.connect(**options, autocommit=True, prepare_threshold=2, client_encoding="utf8")
    raw.prepared_max = 500
    raw.adapters.register_loader("uuid", TextLoader)
    settings = {
        "search_path": schema, "timezone": "UTC", "lock_timeout": f"{BUSY_TIMEOUT_S}s",
        "statement_timeout": f"{STATEMENT_TIMEOUT_S}s", "idle_in_transaction_session_timeout": "300s",
    }  # fmt: skip
    names = ", ".join(["set_config(%s, %s, false)"] * len(settings))
    found = raw.execute(f"SELECT {names}", [part for pair in settings.items() for part in pair], prepare=False)
    if (row := found.fetchone()) is None or row[0] != schema:
        raw.close()
        raise psycopg.OperationalError(f"the connection is not bound to the schema '{schema}'")
    raw.cursor_factory = BoundCursor
    return raw
