"""The one door to records: screens, API, commands and sample data all come through here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine import (
    service_batch,
    service_deletion,
    service_merge,
    service_reads,
    service_restoring,
    service_shares,
    service_unmerge,
    service_writes,
)
from engine.context import Context
from engine.rules.told import as_told
from engine.service_answers import Aggregation, Change, Column, Duplicate, Listing, Merged, Page, Recent, Result
from engine.service_shares import Share, ShareEvent
from engine.store.aggregate import AggregateQuery
from engine.store.query import Query, SortKey
from metadata.model import Action

__all__ = [
    "AggregateQuery", "Aggregation", "Change", "Column", "Duplicate", "Listing", "Merged", "Page", "Query", "Recent",
    "Records", "Result", "Share", "SortKey",
]  # fmt: skip

Json = dict[str, Any]
NOTHING: Mapping[str, Any] = {}


class Records:
    """What one Context may read and write. Cheap to make: one per request.

    An object that may not be read is unknown (NotFound), and so is a record that no row rule lets through. Every write
    is one transaction with its history; a refusal changes nothing.
    """

    __slots__ = ("ctx",)

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    def page(self, query: Query) -> Page:
        """Stored Python values, for screens."""
        return service_reads.page(self.ctx, query)

    def list(self, query: Query) -> Listing:
        """JSON-ready dicts, for the API."""
        return service_reads.listing(self.ctx, query)

    def aggregate(self, query: AggregateQuery) -> Aggregation:
        """Counts, sums and averages by groups. Raises BadInput."""
        return service_reads.aggregate(self.ctx, query)

    def get(self, object_name: str, record_id: str, fields: Sequence[str] = ()) -> Json:
        """path -> JSON-ready value, id and version always among them. Raises NotFound."""
        return service_reads.get(self.ctx, object_name, record_id, fields)

    def get_row(self, object_name: str, record_id: str, fields: Sequence[str] = ()) -> dict[str, Any]:
        """path -> stored Python value, for screens. Raises NotFound."""
        return service_reads.get_row(self.ctx, object_name, record_id, fields)

    def create(self, object_name: str, values: Mapping[str, object]) -> Json:
        """The record as this person reads it. Raises Forbidden, BadInput with all problems, Conflict."""
        with as_told(self.ctx, object_name):
            return service_writes.create(self.ctx, object_name, values)

    def update(
        self, object_name: str, record_id: str, values: Mapping[str, object], if_version: int | None = None
    ) -> Json:
        """Raises Stale when the record is no longer at `if_version`. What changes nothing leaves the version alone."""
        with as_told(self.ctx, object_name):
            return service_writes.update(self.ctx, object_name, record_id, values, if_version)

    def delete(self, object_name: str, record_id: str, if_version: int | None = None) -> None:
        """Into the trash, with what hangs on it. Raises Conflict where other records restrict it."""
        with as_told(self.ctx, object_name):
            service_deletion.delete(self.ctx, object_name, record_id, if_version)

    def restore(self, object_name: str, record_id: str) -> Json:
        """Take a deletion back, with all that it took along. Raises Conflict where that cannot be."""
        with as_told(self.ctx, object_name):
            return service_restoring.restore(self.ctx, object_name, record_id)

    def upsert(self, object_name: str, field: str, value: object, values: Mapping[str, object]) -> tuple[Json, bool]:
        """The record, and whether it was created. `field` must be unique."""
        with as_told(self.ctx, object_name):
            return service_writes.upsert(self.ctx, object_name, field, value, values)

    def batch(self, object_name: str, operations: Sequence[Mapping[str, Any]], atomic: bool = True) -> Sequence[Result]:
        """Up to 1,000 of {"action": create|update|delete|upsert|restore, "id", "values", "if_version", "field", ...}.

        Atomic: the first refusal raises, its problems under "operations.N", and nothing is written.
        """
        with as_told(self.ctx, object_name):
            return service_batch.batch(self.ctx, object_name, operations, atomic)

    def duplicates(self, object_name: str, record_id: str) -> Sequence[Duplicate]:
        """Records that may be the same thing, the likest first."""
        return service_reads.duplicates(self.ctx, object_name, record_id)

    def merge(
        self, object_name: str, master: str, others: Sequence[str], values: Mapping[str, str] = NOTHING,
        if_versions: Mapping[str, int] = NOTHING,
    ) -> Merged:  # fmt: skip
        """One record of two or three. `values`: field -> the record whose value is taken, where it is not the master's.

        Needs the right to update the master and to delete the others. What refers to them refers to the master then.
        """
        with as_told(self.ctx, object_name):
            return service_merge.merge(self.ctx, object_name, master, others, values, if_versions)

    def unmerge(self, object_name: str, master: str) -> Merged:
        """Take the last merge into a record back, within 30 days. What was changed since stays, and is told."""
        with as_told(self.ctx, object_name):
            return service_unmerge.unmerge(self.ctx, object_name, master)

    def allowed(self, object_name: str, record_id: str, actions: Iterable[Action]) -> frozenset[Action]:
        """Those of the actions that this person may do to the record."""
        return service_reads.allowed(self.ctx, object_name, record_id, actions)

    def allowed_each(
        self, object_name: str, ids: Sequence[str], actions: Iterable[Action]
    ) -> Mapping[str, frozenset[Action]]:  # fmt: skip
        """The same of many records that they see: id -> actions."""
        return service_reads.allowed_each(self.ctx, object_name, ids, actions)

    def history(self, object_name: str, record_id: str) -> Sequence[Change]:
        """Newest first."""
        return service_reads.history(self.ctx, object_name, record_id)

    def options(
        self, object_name: str, text: str = "", limit: int = 20, reference: str = "",
        record: Mapping[str, object] = {},
    ) -> Sequence[tuple[str, str, str]]:  # fmt: skip
        """(id, title, subtitle) of records that `text` is found in, for a lookup: of `reference`, such as deal.contact,
        those that its filter offers while `record` holds these values, as the API takes them; `id` if it is there."""
        return service_reads.options(self.ctx, object_name, text, limit, reference, record)

    def titles(self, object_name: str, ids: Iterable[str], in_trash: bool = False) -> Mapping[str, str]:
        """id -> title of the visible ones, of living or of deleted records."""
        return service_reads.titles(self.ctx, object_name, ids, in_trash)

    def shares(self, object_name: str, record_id: str) -> Sequence[Share]:
        """To whom the record was given by hand, oldest first."""
        return service_shares.shares(self.ctx, object_name, record_id)

    def is_sharer(self, object_name: str, record_id: str) -> bool:
        """Whether this person may share the record by hand."""
        return service_shares.is_sharer(self.ctx, object_name, record_id)

    def share_events(self, object_name: str, record_id: str, limit: int = 50) -> Sequence[ShareEvent]:
        """What was shared and when that ended, newest first: for those who may share the record."""
        return service_shares.share_events(self.ctx, object_name, record_id, limit)

    def share(self, object_name: str, record_id: str, values: Mapping[str, Any]) -> Share:
        """`values`: kind (user, team, department, role), to (an id, or a role's name), access (read, edit), expires_at
        (ISO 8601), reason. Needs the rights to share and to update. A second share with the same holder replaces it."""
        return service_shares.share(self.ctx, object_name, record_id, values)

    def unshare(self, object_name: str, record_id: str, share: str) -> None:
        service_shares.unshare(self.ctx, object_name, record_id, share)

    def unmask(self, object_name: str, record_id: str, field: str) -> Any:
        """One value that the person sees the mask of. Audited. Needs the right to unmask."""
        return service_shares.unmask(self.ctx, object_name, record_id, field)

    def recent(self, limit: int = 10) -> Sequence[Recent]:
        """What changed last of what this person may see, each record once."""
        return service_reads.recent(self.ctx, limit)
