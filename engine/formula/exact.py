"""Exact numbers, dates and texts as formulas reckon with them: the meaning that every back end shares. Pure.

A number has any size and at most 20 digits after the point; what has more is rounded, halves away from zero.
"""

import calendar
import datetime as dt
import math
from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from metadata.formula.parser import PLACES

__all__ = [
    "FIRST_DAY", "LAST_DAY", "TEXT_MAX", "Number", "aggregate", "arithmetic", "days_later", "divided", "fitted",
    "months_later", "number_of", "period", "power", "rounded", "scaled", "square_root", "text_of", "unscaled", "whole",
    "workdays_before",
]  # fmt: skip

Number = int | Decimal
UNIT: int = 10**PLACES
# Enough for the product of 320 literals of 30 digits; nothing is rounded here.
EXACT = Context(prec=100_000, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN)
TEXT_MAX = 100_000  # characters of a text that a formula makes
WHOLE_MAX = 10_000_000
COLUMN_DIGITS = 18  # of a number in a column
FIRST_DAY, LAST_DAY = dt.date(1000, 1, 1), dt.date(9999, 12, 31)
MONDAY = dt.date(1, 1, 1)  # was one


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
    """By whole exponents of 0 to 100; each product is rounded as `*` rounds. Blank for others."""
    if not 0 <= exponent <= 100:
        return None
    found, factor = UNIT, scaled(base)
    for _ in range(exponent):
        found = divided(found * factor, UNIT)
        if abs(found) >= 10 ** (PLACES + 30):
            return None
    return unscaled(found)


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


def period(day: dt.date, unit: str, shift: int, end: int) -> dt.date | None:
    """First (`end` 0) or last (1) day of the week (from Monday), month, quarter, year of `day`, or of one after it."""
    if unit == "day":
        return kept(day.toordinal() + shift)
    if unit == "week":
        return kept(day.toordinal() - day.weekday() + 7 * shift + 6 * end)
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if months is None:
        return None
    first = day.year * 12 + (day.month - 1) // months * months + months * shift
    return in_month(first + months - 1, 31) if end else in_month(first, 1)


def workdays_before(day: dt.date) -> int:
    """Mondays to Fridays before that day, counted from the year 1."""
    weeks, days = divmod(day.toordinal() - MONDAY.toordinal(), 7)
    return 5 * weeks + min(days, 5)
