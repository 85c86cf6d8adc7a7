"""Physical names of tables and columns: readable, given once, never given again. Opens no connection."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["SYSTEM_COLUMNS", "Allocator", "Names", "bounded"]

MAX_BYTES = 63  # PostgreSQL cuts longer names
SYSTEM_COLUMNS = (
    "id", "owner", "created_at", "created_by", "modified_at", "modified_by", "version", "deleted_at",
)  # fmt: skip
# Hidden columns of every PostgreSQL and SQLite table.
TAKEN_COLUMNS = frozenset(
    (*SYSTEM_COLUMNS, "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid", "rowid", "_rowid_")
)
TAKEN_TABLES = re.compile(r"(fs|pg|sqlite|ix|ux|ub|fk)_")  # the engine's, the databases' and those of indexes


@dataclass(frozen=True, slots=True)
class Names:
    """The physical names of one version of the definitions."""

    tables: Mapping[str, str] = field(default_factory=dict)  # object -> table
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # object -> field -> column
    objects: Mapping[str, str] = field(init=False, repr=False, compare=False)  # table -> object

    def __post_init__(self) -> None:
        object.__setattr__(self, "objects", {table: name for name, table in self.tables.items()})


class Allocator:
    """Gives names that were never given before; letters' case does not tell two names apart."""

    def __init__(self, given: Iterable[tuple[str, str]]) -> None:
        """`given`: every (table, column) ever given, with column "" for the table itself."""
        self._tables: set[str] = set()
        self._columns: dict[str, set[str]] = {}
        for table, column in given:
            if column:
                self._columns.setdefault(table, set()).add(column.casefold())
            else:
                self._tables.add(table.casefold())

    def table(self, name: str) -> str:
        wanted = slug(name) or "object"
        if TAKEN_TABLES.match(wanted):
            wanted = f"o_{wanted}"
        return free(wanted, self._tables)

    def column(self, table: str, name: str) -> str:
        wanted = slug(name) or "field"
        if wanted in TAKEN_COLUMNS:
            wanted += "_"
        return free(wanted, self._columns.setdefault(table, set()))


def slug(name: str) -> str:
    """The letters, digits and underscores of ASCII in `name`, in lower case; "" for a Chinese name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "", plain).strip("_") and re.sub(r"[^a-z0-9_]+", "", plain)


def free(wanted: str, taken: set[str]) -> str:
    """`wanted`, or the first of wanted_2, wanted_3, … that is free; noted as taken."""
    name, number = wanted[:MAX_BYTES], 1
    while name in taken:
        number += 1
        end = f"_{number}"
        name = wanted[: MAX_BYTES - len(end)] + end
    taken.add(name)
    return name


def bounded(kind: str, *parts: str) -> str:
    """A name for an index or constraint, the same for the same parts: ix_lead_status_1f0c9a2b."""
    whole = "_".join(parts)
    mark = hashlib.blake2b("\0".join((kind, *parts)).encode(), digest_size=4).hexdigest()
    return f"{kind}_{whole[: MAX_BYTES - len(kind) - len(mark) - 2]}_{mark}"
