"""A connection of PostgreSQL stays with the schema that it was made for: nothing that runs on it says otherwise."""

from typing import Any

import psycopg

from engine.errors import WrongTenant, bad_at

__all__ = ["BoundCursor", "unbinds"]

BEGIN = 120  # characters in which such a statement says what it does


class BoundCursor(psycopg.Cursor[Any]):
    """Of all statements, SQLAlchemy's as well."""

    def execute(self, query: Any, *args: Any, **more: Any) -> Any:
        need_bound(query)
        try:
            return super().execute(query, *args, **more)
        except psycopg.DataError as error:
            refuse_nul(error)
            raise

    def executemany(self, query: Any, *args: Any, **more: Any) -> None:
        need_bound(query)
        try:
            super().executemany(query, *args, **more)
        except psycopg.DataError as error:
            refuse_nul(error)
            raise


def refuse_nul(error: psycopg.DataError) -> None:
    """Raises BadInput where a text holds what PostgreSQL takes in none: who sent it is told, wherever it came in."""
    if "NUL" in str(error):
        message = "a text has the character U+0000, which cannot be stored"
        raise bad_at("", "value.text.character", message, "leave it out") from error


def need_bound(query: Any) -> None:
    if unbinds(query):
        raise WrongTenant(f"a statement would bind the connection to another schema: {str(query)[:BEGIN]}")


def unbinds(query: Any) -> bool:
    """Whether it sets, or resets, the schema in which names are looked up. Texts hold no values, so no data."""
    text = query if isinstance(query, str) else query.decode() if isinstance(query, bytes) else str(query)
    begin = text[:BEGIN].lstrip().upper()
    if begin.startswith(("DISCARD", "RESET")) or (begin.startswith("SET") and "SEARCH_PATH" in begin):
        return True
    return "set_config" in text and "search_path" in text
