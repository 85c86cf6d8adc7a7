"""Lengths of time in business calendars."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.errors import BadInput
from engine.snapshot import Snapshot
from metadata.build.calendars import OFFICE_HOURS
from metadata.processes import Calendar, Span

__all__ = ["day_begins", "moment_after", "worked_between", "zone_of"]

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_BREAK_DAYS = 1000  # without any work; beyond that, nobody works any more
Hours = tuple[datetime, datetime]  # in UTC


def moment_after(snapshot: Snapshot, start: datetime, span: Span, calendar: str = "") -> datetime:
    """The moment `span` after `start` (UTC), or before it where the amount is negative. Workdays and workhours are
    those of the calendar of that name, of the default one where it is "", and of Monday to Friday 9 to 17 UTC where
    there is none.

    Outside hours, workdays and workhours are reckoned from the next moment of work, backwards from the last. A workday
    later is the same time of day, or the nearest that is worked; a day later, the same time in the calendar's zone.
    Raises BadInput for a calendar that is none, and where the moment is out of reach.
    """
    own = reckoner(snapshot, calendar)
    try:
        if span.unit in ("minutes", "hours"):
            return start + timedelta(**{span.unit: span.amount})
        if span.unit == "days":
            return (start.astimezone(own.zone) + timedelta(days=span.amount)).astimezone(UTC)
        if span.unit == "workhours":
            return own.hours_after(start, timedelta(hours=span.amount), is_back=span.amount < 0)
        return own.days_after(start, span.amount)
    except OverflowError as error:
        raise out_of_reach(own.name) from error


def worked_between(snapshot: Snapshot, start: datetime, end: datetime, calendar: str = "") -> timedelta:
    """The hours of work from one moment to another; less than nothing where `end` is before `start`."""
    if end < start:
        return -worked_between(snapshot, end, start, calendar)
    own, total = reckoner(snapshot, calendar), timedelta()
    day, last = start.astimezone(own.zone).date() - DAY, end.astimezone(own.zone).date()
    while day <= last:
        for opens, closes in own.hours_of(day):
            total += max(min(end, closes) - max(start, opens), timedelta())
        day += DAY
    return total


def day_begins(snapshot: Snapshot, day: date, calendar: str = "") -> datetime:
    """Midnight in that calendar's zone, in UTC. Raises BadInput for a calendar that is none."""
    return datetime.combine(day, time(), zone_of(snapshot, calendar)).astimezone(UTC)


def zone_of(snapshot: Snapshot, calendar: str = "") -> ZoneInfo:
    """Of the calendar of that name, or of the default one; UTC where there is none."""
    return reckoner(snapshot, calendar).zone


@dataclass(slots=True)
class Reckoner:
    """One calendar, ready to reckon in."""

    name: str
    zone: ZoneInfo
    hours: Mapping[str, tuple[tuple[str, str], ...]]
    holidays: tuple[tuple[date, date], ...]  # in order
    workdays: frozenset[date]
    _days: dict[date, tuple[Hours, ...]] = field(default_factory=dict)

    def hours_of(self, day: date) -> tuple[Hours, ...]:
        found = self._days.get(day)
        if found is None:
            if len(self._days) > 5000:
                self._days.clear()
            found = self._days[day] = tuple(self._worked(day))
        return found

    def _worked(self, day: date) -> Iterator[Hours]:
        if day in self.workdays:
            said = self.hours.get("mon", ()) or next((one for one in self.hours.values() if one), ())
        else:
            said = () if self._is_holiday(day) else self.hours.get(WEEKDAYS[day.weekday()], ())
        for start, end in said:
            opens, closes = self._moment(day, start), self._moment(day, end)
            if opens < closes:  # else the clocks went forward over it
                yield opens, closes

    def _moment(self, day: date, clock: str) -> datetime:
        if clock == "24:00":
            day, clock = day + DAY, "00:00"
        return datetime.combine(day, time.fromisoformat(clock), self.zone).astimezone(UTC)

    def _is_holiday(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.holidays)

    def days_from(self, day: date, step: timedelta) -> Iterator[tuple[date, tuple[Hours, ...]]]:
        """Days of work, that day included. Raises BadInput where there are none for years."""
        idle = 0
        while idle < LONGEST_BREAK_DAYS:
            found = self.hours_of(day)
            if found:
                yield day, found
            idle = 0 if found else idle + 1
            day += step
        raise out_of_reach(self.name)

    def at_work(self, moment: datetime, *, is_back: bool) -> tuple[date, datetime]:
        """The next moment of work, or the last before: that one itself while people work. And its day."""
        # The day before may work until midnight, which is the day after.
        first = moment.astimezone(self.zone).date() + (DAY if is_back else -DAY)
        for day, hours in self.days_from(first, -DAY if is_back else DAY):
            for opens, closes in reversed(hours) if is_back else hours:
                if is_back and opens <= moment:
                    return day, min(moment, closes)
                if not is_back and moment <= closes:
                    return day, max(moment, opens)
        raise AssertionError("days go on")

    def hours_after(self, start: datetime, left: timedelta, *, is_back: bool) -> datetime:
        day, moment = self.at_work(start, is_back=is_back)
        left = abs(left)
        for _, hours in self.days_from(day, -DAY if is_back else DAY):
            for opens, closes in reversed(hours) if is_back else hours:
                there = (min(moment, closes) - opens) if is_back else (closes - max(moment, opens))
                if there < timedelta():
                    continue
                if left <= there:
                    return min(moment, closes) - left if is_back else max(moment, opens) + left
                left -= there
        raise AssertionError("days go on")

    def days_after(self, start: datetime, count: int) -> datetime:
        is_back = count < 0
        day, moment = self.at_work(start, is_back=is_back)
        if count == 0:
            return moment
        clock = moment.astimezone(self.zone).time()
        ends_at_midnight = moment.astimezone(self.zone).date() > day
        for passed, (there, hours) in enumerate(self.days_from(day, -DAY if is_back else DAY)):
            if passed == abs(count):
                wall = there + DAY if ends_at_midnight else there
                return within(hours, datetime.combine(wall, clock, self.zone).astimezone(UTC), is_back=is_back)
        raise AssertionError("days go on")


def within(hours: tuple[Hours, ...], moment: datetime, *, is_back: bool) -> datetime:
    """The moment of work that is nearest: in a break, the end of it (backwards: its beginning)."""
    index = bisect_left(hours, moment, key=lambda one: one[1])  # the first that closes at or after it
    if index == len(hours):
        return hours[-1][1]
    if is_back and moment < hours[index][0] and index > 0:
        return hours[index - 1][1]
    return max(moment, hours[index][0])


def reckoner(snapshot: Snapshot, name: str) -> Reckoner:
    found: Reckoner | None = snapshot.cache.get(("calendar", name))
    if found is None:
        found = snapshot.cache["calendar", name] = made(chosen(snapshot, name))
    return found


def chosen(snapshot: Snapshot, name: str) -> Calendar:
    calendars = snapshot.definitions.processes.calendars
    if name:
        if name not in calendars:
            raise BadInput(f"there is no calendar '{name}'", code="calendar.unknown")
        return calendars[name]
    default = next((one for one in calendars.values() if one.is_default), None)
    return default or Calendar("", {}, hours=OFFICE_HOURS)


def made(calendar: Calendar) -> Reckoner:
    holidays = sorted(
        (date.fromisoformat(one.date), date.fromisoformat(one.until or one.date)) for one in calendar.holidays
    )
    workdays = frozenset(date.fromisoformat(text) for text in calendar.workdays)
    return Reckoner(calendar.name, ZoneInfo(calendar.zone), calendar.hours, tuple(holidays), workdays)


def out_of_reach(name: str) -> BadInput:
    return BadInput(f"the calendar '{name}' does not reach that far", code="calendar.reach", fix="look at its hours")
