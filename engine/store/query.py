"""The one query compiler: what is asked for, as plain data, turned into SQL that is compiled once and kept."""

from dataclasses import dataclass

from metadata.model import SortKey

__all__ = ["Query", "SortKey"]


@dataclass(frozen=True, slots=True)
class Query:
    """Which records of an object, which fields of them, in which order."""

    object: str
    fields: tuple[str, ...] = ()  # paths: "account.name"; () is every readable field of the object
    filter: str = ""  # a formula
    sort: tuple[SortKey, ...] = ()  # the id is always the last key
    limit: int = 50  # 1 to 1000
    cursor: str = ""  # `next` of the page before
    count: str = "none"  # "none", "capped" (stops at 1,000) or "exact"
    search: str = ""  # found in one of the object's search fields
    conditions: tuple[tuple[str, str, object], ...] = ()  # (path, operator, value); operators: see engine/store/query_conditions.py
    in_trash: bool = False  # deleted records instead of living ones
    ids: tuple[str, ...] = ()  # only these
