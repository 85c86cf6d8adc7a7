"""What a formula function must answer. One file in plugins/base/functions/ holds one instance."""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from metadata.model import ValueType

__all__ = ["Function", "Here"]

ZONE_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Here:
    """What a formula may know besides the record: when it is, and who asks."""

    now: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    zone: ZoneInfo = ZONE_UTC
    user_id: str = ""
    username: str = ""
    roles: frozenset[str] = frozenset()
    departments: Collection[str] = ()  # ids of the person's departments and of all above them
    fiscal_start: int = 1  # the month in which a fiscal year begins

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the formula language: `CONTAINS(name, 'soft')`.

    Its back ends give the same answer to every value. Blank is NULL, None and null; no text is empty. Numbers are
    exact: Decimal or int, NUMERIC, BigInt times 10^20.
    """

    name: str  # capitals, as in a spreadsheet
    doc: str  # one sentence
    takes: tuple[ValueType | str, ...]
    """A type for each argument, "any", "date|datetime", "number?", "same*", "pattern": see metadata.formula.calls."""
    returns: ValueType | str  # or "same"
    sql: Callable[[Any, Sequence[Any]], Any]
    """(SqlContext: dialect, now, today, zone, actor, roles, departments, fiscal_start; SQLAlchemy expressions of the
    arguments) -> expression.
    A boolean must be two-valued: never NULL. An argument stands in it once: it may be long."""
    examples: tuple[tuple[str, object], ...] = ()  # ("CONTAINS('abc', 'b')", True)
    python: Callable[..., Any] | None = None  # (Here, *values) -> value; without one, the function works in SQL only
    js: str = ""  # source of the same: "(here, text) => fs.lower(text)"; `fs` is ui/frontend/src/formula.js
    blank: Literal["blank", "value"] = "blank"  # what a blank argument does: it makes the result blank, or is a value
    scaled: Callable[..., Any] | None = None
    """Numbers of the statement (engine/formula/native.py: Scaled) and conditions -> a Scaled, or None where it cannot
    be told: the same in a database's own whole numbers, some fifty times as fast on SQLite."""
    in_sqlite: Literal["sql", "python"] = "sql"  # "python": SQLite calls that, and `sql` is for PostgreSQL
    check: Callable[[str], str] | None = None  # why an argument "pattern" is refused, or ""
    weight: int = 1  # how many times longer than others it takes for a character of its texts
    is_volatile: bool = False  # asks `Here` for the time, the time zone or who is acting
