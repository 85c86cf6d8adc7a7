"""Measures and periods as SQL of both databases, and how their values are read. Opens no connection.

Numbers are whole here: times ten to the power of their scale. Both databases give the same digits, however many.
"""

import decimal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from engine.store import types
from engine.store.aggregate_terms import NUMBERS, Measure
from engine.store.sqlite_functions import HALF, number_of_key

__all__ = ["AVERAGE_PLACES", "Measured", "measured", "period"]

AVERAGE_PLACES = 4  # that an average has more than its field
WIDE = decimal.Context(prec=80)
EXACT = 10**types.EXACT_DIGITS
FORMATS = {"day": "YYYY-MM-DD", "month": "YYYY-MM", "quarter": 'YYYY-"Q"Q', "year": "YYYY"}

Column = sa.ColumnElement[Any]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Measured:
    value: Column  # as selected and sorted by
    compared: Column  # as `having` compares it: numbers of any size
    scale: int | None  # of a number; None of a date or a text
    read: Convert  # driver value -> whole number, or the value as it is
    show: Convert  # what `read` gave -> JSON-ready
    is_nullable: bool


def measured(dialect: str, measure: Measure, column: Column | None, is_wide: bool) -> Measured:
    """`is_wide`: sums on SQLite do not fit into 64 bits."""
    if column is None:
        return _counted(dialect, sa.func.count())
    if measure.function == "count":
        return _counted(dialect, sa.func.count(column))
    if measure.function == "distinct":
        return _counted(dialect, sa.func.count(sa.distinct(column)))
    if measure.function in ("min", "max"):
        return _extreme(dialect, measure.function, column)
    scale = column.type.scale if isinstance(column.type, types.Decimal) else 0
    is_whole = isinstance(column.type, types.Integer)
    if measure.function == "avg":
        places = scale + AVERAGE_PLACES
        mean = _average(dialect, column, scale)
        return Measured(mean, mean, places, _reader(dialect, places, True), shower(places, False), True)
    if dialect != "sqlite":
        total: Column = sa.func.coalesce(sa.func.sum(sa.type_coerce(column, sa.Numeric())), sa.literal_column("0"))
        return Measured(total, total, scale, _reader(dialect, scale, True), shower(scale, is_whole), False)
    whole = sa.type_coerce(column, sa.Integer())
    key = sa.func.fs_exact(*(sa.func.coalesce(half, sa.literal_column("0")) for half in _halves(whole)))
    narrow = sa.func.coalesce(sa.func.sum(whole), sa.literal_column("0"))
    reader = _reader(dialect, scale, is_wide)
    return Measured(key if is_wide else narrow, key, scale, reader, shower(scale, is_whole), False)


def _counted(dialect: str, count: Column) -> Measured:
    return Measured(count, _key(dialect, count), 0, same, same, False)


def _extreme(dialect: str, function: str, column: Column) -> Measured:
    kind = column.type
    assert isinstance(kind, types.StoredType)
    value = getattr(sa.func, function)(column, type_=kind)
    show = kind.json_loader(dialect) or same
    if isinstance(kind, NUMBERS):
        scale = kind.scale if isinstance(kind, types.Decimal) else 0
        return Measured(value, _key(dialect, sa.type_coerce(value, sa.Integer())), scale, same, show, True)
    return Measured(value, value, None, same, show, True)


def _key(dialect: str, number: Column) -> Column:
    return sa.func.fs_exact(sa.literal_column("0"), number) if dialect == "sqlite" else number


def _halves(whole: Column) -> tuple[Column, Column]:
    lower = whole.bitwise_and(sa.literal_column(str((1 << HALF) - 1)))
    return sa.func.sum(whole.bitwise_rshift(sa.literal_column(str(HALF)))), sa.func.sum(lower)


def _average(dialect: str, column: Column, scale: int) -> Column:
    """Rounded half up, away from zero, from whole numbers: no database divides here as it likes."""
    count = sa.func.count(column)
    if dialect == "sqlite":
        factor: Column = sa.literal_column(str(10**AVERAGE_PLACES))
        return sa.func.fs_average(*_halves(sa.type_coerce(column, sa.Integer())), count, factor)
    total = sa.func.sum(sa.type_coerce(column, sa.Numeric()))
    places = scale + AVERAGE_PLACES
    doubled = sa.func.abs(total) * sa.cast(sa.literal_column(f"2{'0' * places}"), sa.Numeric()) + count
    rounded = sa.func.div(doubled, sa.func.nullif(count * sa.literal_column("2"), sa.literal_column("0")))
    unit = sa.cast(sa.literal_column(f"0.{'1':0>{places}}"), sa.Numeric())
    return sa.type_coerce(sa.func.sign(total) * rounded * unit, sa.Numeric())


def _reader(dialect: str, scale: int, is_key: bool) -> Convert:
    if dialect == "sqlite":
        return number_of_key if is_key else same
    return lambda value: int(value.scaleb(scale, WIDE))


def shower(scale: int, is_whole: bool) -> Convert:
    """Whole number -> a JSON number that says every digit."""

    def show_whole(value: int) -> object:
        return value if -(2**63) <= value < 2**64 else orjson.Fragment(str(value))

    def show(value: int) -> object:
        if -EXACT < value < EXACT:
            return value / 10**scale  # the nearest double: its shortest text is the decimal
        return orjson.Fragment(f"{decimal.Decimal(value).scaleb(-scale, WIDE):f}")

    return show_whole if is_whole else show


def same(value: Any) -> Any:
    return value


def period(dialect: str, column: Column, name: str) -> Column:
    """The text of the period that a date, or a moment in the person's time zone, falls in: zones.period_text."""
    if isinstance(column.type, types.Date):
        if dialect == "sqlite":
            return _date_on_sqlite(column, name)
        return _on_postgres(sa.cast(column, sa.DateTime()), name)
    if dialect == "sqlite":
        zone = sa.bindparam("_zone", type_=types.Text())
        return sa.func.fs_period(column, zone, sa.literal(name, types.Text()), type_=types.Text())
    return _on_postgres(_local(column), name)


def _date_on_sqlite(column: Column, name: str) -> Column:
    day: Column = sa.type_coerce(column, types.Text())
    year = sa.func.substr(day, 1, 4, type_=types.Text())
    match name:
        case "week":
            return sa.func.date(day, "-6 days", "weekday 1", type_=types.Text())
        case "month":
            return sa.func.substr(day, 1, 7, type_=types.Text())
        case "quarter":
            month = sa.cast(sa.func.substr(day, 6, 2), sa.Integer())
            number = sa.cast((month + sa.literal_column("2")) // sa.literal_column("3", sa.Integer()), types.Text())
            return sa.type_coerce(year.op("||")(sa.literal("-Q", types.Text())).op("||")(number), types.Text())
        case "year":
            return year
    return day


def _local(column: Column) -> Column:
    """The moment on the clocks of the person's zone. PostgreSQL's own zones may be of another year than Python's."""
    moment = sa.type_coerce(column, sa.DateTime(timezone=True))
    changes = sa.bindparam("_zone_changes", type_=sa.ARRAY(sa.DateTime(timezone=True)))
    offsets = sa.bindparam("_zone_offsets", type_=sa.ARRAY(sa.Integer()))
    place = sa.func.width_bucket(moment, changes, type_=sa.Integer()) + sa.literal_column("1")
    offset = sa.type_coerce(sa.sql.elements.Grouping(offsets), sa.ARRAY(sa.Integer()))[place]
    zero: list[Column] = [sa.literal_column("0")] * 6
    local = sa.func.timezone(sa.literal_column("'UTC'"), moment) + sa.func.make_interval(*zero, offset)
    last: Column = sa.literal_column("timestamp '9999-12-31 23:59:59'", sa.DateTime())
    return sa.case((local > last, last), else_=local)


def _on_postgres(local: Column, name: str) -> Column:
    if name == "week":
        local, name = sa.func.date_trunc(sa.literal_column("'week'"), local), "day"
    text = sa.func.to_char(local, sa.literal(FORMATS[name], sa.Text()), type_=sa.Text())
    return sa.type_coerce(sa.collate(text, "C"), types.Text())
