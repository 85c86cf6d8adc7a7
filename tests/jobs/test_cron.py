from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from metadata.cron import CronError, read_cron

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(expression: str, zone: ZoneInfo, after: str, until: str) -> list[str]:
    return [f"{moment:%m-%d %H:%M}" for moment in read_cron(expression).times(zone, at(after), at(until))]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 9 * * *", ["11-22 01:00", "11-23 01:00"]),
        ("0 9 * * mon-fri", ["11-23 01:00"]),
        ("0 9 * * 1-5", ["11-23 01:00"]),
        ("0 9 * * sun", ["11-22 01:00"]),
        ("0 9 * * 7", ["11-22 01:00"]),
        ("0 9 * * sat-sun", ["11-22 01:00"]),
        ("0 9 23 * sun", ["11-22 01:00", "11-23 01:00"]),
        ("0 9 23 * *", ["11-23 01:00"]),
        ("0 9 * dec *", []),
        (
            "0 8-12/2 * nov *",
            ["11-22 00:00", "11-22 02:00", "11-22 04:00", "11-23 00:00", "11-23 02:00", "11-23 04:00"],
        ),
        ("30 23,1 * * *", ["11-21 17:30", "11-22 15:30", "11-22 17:30", "11-23 15:30"]),
    ],
)
def test_times_of_two_days_in_shanghai(expression: str, expected: list[str]) -> None:
    assert times(expression, SHANGHAI, "2026-11-21T16:00", "2026-11-23T16:00") == expected


def test_the_first_moment_is_left_out_and_the_last_is_not() -> None:
    assert times("*/20 * * * *", BERLIN, "2026-11-22T10:00", "2026-11-22T11:00") == [
        "11-22 10:20", "11-22 10:40", "11-22 11:00",
    ]  # fmt: skip


def test_in_the_hour_that_there_is_not_it_happens_at_its_end_and_once() -> None:
    # 2026-03-29: 02:00 is 03:00 in Berlin, 01:00 UTC
    assert times("15,30 2 * * *", BERLIN, "2026-03-28T12:00", "2026-03-30T12:00") == [
        "03-29 01:00", "03-30 00:15", "03-30 00:30",
    ]  # fmt: skip


def test_in_the_hour_that_there_is_twice_it_happens_once() -> None:
    # 2026-10-25: 03:00 is 02:00 in Berlin, 01:00 UTC
    assert times("30 2 * * *", BERLIN, "2026-10-24T12:00", "2026-10-26T12:00") == ["10-25 00:30", "10-26 01:30"]


def test_what_goes_by_the_hour_goes_on_by_the_hour() -> None:
    assert times("0 * * * *", BERLIN, "2026-03-28T23:00", "2026-03-29T03:00") == [
        "03-29 00:00", "03-29 01:00", "03-29 02:00", "03-29 03:00",
    ]  # fmt: skip
    assert times("0 * * * *", BERLIN, "2026-10-24T23:00", "2026-10-25T03:00") == [
        "10-25 00:00", "10-25 01:00", "10-25 02:00", "10-25 03:00",
    ]  # fmt: skip


def test_the_last_and_the_next() -> None:
    yearly = read_cron("0 0 29 2 *")
    assert yearly.last(ZoneInfo("UTC"), at("2020-01-01"), at("2026-11-22")) == at("2024-02-29")
    assert yearly.last(ZoneInfo("UTC"), at("2025-01-01"), at("2026-11-22")) is None
    assert yearly.next(ZoneInfo("UTC"), at("2024-02-29")) == at("2028-02-29")
    assert yearly.next(ZoneInfo("UTC"), at("2097-01-01")) == at("2104-02-29")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "it has five fields: minute, hour, day of the month, month, weekday"),
        ("* * * *", "it has five fields: minute, hour, day of the month, month, weekday"),
        ("60 * * * *", "'60' is no minute: it is a number from 0 to 59"),
        ("* 24 * * *", "'24' is no hour: it is a number from 0 to 23"),
        ("* * 0 * *", "'0' is no day of the month: it is a number from 1 to 31"),
        ("* * * foo *", "'foo' is no month: it is a number from 1 to 12"),
        ("* * * * 8", "'8' is no weekday: it is a number from 0 to 7"),
        ("*/0 * * * *", "'*/0' is no minute: a step is a number from 1 to 59"),
        ("5-1 * * * *", "'5-1' is no minute: it ends before it begins"),
        ("² * * * *", "'²' is no minute: it is a number from 0 to 59"),
        ("0 0 30 feb *", "there is no such day in those months"),
        ("0 0 31 4,6 *", "there is no such day in those months"),
    ],
)
def test_what_is_no_expression_is_told(expression: str, message: str) -> None:
    with pytest.raises(CronError) as refusal:
        read_cron(expression)
    assert str(refusal.value) == message
