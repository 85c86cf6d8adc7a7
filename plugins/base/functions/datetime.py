"""DATETIME(text) or DATETIME(year, month, day, hour, minute, second)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from engine.sdk import DateTime, Function, Text, moment, moment_of, once, whole

SHAPE = (
    r"^([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(?:Z|([+-][0-9]{2}):([0-9]{2}))?)?$"
)
FIRST, LAST = (sa.literal_column(f"timestamptz '{day} 00:00:00Z'") for day in ("1000-01-01", "10000-01-01"))
MONTH = sa.text("interval '1 month' - interval '1 day'")


def datetime_of(here: Any, *args: Any) -> Any:
    return moment_of(args[0]) if isinstance(args[0], str) else moment(*map(whole, args))


def built(year: Any, month: Any, day: Any, hour: Any, minute: Any, second: Any) -> Any:
    """For PostgreSQL; the arguments are names of whole numbers."""
    numbers = [sa.cast(number, sa.Integer()) for number in (year, month, day, hour, minute)]
    first = sa.func.make_date(numbers[0], numbers[1], 1, type_=sa.Date())
    days = sa.extract("day", sa.cast(first + MONTH, sa.Date()))
    is_clock = sa.and_(hour.between(0, 23), minute.between(0, 59), second.between(0, 59))
    found = sa.func.make_timestamptz(*numbers, sa.cast(second, sa.Double()), "UTC", type_=sa.DateTime(timezone=True))
    is_day = sa.case((day.between(1, days), found))
    return sa.case((sa.and_(year.between(1, 9999), month.between(1, 12), is_clock), is_day))


def kept(found: Any) -> Any:
    return once(lambda made: sa.case((sa.and_(made >= FIRST, made < LAST), made)), found)


def of_text(text: Any) -> Any:
    """Milliseconds and the distance from UTC come on top of the whole seconds."""

    def build(parts: Any) -> Any:
        texts = sa.type_coerce(parts, ARRAY(sa.Text()))
        zero = sa.literal_column("0", sa.Numeric())
        number = [sa.func.coalesce(sa.cast(texts[at], sa.Numeric()), zero) for at in range(1, 7)]
        fraction = sa.cast(sa.func.rpad(sa.func.coalesce(texts[7], "0"), 3, "0"), sa.Integer())
        hours, minutes = (sa.cast(sa.func.coalesce(texts[at], "0"), sa.Integer()) for at in (8, 9))
        sign = sa.case((sa.func.left(texts[8], 1) == "-", -1), else_=1)
        offset = (sa.func.abs(hours) * 60 + minutes) * sign
        is_offset = sa.and_(sa.func.abs(hours) <= 23, minutes <= 59)
        exact = once(built, *number) + fraction * sa.text("interval '1 millisecond'")
        return sa.case((is_offset, exact - offset * sa.text("interval '1 minute'")))

    return once(build, sa.func.regexp_match(sa.collate(text, "C"), SHAPE, type_=ARRAY(sa.Text())))


def sql(context: Any, args: Sequence[Any]) -> Any:
    if isinstance(args[0].type, sa.String | Text):
        return sa.type_coerce(kept(of_text(args[0])), DateTime())
    defaults = [sa.literal_column(text, sa.Numeric()) for text in ("1", "1", "1", "0", "0", "0")]
    numbers = [*args, *defaults[len(args) :]]
    return sa.type_coerce(kept(once(built, *(sa.func.trunc(one, type_=sa.Numeric()) for one in numbers))), DateTime())


DATETIME = Function(
    name="DATETIME",
    doc="The moment of a text or of up to six numbers from the year to the second, in UTC; blank where there is none.",
    takes=("number|text", "number?", "number?", "number?", "number?", "number?"),
    returns="datetime",
    sql=sql,
    python=datetime_of,
    js="(here, ...args) => (typeof args[0] === 'string' ? fs.momentOf(args[0]) : fs.moment(args.map(fs.count)))",
    in_sqlite="python",
    examples=(
        ("DATETIME(2026, 11, 22, 8, 30)", "2026-11-22T08:30:00.000Z"),
        ("DATETIME(2026)", "2026-01-01T00:00:00.000Z"),
        ("DATETIME(2026, 2, 29)", None),
        ("DATETIME(2026, 1, 1, 24)", None),
        ("DATETIME('2026-11-22T08:30:00.1239+08:00')", "2026-11-22T00:30:00.123Z"),
        ("DATETIME('2026-11-22 08:30')", "2026-11-22T08:30:00.000Z"),
        ("DATETIME('2026-11-22')", "2026-11-22T00:00:00.000Z"),
        ("DATETIME('22.11.2026')", None),
        ("DATETIME('2026-02-30T00:00Z')", None),
        ("DATETIME('1000-01-01T00:00+01:00')", None),
        ("DATETIME(null)", None),
    ),
)
