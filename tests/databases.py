"""Databases of PostgreSQL that tests make, copy and drop, which it does not allow inside a transaction."""

import uuid
from functools import cache
from typing import Any

import psycopg
import sqlalchemy as sa

__all__ = ["EMPTY", "UNUSED", "copy_database", "create_database", "drop_database", "put_back"]

WITH_STRATEGY = 150_000  # the version from which a database can be copied file by file: quick where nothing is synced


EMPTY: list[str] = []  # made, and not used: of this process
UNUSED: set[str] = set()  # given to a test that has not looked at it yet


def create_database(server: sa.URL, name: str) -> None:
    if EMPTY:
        rename(server, EMPTY.pop(), name)
    else:
        copy_database(server, "template0", name, "ENCODING 'UTF8' LOCALE 'C'")
    UNUSED.add(name)


def put_back(server: sa.URL, name: str) -> None:
    """It is as it was made: the next test may have it. Renaming takes a hundredth of the time that making does."""
    empty = f"empty_{uuid.uuid4().hex[:16]}"
    rename(server, name, empty)
    EMPTY.append(empty)


def rename(server: sa.URL, name: str, new: str) -> None:
    connected(server).execute(f'ALTER DATABASE "{name}" RENAME TO "{new}"'.encode())


def copy_database(server: sa.URL, name: str, copy: str, more: str = "") -> None:
    """Nobody may be using it."""
    connection = connected(server)
    strategy = "STRATEGY FILE_COPY" if connection.info.server_version >= WITH_STRATEGY else ""
    connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}" {more} {strategy}'.encode())


def drop_database(server: sa.URL, name: str) -> None:
    connected(server).execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def connected(server: sa.URL) -> "psycopg.Connection[Any]":
    """Kept: making a connection takes as long as making a database."""
    asked = (server.query.get("host") or server.host, server.port, server.username, server.password)
    if kept(*asked).closed:
        kept.cache_clear()
    return kept(*asked)


@cache
def kept(host: Any, port: int | None, user: str | None, password: str | None) -> "psycopg.Connection[Any]":
    return psycopg.connect(host=host, port=port, user=user, password=password, dbname="postgres", autocommit=True)
