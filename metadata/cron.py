"""Cron expressions of five fields: when something happens again and again. Pure.

As Vixie's cron has it: of a day of the month and a weekday that are both given, either will do. Where the clocks go
forward, what stands in the hour that there is not happens at the end of it; where they go back, once. An expression
whose hours begin with `*` goes by the hours that pass instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["Cron", "CronError", "read_cron"]

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
FARTHEST_DAYS = 366 * 9  # from one 29 February to the next, over a year such as 2100
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = 200
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class CronError(ValueError):
    """What is wrong with an expression, in a sentence."""


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # a day of the month or a weekday: both are given
    passes: bool  # the hours begin with `*`

    def times(self, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
        """In UTC: later than `after`, up to `until`."""
        day, last = after.astimezone(zone).date() - DAY, until.astimezone(zone).date() + DAY
        while day <= last:
            for moment in self._on(day, zone):
                if after < moment <= until:
                    yield moment
            day += DAY

    def last(self, zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
        """The latest of `times`."""
        day, first = until.astimezone(zone).date() + DAY, after.astimezone(zone).date() - DAY
        while day >= first:
            for moment in reversed(self._on(day, zone)):
                if after < moment <= until:
                    return moment
            day -= DAY
        return None

    def next(self, zone: ZoneInfo, after: datetime) -> datetime | None:
        """The first that is later; None where there is none for years."""
        return next(self.times(zone, after, after + timedelta(days=FARTHEST_DAYS)), None)

    def _fits(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return of_month or of_week if self.either_day else of_month and of_week

    def _on(self, day: date, zone: ZoneInfo) -> list[datetime]:
        if not self._fits(day):
            return []
        found: set[datetime] = set()
        for hour in self.hours:
            for minute in self.minutes:
                found.update(self._moments(datetime.combine(day, time(hour, minute)), zone))
        return sorted(found)

    def _moments(self, wall: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        first = wall.replace(tzinfo=zone).astimezone(UTC)
        second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        if first == second:
            yield first
        elif first < second:  # the clocks went back: there are two
            yield first
            if self.passes:
                yield second
        elif not self.passes:  # they went forward: there is none
            yield end_of_gap(second, first, zone)


def end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which the clocks go forward, which lies between the two."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > MINUTE:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)


def read_cron(text: str) -> Cron:
    """`0 9 * * mon-fri`. Raises CronError."""
    fields = text.lower().split()
    if len(fields) != 5 or len(text) > LONGEST:
        raise CronError("it has five fields: minute, hour, day of the month, month, weekday")
    minutes = numbers(fields[0], "minute", 0, 59)
    hours = numbers(fields[1], "hour", 0, 23)
    days = numbers(fields[2], "day of the month", 1, 31)
    months = numbers(fields[3], "month", 1, 12, {name: number for number, name in enumerate(MONTHS, 1)})
    weekdays = numbers(fields[4], "weekday", 0, 7, {name: number for number, name in enumerate(WEEKDAYS)})
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not either and all(min(days) > LONGEST_MONTHS[month - 1] for month in months):
        raise CronError("there is no such day in those months")
    return Cron(
        tuple(sorted(minutes)), tuple(sorted(hours)), frozenset(days), frozenset(months),
        frozenset(number % 7 for number in weekdays), either, fields[1].startswith("*"),
    )  # fmt: skip


def numbers(field: str, what: str, least: int, most: int, names: dict[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, has_step, step = part.partition("/")
        if has_step and not (step.isascii() and step.isdigit() and 0 < int(step) <= most):
            raise CronError(f"'{part}' is no {what}: a step is a number from 1 to {most}")
        if span == "*":
            first, last = least, most
        else:
            begin, is_range, end = span.partition("-")
            first = number(begin, what, least, most, names or {})
            last = number(end, what, least, most, names or {}) if is_range else most if has_step else first
            if is_range and what == "weekday" and last == 0:
                last = 7  # sat-sun
        if first > last:
            raise CronError(f"'{part}' is no {what}: it ends before it begins")
        found.update(range(first, last + 1, int(step) if has_step else 1))
    return found


def number(text: str, what: str, least: int, most: int, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not (text.isascii() and text.isdigit() and len(text) < 4 and least <= int(text) <= most):
        raise CronError(f"'{text}' is no {what}: it is a number from {least} to {most}")
    return int(text)
