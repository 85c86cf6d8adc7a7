"""Are calendars sound?"""

from collections.abc import Iterator
from datetime import date

from metadata.assemble import Item
from metadata.check.facts import Facts
from metadata.document import Document
from metadata.problem import Problem, no_such
from metadata.processes import Calendar
from metadata.zones import time_zones

__all__ = ["check"]

LONGEST_HOLIDAY_DAYS = 366
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def check(facts: Facts) -> Iterator[Problem]:
    first: Calendar | None = None
    for item in facts.assembly.processes["calendar"]:
        yield from calendar(item)
        if item.built.is_default and first is not None:
            message = f"'{first.name}' is the default calendar already"
            yield Problem(item.document.at("default"), "calendar.default", message, "leave 'default' out of one")
        elif item.built.is_default:
            first = item.built


def calendar(item: Item[Calendar]) -> Iterator[Problem]:
    built, document = item.built, item.document
    zones = time_zones()
    if built.zone not in zones:
        yield no_such("time zone", built.zone, zones, at=document.at("zone"), code="calendar.zone")
    for day, said in (document.data.get("hours") or {}).items():
        yield from hours(built, day, said, document)
    if not any(built.hours.values()):
        message = f"in the calendar '{built.name}' nobody ever works"
        yield Problem(document.at("hours"), "calendar.empty", message, "write hours, such as 'mon: \"09:00-17:00\"'")
    for index, holiday in enumerate(built.holidays):
        start = day_of(holiday.date)
        until = day_of(holiday.until) if holiday.until else start
        said = document.data["holidays"][index]
        if isinstance(said, str):
            yield from no_day(holiday.date, start, document, "holidays", index)
            continue
        yield from no_day(holiday.date, start, document, "holidays", index, "date")
        yield from no_day(holiday.until, until, document, "holidays", index, "until") if holiday.until else ()
        if start and until and not 0 <= (until - start).days <= LONGEST_HOLIDAY_DAYS:
            message = f"the holiday from {start} ends before it begins, or takes longer than a year"
            yield Problem(document.at("holidays", index, "until"), "calendar.date", message)
    for index, text in enumerate(built.workdays):
        found = day_of(text)
        yield from no_day(text, found, document, "workdays", index)
        if found and built.hours.get(WEEKDAYS[found.weekday()]) and not is_holiday(built, text):
            message = f"{text} is a day of work anyway"
            yield Problem(document.at("workdays", index), "calendar.workday", message, "leave it out", "warning")


def hours(built: Calendar, day: str, said: object, document: Document) -> Iterator[Problem]:
    before = ""
    for index, (start, end) in enumerate(built.hours[day]):
        text = said[index] if isinstance(said, list) else said
        at = document.at("hours", day, index) if isinstance(said, list) else document.at("hours", day)
        if not (is_time(start) and is_time(end)):
            message = f"'{text}' does not say from when to when"
            yield Problem(at, "calendar.hours", message, 'write "09:00-17:00", to "24:00" at the latest')
        elif not start < end:
            yield Problem(at, "calendar.hours", f"{start}-{end} ends before it begins", "split it at midnight")
        elif start < before:
            yield Problem(at, "calendar.hours", f"{start}-{end} begins before {before}", "write them in their order")
        before = end


def is_time(text: str) -> bool:
    hour, _, minute = text.partition(":")
    return bool(text) and (text == "24:00" or (int(hour) < 24 and int(minute) < 60))


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def is_holiday(built: Calendar, day: str) -> bool:
    return any(holiday.date <= day <= (holiday.until or holiday.date) for holiday in built.holidays)


def no_day(text: str, found: date | None, document: Document, *steps: str | int) -> Iterator[Problem]:
    if found is None:
        message = f"'{text}' is no day of the calendar"
        yield Problem(document.at(*steps), "calendar.date", message, "write it as 2026-10-01")
