"""What functions are made of: SQL that both databases understand alike, and the same in Python. Opens no connection."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from engine.contracts.function import Here
from engine.formula import exact, moments
from engine.formula.moments import days_later, once
from engine.formula.numeric import Number
from engine.store.types import Text

__all__ = [
    "as_sql", "capitals", "count", "in_days", "in_period", "is_near", "lower", "period_of", "small_letters", "upper",
    "within",
]  # fmt: skip

CAPITALS = {small: small - 32 for small in range(ord("a"), ord("z") + 1)}
SMALL = {capital: small for small, capital in CAPITALS.items()}
UNITS = ("week", "month", "quarter", "year")


def as_sql(value: Any, type_: sa.types.TypeEngine[Any]) -> Any:
    """The value as a bound parameter of that type; what is SQL already stays as it is."""
    return value if isinstance(value, sa.ClauseElement) else sa.literal(value, type_)


def small_letters(context: Any, text: Any) -> Any:
    """A to Z in small letters on both databases: SQLite's lower() knows no others, PostgreSQL's asks the locale."""
    if context.dialect == "sqlite":
        return sa.func.lower(text, type_=Text())
    return sa.func.lower(sa.collate(sa.cast(text, sa.Text), "C"), type_=Text())


def capitals(context: Any, text: Any) -> Any:
    """a to z as capitals, likewise."""
    if context.dialect == "sqlite":
        return sa.func.upper(text, type_=Text())
    return sa.func.upper(sa.collate(sa.cast(text, sa.Text), "C"), type_=Text())


def lower(text: str) -> str:
    return text.translate(SMALL)


def upper(text: str) -> str:
    return text.translate(CAPITALS)


def count(number: Any, least: int, most: int = exact.WHOLE_MAX, *, is_blank_below: bool = False) -> Any:
    """A whole number within bounds for PostgreSQL, without what follows the point; blank stays blank."""
    bounds = sa.literal_column(str(least), sa.Integer()), sa.literal_column(str(most), sa.Integer())

    def build(value: Any) -> Any:
        kept = value >= bounds[0] if is_blank_below else value.is_not(None)
        near = sa.func.least(sa.func.greatest(value, bounds[0]), bounds[1])
        return sa.case((kept, sa.cast(near, sa.Integer())))

    return once(build, sa.func.trunc(number, type_=sa.Numeric()))


def period_of(context: Any, date: Any, unit: Any, end: int) -> Any:
    """First (`end` 0) or last (1) day of the period of `date` that `unit` names, for PostgreSQL."""

    def build(day: Any, word: Any) -> Any:
        found = [(word == sa.literal_column(f"'{one}'"), moments.period(context, day, one, 0, end)) for one in UNITS]
        return sa.case(*found)

    return once(build, sa.cast(date, sa.Date()), unit)


def in_period(context: Any, date: Any, unit: str, shift: int) -> Any:
    """Whether the date is in the period of today, or in one before or after it. An index on the date serves."""
    first, last = (moments.period(context, context.today, unit, shift, end) for end in (0, 1))
    return sa.func.coalesce(date.between(first, last), sa.false())


def within(here: Here, date: dt.date | None, unit: str, shift: int) -> bool:
    first, last = (exact.period(here.today, unit, shift, end) for end in (0, 1))
    return date is not None and first is not None and last is not None and first <= date <= last


def in_days(context: Any, date: Any, days: Any, sign: int) -> Any:
    """Whether the date is one of so many days after today (`sign` 1) or before it (-1)."""
    one = sa.literal_column("'1'", Number()) if context.dialect == "sqlite" else sa.literal_column("1", sa.Numeric())
    near, far = (days_later(context.dialect, context.today, number, "date", sign) for number in (one, days))
    return sa.func.coalesce(date.between(near, far) if sign > 0 else date.between(far, near), sa.false())


def is_near(here: Here, date: dt.date | None, days: exact.Number | None, sign: int) -> bool:
    if date is None or days is None:
        return False
    near, far = (exact.days_later(here.today, sign * number) for number in (1, exact.whole(days)))
    if near is None or far is None:
        return False
    return near <= date <= far if sign > 0 else far <= date <= near
