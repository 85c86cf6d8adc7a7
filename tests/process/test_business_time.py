from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from engine.errors import BadInput
from engine.process.business_time import moment_after, worked_between, zone_of
from metadata.build.calendars import OFFICE_HOURS
from metadata.processes import Calendar, Holiday, Processes, Span

SPLIT = (("09:00", "12:00"), ("13:00", "18:00"))
CALENDARS = {
    # The State Council's for 2026: off from 1 to 7 October, at work on Saturday 10 October and Sunday 20 September.
    "china": Calendar(
        "china", {}, zone="Asia/Shanghai", hours=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), SPLIT),
        holidays=(Holiday("2026-10-01", "2026-10-07"),), workdays=("2026-09-20", "2026-10-10"),
    ),
    "berlin": Calendar(
        "berlin", {}, zone="Europe/Berlin",
        hours={"mon": (("09:00", "17:00"),), "tue": (("09:00", "17:00"),), "wed": (("09:00", "12:00"),),
               "sun": (("01:00", "05:00"),)},
    ),
    "night": Calendar(
        "night", {}, hours={"mon": (("20:00", "24:00"),), "tue": (("00:00", "04:00"), ("20:00", "24:00"))}
    ),
    "never": Calendar(
        "never", {}, hours={"mon": (("09:00", "17:00"),)}, holidays=(Holiday("2026-01-01", "2999-12-31"),)
    ),
}  # fmt: skip


def snapshot(**calendars: Calendar) -> Any:
    processes = Processes(calendars=calendars)
    return SimpleNamespace(cache={}, definitions=SimpleNamespace(processes=processes))


ALL = snapshot(**CALENDARS)


def at(text: str) -> datetime:
    """Shanghai's is +08:00, Berlin's +01:00 or +02:00."""
    return datetime.fromisoformat(text).astimezone(UTC)


CASES = [
    # three workdays from the day before the National Day week: 8, 9 and the Saturday that makes up for it
    ("china", "2026-09-30T15:00+08:00", 3, "workdays", "2026-10-10T15:00+08:00"),
    ("china", "2026-09-30T15:00+08:00", 1, "workdays", "2026-10-08T15:00+08:00"),
    ("china", "2026-09-30T15:00+08:00", 4, "workdays", "2026-10-12T15:00+08:00"),
    ("china", "2026-10-12T15:00+08:00", -4, "workdays", "2026-09-30T15:00+08:00"),
    ("china", "2026-09-18T15:00+08:00", 1, "workdays", "2026-09-20T15:00+08:00"),
    # in the week off it is reckoned from the morning after, backwards from the evening before
    ("china", "2026-10-03T15:00+08:00", 1, "workdays", "2026-10-09T09:00+08:00"),
    ("china", "2026-10-03T15:00+08:00", -1, "workdays", "2026-09-29T18:00+08:00"),
    ("china", "2026-10-03T15:00+08:00", 2, "workhours", "2026-10-08T11:00+08:00"),
    ("china", "2026-10-03T15:00+08:00", -2, "workhours", "2026-09-30T16:00+08:00"),
    ("china", "2026-10-03T15:00+08:00", 0, "workdays", "2026-10-08T09:00+08:00"),
    ("china", "2026-10-03T15:00+08:00", 0, "workhours", "2026-10-08T09:00+08:00"),
    ("china", "2026-10-03T15:00+08:00", 0, "days", "2026-10-03T15:00+08:00"),
    ("china", "2026-10-09T15:00+08:00", 0, "workdays", "2026-10-09T15:00+08:00"),
    # lunch is no work, and ends of hours are
    ("china", "2026-10-08T12:30+08:00", 1, "workhours", "2026-10-08T14:00+08:00"),
    ("china", "2026-10-08T11:30+08:00", 1, "workhours", "2026-10-08T13:30+08:00"),
    ("china", "2026-10-08T09:00+08:00", 8, "workhours", "2026-10-08T18:00+08:00"),
    ("china", "2026-10-08T18:00+08:00", 1, "workdays", "2026-10-09T18:00+08:00"),
    ("china", "2026-10-08T18:00+08:00", 1, "workhours", "2026-10-09T10:00+08:00"),
    ("china", "2026-10-08T07:00+08:00", 1, "workdays", "2026-10-09T09:00+08:00"),
    ("china", "2026-10-08T20:00+08:00", 1, "workdays", "2026-10-10T09:00+08:00"),
    ("china", "2026-10-08T09:30+08:00", -1, "workhours", "2026-09-30T17:30+08:00"),
    # 24 workhours are three days of eight
    ("china", "2026-09-30T15:00+08:00", 24, "workhours", "2026-10-10T15:00+08:00"),
    # a half day ends at noon
    ("berlin", "2026-11-24T15:00+01:00", 1, "workdays", "2026-11-25T12:00+01:00"),
    ("berlin", "2026-11-24T10:00+01:00", 1, "workdays", "2026-11-25T10:00+01:00"),
    ("berlin", "2026-11-24T16:00+01:00", 5, "workhours", "2026-11-29T02:00+01:00"),
    # the clocks: 29 March has no 02:00, 25 October has it twice
    ("berlin", "2026-03-24T16:00+01:00", 7, "workhours", "2026-03-29T05:00+02:00"),
    ("berlin", "2026-10-25T00:00+02:00", 3, "workhours", "2026-10-25T03:00+01:00"),
    ("berlin", "2026-03-28T12:00+01:00", 1, "days", "2026-03-29T12:00+02:00"),
    ("berlin", "2026-03-28T12:00+01:00", 24, "hours", "2026-03-29T13:00+02:00"),
    ("berlin", "2026-03-28T12:00+01:00", -90, "minutes", "2026-03-28T10:30+01:00"),
    ("night", "2026-11-23T23:00+00:00", 2, "workhours", "2026-11-24T01:00+00:00"),
    ("night", "2026-11-24T00:00+00:00", 1, "workhours", "2026-11-24T01:00+00:00"),
    ("night", "2026-11-24T05:00+00:00", -5, "workhours", "2026-11-23T23:00+00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("calendar", "start", "amount", "unit", "expected"), CASES)
def test_moments(calendar: str, start: str, amount: int, unit: Any, expected: str) -> None:
    assert moment_after(ALL, at(start), Span(amount, unit), calendar) == at(expected)


def test_the_default_calendar_and_office_hours_where_there_is_none() -> None:
    friday = at("2026-11-27T16:00+00:00")
    assert moment_after(ALL, friday, Span(2, "workhours")) == at("2026-11-30T10:00+00:00")
    home = snapshot(home=Calendar("home", {}, zone="Asia/Tokyo", hours=OFFICE_HOURS, is_default=True))
    assert moment_after(home, friday, Span(2, "workhours")) == at("2026-11-30T11:00+09:00")
    assert str(zone_of(home)) == "Asia/Tokyo"
    assert str(zone_of(ALL)) == "UTC"


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-09-30T15:00+08:00", "2026-10-10T15:00+08:00", 24.0),
        ("2026-10-08T11:30+08:00", "2026-10-08T13:30+08:00", 1.0),
        ("2026-10-01T00:00+08:00", "2026-10-07T23:00+08:00", 0.0),
        ("2026-10-10T15:00+08:00", "2026-09-30T15:00+08:00", -24.0),
        ("2026-10-08T10:00+08:00", "2026-10-08T10:00+08:00", 0.0),
    ],
)
def test_hours_of_work_between_two_moments(start: str, end: str, hours: float) -> None:
    assert worked_between(ALL, at(start), at(end), "china") == timedelta(hours=hours)


def test_where_nobody_works_any_more_nothing_runs_for_ever() -> None:
    with pytest.raises(BadInput) as refusal:
        moment_after(ALL, at("2026-11-27T16:00+00:00"), Span(1, "workdays"), "never")
    assert refusal.value.code == "calendar.reach"
    with pytest.raises(BadInput) as refusal:
        moment_after(ALL, at("2026-11-27T16:00+00:00"), Span(10**9, "days"), "china")
    assert refusal.value.code == "calendar.reach"
    with pytest.raises(BadInput) as refusal:
        moment_after(ALL, at("2026-11-27T16:00+00:00"), Span(1, "days"), "nowhere")
    assert refusal.value.code == "calendar.unknown"
