"""The one door to records: screens, API, commands and sample data all come through here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.context import Context
from engine.service_answers import Change, Column, Listing, Page, Result
from engine.store.query import Query, SortKey

__all__ = ["Change", "Column", "Listing", "Page", "Query", "Records", "Result", "SortKey"]

Json = dict[str, Any]


class Records:
    """What one Context may read and write. Cheap to make: one per request."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    def page(self, query: Query) -> Page:
        """Stored Python values, for screens."""
        raise NotImplementedError

    def list(self, query: Query) -> Listing:
        """JSON-ready dicts, for the API."""
        raise NotImplementedError

    def get(self, object_name: str, record_id: str, fields: Sequence[str] = ()) -> Json:
        """JSON-ready: path -> value. Raises NotFound."""
        raise NotImplementedError

    def get_row(self, object_name: str, record_id: str, fields: Sequence[str] = ()) -> dict[str, Any]:
        """path -> stored Python value, for screens. Raises NotFound."""
        raise NotImplementedError

    def create(self, object_name: str, values: Mapping[str, object]) -> Json:
        raise NotImplementedError

    def update(
        self, object_name: str, record_id: str, values: Mapping[str, object], if_version: int | None = None
    ) -> Json:
        """Raises Stale when the record is no longer at `if_version`."""
        raise NotImplementedError

    def delete(self, object_name: str, record_id: str, if_version: int | None = None) -> None:
        raise NotImplementedError

    def restore(self, object_name: str, record_id: str) -> Json:
        """Take a deletion back, with all that it took along."""
        raise NotImplementedError

    def upsert(
        self, object_name: str, field: str, value: object, values: Mapping[str, object]
    ) -> tuple[Json, bool]:
        """The record, and whether it was created. `field` must be unique."""
        raise NotImplementedError

    def batch(
        self, object_name: str, operations: Sequence[Mapping[str, Any]], atomic: bool = True
    ) -> Sequence[Result]:
        """Up to 1,000 of {"action": "create|update|delete|upsert|restore", "id", "values", "if_version", "field", "value"}.

        Atomic: the first refusal raises, its problems under "operations.N", and nothing is written.
        """
        raise NotImplementedError

    def history(self, object_name: str, record_id: str) -> Sequence[Change]:
        """Newest first."""
        raise NotImplementedError

    def options(self, object_name: str, text: str = "", limit: int = 20) -> Sequence[tuple[str, str, str]]:
        """(id, title, subtitle) of records that `text` is found in, for a lookup."""
        raise NotImplementedError

    def titles(self, object_name: str, ids: Iterable[str]) -> Mapping[str, str]:
        """id -> title of the visible ones."""
        raise NotImplementedError
