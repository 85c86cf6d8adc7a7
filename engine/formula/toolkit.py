"""What functions are made of: SQL that both databases understand alike, and the same in Python. Opens no connection."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from engine.contracts.function import Here
from engine.formula import exact, moments
from engine.formula.moments import days_later, once
from engine.formula.numeric import Number
from engine.store.types import DateTime, Text, Time

__all__ = [
    "as_sql", "capitals", "clock_of", "count", "fiscal_part", "hours_on_top", "in_days", "in_list", "in_period",
    "in_periods", "is_near", "is_within", "local_clock", "lower", "milliseconds_of", "next_day", "period_of",
    "small_letters", "upper", "within",
]  # fmt: skip

DAYS_1970 = dt.date(1970, 1, 1).toordinal()
FIRST_MS = (exact.FIRST_DAY.toordinal() - DAYS_1970) * exact.DAY_MS
LAST_MS = (exact.LAST_DAY.toordinal() + 1 - DAYS_1970) * exact.DAY_MS - 1
MOMENTS: tuple[Any, Any] = (sa.literal_column(str(FIRST_MS)), sa.literal_column(str(LAST_MS)))
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
    return text.encode().lower().decode()  # of bytes: A to Z only, and fast


def upper(text: str) -> str:
    return text.encode().upper().decode()


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
    first, last = (exact.period(here.today, unit, shift, end, here.fiscal_start) for end in (0, 1))
    return date is not None and first is not None and last is not None and first <= date <= last


def in_periods(context: Any, date: Any, unit: str, number: Any, sign: int) -> Any:
    """Whether the date is in one of so many periods after that of today (`sign` 1) or before it (-1)."""

    def last(many: Any) -> Any:
        return moments.period(context, context.today, unit, many if sign > 0 else -many, 0 if sign < 0 else 1)

    near = moments.period(context, context.today, unit, sign, 1 if sign < 0 else 0)
    if context.dialect == "sqlite":
        far = last(sa.func.fx_whole(number, type_=sa.Integer()))
    else:
        far = once(last, count(number, -exact.WHOLE_MAX))
    return sa.func.coalesce(date.between(near, far) if sign > 0 else date.between(far, near), sa.false())


def is_within(here: Here, date: dt.date | None, unit: str, number: exact.Number | None, sign: int) -> bool:
    """The same in Python."""
    if date is None or number is None:
        return False
    near = exact.period(here.today, unit, sign, 1 if sign < 0 else 0, here.fiscal_start)
    far = exact.period(here.today, unit, sign * exact.whole(number), 0 if sign < 0 else 1, here.fiscal_start)
    if near is None or far is None:
        return False
    return near <= date <= far if sign > 0 else far <= date <= near


def in_list(context: Any, item: Any, names: Any) -> Any:
    """Whether a text is one of a TextList's."""
    text = sa.cast(item, sa.Text)
    if context.dialect == "sqlite":
        return sa.func.coalesce(sa.func.instr(sa.cast(names, Text()), sa.func.json_quote(text)) > 0, sa.false())
    quoted = sa.cast(sa.func.to_json(text), sa.Text)
    return sa.func.coalesce(sa.func.strpos(sa.cast(names, Text()), quoted) > 0, sa.false())


def next_day(context: Any, date: Any, days: int) -> Any:
    number: Any = sa.literal_column(f"'{days}'" if context.dialect == "sqlite" else str(days))
    kind: Any = Number() if context.dialect == "sqlite" else sa.Numeric()
    return days_later(context.dialect, date, sa.type_coerce(number, kind), "date")


def fiscal_part(context: Any, date: Any, part: int) -> Any:
    """The fiscal year of a date (`part` 0) or its quarter (1)."""
    if context.dialect == "sqlite":
        return sa.func.fx_fiscal(date, context.fiscal_start, sa.literal_column(str(part)), type_=Number())

    def build(day: Any, start: Any) -> Any:
        year, month = sa.extract("year", day), sa.extract("month", day)
        if part == 0:
            return year + sa.case((sa.and_(start > 1, month >= start), 1), else_=0)
        return sa.func.div(sa.func.mod(sa.cast(month - start + 12, sa.Numeric()), 12), 3, type_=sa.Numeric()) + 1

    return once(build, sa.cast(date, sa.Date()), sa.type_coerce(context.fiscal_start, sa.Integer()))


def local_clock(context: Any, moment: Any) -> Any:
    """What a clock shows, for PostgreSQL: a time as it is, a date and time in the person's time zone."""
    if isinstance(moment.type, sa.Time | Time):
        return sa.cast(moment, sa.Time())
    return sa.func.timezone(context.zone, sa.cast(moment, sa.DateTime(timezone=True)))


def clock_of(here: Here, moment: dt.time | dt.datetime) -> dt.time | dt.datetime:
    return moment.astimezone(here.zone) if isinstance(moment, dt.datetime) else moment


def milliseconds_of(moment: Any) -> Any:
    """Since 1970, exactly, for PostgreSQL."""
    seconds = sa.cast(sa.extract("epoch", sa.cast(moment, sa.DateTime(timezone=True))), sa.Numeric())
    return sa.func.round(seconds * 1000, 0, type_=sa.Numeric())


def hours_on_top(moment: Any, hours: Any) -> Any:
    """The moment so many hours later, for PostgreSQL, which takes large steps exactly in days only."""

    def build(start: Any, milliseconds: Any) -> Any:
        days = sa.cast(sa.func.div(milliseconds, exact.DAY_MS), sa.Integer())
        rest = sa.cast(sa.func.mod(milliseconds, exact.DAY_MS), sa.Integer())
        moved = start + days * sa.text("interval '1 day'") + rest * sa.text("interval '1 millisecond'")
        return sa.case(((milliseconds_of(start) + milliseconds).between(*MOMENTS), moved))

    step = sa.func.round(sa.type_coerce(hours, sa.Numeric()) * exact.HOUR_MS, 0, type_=sa.Numeric())
    found = once(build, sa.cast(moment, sa.DateTime(timezone=True)), step)
    return sa.type_coerce(found, DateTime())


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
