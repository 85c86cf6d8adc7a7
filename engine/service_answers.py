"""What the record service answers with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.errors import EngineError, InputWarning
from metadata.model import Field

__all__ = [
    "Aggregation", "Change", "Column", "Duplicate", "Listing", "Merged", "Page", "Place", "Recent", "Result",
]  # fmt: skip

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    path: str  # "account.name"
    field: Field  # the last step's
    object: str  # the object that `field` belongs to


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as stored Python values, for screens. `rows[i][j]` is the value of `columns[j]` in the record `ids[i]`."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    ids: list[str]
    next: str | None
    count: int | None = None
    count_is_capped: bool = False  # there are more than `count`


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows as JSON-ready dicts, keyed by path, for the API. Each has id and version."""

    columns: tuple[Column, ...]
    records: list[Json]
    next: str | None
    count: int | None = None
    count_is_capped: bool = False


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What is told of groups of records, JSON-ready; the keys are the texts that were asked for."""

    groups: list[Json]  # {"stage": "won", "close_date:month": "2026-11", "sum(amount)": 123.45}
    total: Json  # the measures over all matching records, whatever `having` and `limit`
    is_truncated: bool  # there are more groups


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a record's history."""

    at: datetime
    by: str  # user id; "" is the system
    by_name: str
    action: str  # create, update, delete, restore, merge, unmerge
    version: int
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)  # field -> (old, new), JSON-ready
    others: Sequence[str] = ()  # of a merge: the records that went into this one
    into: str = ""  # ... or the record that this one went into


@dataclass(frozen=True, slots=True)
class Recent:
    """A record that changed not long ago."""

    object: str
    id: str
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one operation of a batch."""

    index: int
    action: str
    id: str | None = None
    record: Json | None = None  # of what was written; None for a deletion or a refusal
    created: bool = False
    error: EngineError | None = None
    warnings: Sequence[InputWarning] = ()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A record that may be the same thing as another one."""

    id: str
    title: str
    rule: str
    score: int  # 60-100: how much they have in common


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a record."""

    object: str
    id: str
    field: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did, or its undoing; as far as this person may see it."""

    record: Json  # the one that was kept
    others: tuple[str, ...]  # ids of those that went into it, or came back
    moved: Mapping[tuple[str, str], int]  # (object, field) -> how many references were moved
    kept: tuple[Place, ...] = ()  # of an undoing: what was changed since, and stays


Operations = Sequence[Mapping[str, Any]]
