"""Calendars of business hours: a year of each at a glance."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from babel.dates import get_day_names, get_month_names
from starlette.responses import Response

from metadata.processes import Calendar
from ui.screens.setup import need_processes, setup_tabs
from ui.visit import Visit

__all__ = ["calendars_page"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR, LAST_YEAR = 1970, 2200
ONE_DAY = timedelta(days=1)
View = dict[str, Any]


def calendars_page(visit: Visit) -> Response:
    need_processes(visit)
    calendars = visit.ctx.snapshot.definitions.processes.calendars
    asked = visit.request.query_params
    default = next((one.name for one in calendars.values() if one.is_default), next(iter(calendars), ""))
    chosen = calendars.get(asked.get("calendar", "")) or calendars.get(default)
    text = asked.get("year", "")
    year = int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else visit.ctx.today.year
    year = min(max(year, FIRST_YEAR), LAST_YEAR)
    return visit.render(
        "calendars.html", title=visit.say("Calendars"), current="setup", tabs=setup_tabs(visit, "calendars"),
        calendars=[
            {"name": one.name, "label": visit.text(one.label), "is_chosen": one is chosen, "is_default": one.is_default}
            for one in calendars.values()
        ],
        calendar=calendar_view(visit, chosen, year) if chosen else None,
    )  # fmt: skip


def calendar_view(visit: Visit, calendar: Calendar, year: int) -> View:
    holidays = named_days(visit, calendar)
    short = get_day_names("narrow", "stand-alone", locale=visit.formats.locale)
    wide = get_day_names("wide", "stand-alone", locale=visit.formats.locale)
    months = get_month_names("wide", "stand-alone", locale=visit.formats.locale)
    return {
        "name": calendar.name, "label": visit.text(calendar.label), "zone": calendar.zone, "year": year,
        "before": year - 1, "after": year + 1, "is_default": calendar.is_default,
        "weekdays": [{"short": short[n], "wide": wide[n]} for n in range(7)],
        "hours": [{"day": wide[n], "spans": spans_text(calendar, day)} for n, day in enumerate(DAYS)],
        "months": [
            {"label": months[month], "weeks": list(weeks_of(visit, calendar, holidays, year, month))}
            for month in range(1, 13)
        ],
        "breaks": list(breaks_of(visit, calendar, year)),
        "extra": [visit.formats.date(date.fromisoformat(one)) for one in sorted(calendar.workdays)
                  if one.startswith(f"{year}-")],
        "count": visit.formats.number(sum(is_work(calendar, holidays, one) for one in days_of(year))),
    }  # fmt: skip


def spans_text(calendar: Calendar, day: str) -> str:
    return ", ".join(f"{start}–{end}" for start, end in calendar.hours.get(day, ()))


def named_days(visit: Visit, calendar: Calendar) -> dict[date, str]:
    """Each day off by a holiday, with its name."""
    found: dict[date, str] = {}
    for one in calendar.holidays:
        day, last = date.fromisoformat(one.date), date.fromisoformat(one.until or one.date)
        while day <= last:
            found[day] = visit.text(one.label)
            day += ONE_DAY
    return found


def days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += ONE_DAY


def is_work(calendar: Calendar, holidays: dict[date, str], day: date) -> bool:
    if day.isoformat() in calendar.workdays:
        return True
    return day not in holidays and bool(calendar.hours.get(DAYS[day.weekday()]))


def weeks_of(
    visit: Visit, calendar: Calendar, holidays: dict[date, str], year: int, month: int
) -> Iterator[list[View | None]]:  # fmt: skip
    """Weeks from Monday; None where the day is of another month."""
    day = date(year, month, 1)
    week: list[View | None] = [None] * day.weekday()
    while day.month == month:
        week.append(day_view(visit, calendar, holidays, day))
        if len(week) == 7:
            yield week
            week = []
        day += ONE_DAY
    if week:
        yield week + [None] * (7 - len(week))


def day_view(visit: Visit, calendar: Calendar, holidays: dict[date, str], day: date) -> View:
    """`kind`: work, free, holiday, or extra for a day of work that would be free."""
    says = visit.say("Holiday")
    if day.isoformat() in calendar.workdays:
        kind, says = "extra", visit.say("Make-up workday")
    elif day in holidays:
        kind, says = "holiday", holidays[day] or says
    else:
        kind, says = ("work" if is_work(calendar, holidays, day) else "free"), ""
    return {"n": day.day, "kind": kind, "says": says, "is_today": day == visit.ctx.today}


def breaks_of(visit: Visit, calendar: Calendar, year: int) -> Iterator[View]:
    """Holidays that touch the year, in their order."""
    for one in sorted(calendar.holidays, key=lambda holiday: holiday.date):
        first, last = date.fromisoformat(one.date), date.fromisoformat(one.until or one.date)
        if first.year <= year <= last.year:
            shown = visit.formats.date(first)
            when = shown if first == last else f"{shown} – {visit.formats.date(last)}"
            yield {"label": visit.text(one.label) or visit.say("Holiday"), "when": when,
                   "days": visit.formats.number((last - first).days + 1)}  # fmt: skip
