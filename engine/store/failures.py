"""What goes wrong at a database, in our words."""

import re
import sqlite3
from typing import NoReturn

import psycopg
import sqlalchemy as sa

from engine.errors import BadInput, Busy

__all__ = ["BUSY_TIMEOUT_S", "FAILURES", "STATEMENT_TIMEOUT_S", "busy", "is_passing", "is_schema_changed", "raise_told"]

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


def too_long() -> BadInput:
    """A function of Python's that SQLite called gave up with an OverflowError."""
    message = "a formula reads and makes too much text"
    return BadInput(message, code="formula.limit", fix="shorten the texts, or do less with them")


def raise_told(error: Exception) -> NoReturn:
    """What a statement raised, by itself or through SQLAlchemy, as what it means to who asked; other errors as they
    are."""
    cause: BaseException | None = getattr(error, "orig", None) or error
    if isinstance(cause, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        raise busy() from error
    if isinstance(cause, psycopg.errors.QueryCanceled):
        raise too_slow() from error
    if isinstance(cause, sqlite3.DataError) and "too big" in str(cause):
        raise too_long() from error
    if isinstance(cause, sqlite3.OperationalError) and "locked" in str(cause):
        raise busy() from error
    if isinstance(cause, sqlite3.OperationalError) and "interrupted" in str(cause):
        raise too_slow() from error
    raise error


def is_schema_changed(error: BaseException) -> bool:
    """Whether a statement failed because a publish removed what it names: one more try on the new version may do."""
    cause: BaseException | None = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.OperationalError):
        return MISSING.search(str(cause)) is not None
    if isinstance(cause, psycopg.errors.FeatureNotSupported):
        return "cached plan" in str(cause)
    return isinstance(cause, psycopg.errors.UndefinedColumn | psycopg.errors.UndefinedTable)


def is_passing(error: BaseException) -> bool:
    """Whether a statement failed because of others, and not of what it says: another try may do."""
    cause: BaseException | None = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.OperationalError):  # what a function of ours raises is one, too
        is_others = "locked" in str(cause) or "interrupted" in str(cause)
    else:
        is_others = isinstance(cause, psycopg.OperationalError)
    return is_others or is_schema_changed(error)
