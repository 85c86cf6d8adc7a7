"""Exact numbers, dates and texts as formulas reckon with them: the meaning that every back end shares. Pure.

A number has any size and at most 20 digits after the point; what has more is rounded, halves away from zero.
"""

import calendar
import datetime as dt
import math
from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from metadata.formula.literals import read_moment
from metadata.formula.parser import PLACES

__all__ = [
    "DAY_MS", "FIRST_DAY", "FISCAL", "HOUR_MS", "LAST_DAY", "MONTHS", "PADDED_MAX", "TEXT_MAX", "Number", "aggregate",
    "arithmetic", "days_later", "divided", "fiscal", "fitted", "hours_between", "hours_later", "moment", "moment_of",
    "months_between", "months_later", "number_of", "padded", "period", "power", "rounded", "scaled", "square_root",
    "text_of", "unscaled", "whole", "workdays_before",
]  # fmt: skip

Number = int | Decimal
UNIT: int = 10**PLACES
# Enough for the product of 320 literals of 30 digits; nothing is rounded here.
EXACT = Context(prec=100_000, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN)
TEXT_MAX = 100_000  # characters of a text that a formula makes
WHOLE_MAX = 10_000_000
POWER_MOST, POWER_LIMIT = 1000, 10 ** (PLACES + 30)
COLUMN_DIGITS = 18  # of a number in a column
FIRST_DAY, LAST_DAY = dt.date(1000, 1, 1), dt.date(9999, 12, 31)
MONDAY = dt.date(1, 1, 1)  # was one
MILLISECOND, HOUR_MS, DAY_MS = dt.timedelta(milliseconds=1), 3_600_000, 86_400_000
PADDED_MAX = 10_000


def scaled(value: Number) -> int:
    """The number times 10^20."""
    return value * UNIT if isinstance(value, int) else int(EXACT.scaleb(value, PLACES))


def unscaled(value: int) -> Decimal:
    return EXACT.normalize(EXACT.scaleb(Decimal(value), -PLACES))


def divided(number: int, by: int) -> int:
    """To the nearest whole number, halves away from zero."""
    found = (2 * abs(number) + abs(by)) // (2 * abs(by))
    return found if (number < 0) == (by < 0) else -found


def arithmetic(op: str, left: Number | None, right: Number | None) -> Decimal | None:
    """Blank counts as 0. What is divided by zero is blank; a remainder has the sign of what was divided."""
    one, other = scaled(left or 0), scaled(right or 0)
    match op:
        case "+":
            return unscaled(one + other)
        case "-":
            return unscaled(one - other)
        case "*":
            return unscaled(divided(one * other, UNIT))
    if other == 0:
        return None
    if op == "/":
        return unscaled(divided(one * UNIT, other))
    rest = abs(one) % abs(other)
    return unscaled(rest if one >= 0 else -rest)


def rounded(value: Number, places: int) -> Decimal:
    if places >= PLACES:
        return unscaled(scaled(value))
    unit: int = 10 ** (PLACES - places)
    return unscaled(divided(scaled(value), unit) * unit)


def fitted(value: Number | None, scale: int) -> Decimal | None:
    """As a column of that scale holds it: rounded, blank where it has no room."""
    if value is None:
        return None
    found = rounded(value, scale)
    return found if abs(found) < 10 ** (COLUMN_DIGITS - scale) else None


def aggregate(op: str, values: Sequence[Any]) -> Any:
    """SUM, AVERAGE, HIGHEST or LOWEST of values that are not blank."""
    if op == "SUM":
        return unscaled(sum(map(scaled, values)))
    if not values:
        return None
    if op == "AVERAGE":
        return unscaled(divided(sum(map(scaled, values)), len(values)))
    return max(values) if op == "HIGHEST" else min(values)


def power(base: Number, exponent: int) -> Decimal | None:
    """By whole exponents from -1000 to 1000, squaring; each product is rounded as `*` rounds. Blank for others.

    Blank, too, where a product on the way is 10^30 or more.
    """
    rest, found, factor = abs(exponent), UNIT, scaled(base)
    if rest > POWER_MOST:
        return None
    while rest:
        if abs(factor) >= POWER_LIMIT or abs(found) >= POWER_LIMIT:
            return None
        if rest % 2:
            found = divided(found * factor, UNIT)
        rest //= 2
        if rest:
            factor = divided(factor * factor, UNIT)
    if abs(found) >= POWER_LIMIT or (exponent < 0 and found == 0):
        return None
    return unscaled(found if exponent >= 0 else divided(UNIT * UNIT, found))


def square_root(value: Number) -> Decimal | None:
    return None if value < 0 else unscaled(_root(scaled(value) * UNIT))


def _root(number: int) -> int:
    """The nearest whole number to the root."""
    found = math.isqrt(number)
    return found + 1 if number - found * found > found else found


def text_of(value: Number) -> str:
    """As short as it goes: '0.5', '100', '-3'. Equal numbers have equal texts."""
    found = format(EXACT.normalize(Decimal(value)), "f")
    return "0" if found == "-0" else found


def number_of(text: str) -> Decimal:
    return EXACT.create_decimal(text)


def whole(value: Number) -> int:
    """Without what follows the point; no farther from zero than any length or date needs."""
    return max(-WHOLE_MAX, min(WHOLE_MAX, int(value)))


def kept(ordinal: int) -> dt.date | None:
    """Blank outside the years that a date can have."""
    return dt.date.fromordinal(ordinal) if FIRST_DAY.toordinal() <= ordinal <= LAST_DAY.toordinal() else None


def days_later(moment: dt.date, days: int) -> dt.date | None:
    """Of a date or a datetime."""
    day = kept(moment.toordinal() + days)
    if day is None or not isinstance(moment, dt.datetime):
        return day
    return dt.datetime.combine(day, moment.timetz())


def months_later(day: dt.date, months: int) -> dt.date | None:
    """The same day of that month, or its last day."""
    return in_month(day.year * 12 + day.month - 1 + months, day.day)


def in_month(month: int, day: int) -> dt.date | None:
    """A day of a month (counted from the year 0), or that month's last one."""
    year, month = divmod(month, 12)
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        return None
    return dt.date(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]))


MONTHS = {"month": 1, "quarter": 3, "year": 12, "fiscal_quarter": 3, "fiscal_year": 12}
FISCAL = {"fiscal_quarter": "quarter", "fiscal_year": "year"}


def period(day: dt.date, unit: str, shift: int, end: int, fiscal_start: int = 1) -> dt.date | None:
    """First (`end` 0) or last (1) day of the week (from Monday), month, quarter, year of `day`, or of one after it.

    A fiscal year begins in the month `fiscal_start`, and its quarters with it.
    """
    if unit == "day":
        return kept(day.toordinal() + shift)
    if unit == "week":
        return kept(day.toordinal() - day.weekday() + 7 * shift + 6 * end)
    months = MONTHS.get(unit)
    if months is None:
        return None
    before = fiscal_start - 1 if unit in FISCAL else 0
    first = (day.year * 12 + day.month - 1 - before) // months * months + before + months * shift
    return in_month(first + months - 1, 31) if end else in_month(first, 1)


def fiscal(day: dt.date, fiscal_start: int) -> tuple[int, int]:
    """The fiscal year, named after the year in which it ends, and its quarter."""
    after = day.month >= fiscal_start > 1
    return day.year + after, (day.month - fiscal_start) % 12 // 3 + 1


def months_between(first: dt.date, last: dt.date) -> int:
    """The most months that can be added to the first and not be after the last; negative the other way round."""
    if first > last:
        return -months_between(last, first)
    day = min(first.day, calendar.monthrange(last.year, last.month)[1])
    return (last.year - first.year) * 12 + last.month - first.month - (last.day < day)


def hours_between(first: dt.datetime, last: dt.datetime) -> Decimal | None:
    return arithmetic("/", (last - first) // MILLISECOND, HOUR_MS)


def hours_later(moment: dt.datetime, hours: Number) -> dt.datetime | None:
    """To the millisecond."""
    milliseconds = divided(scaled(hours) * HOUR_MS, UNIT)
    if abs(milliseconds) > DAY_MS * LAST_DAY.toordinal():
        return None
    try:
        found = moment + milliseconds * MILLISECOND
    except OverflowError:
        return None
    return found if found.date() >= FIRST_DAY else None


def moment(year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0) -> Any:
    """A moment in UTC, or blank where there is none."""
    try:
        found = dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.date() >= FIRST_DAY else None


def moment_of(text: str) -> dt.datetime | None:
    """Of a text such as '2026-11-22T08:30:00Z' or '2026-11-22', in UTC where it does not say."""
    found = read_moment(text)
    return found if found is not None and found.date() >= FIRST_DAY else None


def padded(text: str, length: int, fill: str, *, is_left: bool) -> str:
    """The text made so long, at most PADDED_MAX; what is longer is cut behind."""
    length = max(0, min(length, PADDED_MAX))
    missing = length - len(text)
    if missing <= 0:
        return text[:length]
    pad = (fill * (missing // len(fill) + 1))[:missing]
    return pad + text if is_left else text + pad


def workdays_before(day: dt.date) -> int:
    """Mondays to Fridays before that day, counted from the year 1."""
    weeks, days = divmod(day.toordinal() - MONDAY.toordinal(), 7)
    return 5 * weeks + min(days, 5)
