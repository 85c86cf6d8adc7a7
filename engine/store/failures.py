"""What goes wrong at a database, in our words."""

import re
import sqlite3

import psycopg
import sqlalchemy as sa

from engine.errors import BadInput, Busy

__all__ = ["BUSY_TIMEOUT_S", "FAILURES", "STATEMENT_TIMEOUT_S", "busy", "is_schema_changed", "too_long", "too_slow"]

BUSY_TIMEOUT_S = 10  # for which one waits for others
STATEMENT_TIMEOUT_S = 30  # of one statement
FAILURES = (sa.exc.SQLAlchemyError, psycopg.Error, sqlite3.Error)  # what a statement may raise
MISSING = re.compile(r"no such (column|table)|has no column named")


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
