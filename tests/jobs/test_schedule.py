from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.context import Context
from engine.jobs import schedule
from engine.jobs.handlers import Job, inside
from engine.jobs.port import enqueue
from engine.jobs.worker import Worker
from engine.store.database import Connection
from engine.testing import Running
from tests.jobs.conftest import NOTES, NOW


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(autouse=True)
def sources() -> Iterator[None]:
    kept = list(schedule.SOURCES)
    schedule.SOURCES.clear()
    yield
    schedule.SOURCES[:] = kept


@pytest.mark.parametrize(
    ("policy", "until", "expected"),
    [
        ("catch_up_all", "2026-11-25T10:30", ["2026-11-23T01:00", "2026-11-24T01:00", "2026-11-25T01:00"]),
        ("catch_up_last", "2026-11-25T10:30", ["2026-11-25T01:00"]),
        ("skip", "2026-11-25T10:30", []),
        ("skip", "2026-11-25T01:04", ["2026-11-25T01:00"]),
        ("catch_up_last", "2026-11-23T00:59", []),
    ],
)
def test_due_times_after_three_days_of_downtime(policy: schedule.Policy, until: str, expected: list[str]) -> None:
    found = schedule.due_times("0 9 * * *", "Asia/Shanghai", at("2026-11-22T10:30"), at(until), policy)
    assert found == [at(text) for text in expected]


def test_each_due_time_is_taken_once_and_a_new_schedule_begins_now(site: Running) -> None:
    def take(now: str) -> list[datetime]:
        with site.tenant.database.write() as connection:
            return schedule.take_due(connection, "daily", "0 9 * * *", "Asia/Shanghai", at(now), "catch_up_all")

    assert take("2026-11-22T02:15") == []
    assert take("2026-11-23T00:59") == []
    assert take("2026-11-24T01:00") == [at("2026-11-23T01:00"), at("2026-11-24T01:00")]
    assert take("2026-11-24T01:00") == []
    assert take("2026-11-23T01:00") == []  # a clock that is behind
    assert take("2026-11-25T01:00") == [at("2026-11-25T01:00")]


def daily(ctx: Context, connection: Connection, now: datetime) -> datetime | None:
    for due in schedule.take_due(connection, "daily", "0 9 * * *", "Asia/Shanghai", now, "catch_up_all"):
        enqueue(connection, "daily", {"due": due.isoformat()}, now=now, due_at=due, key=f"daily {due.isoformat()}")
    return schedule.next_time("0 9 * * *", "Asia/Shanghai", now)


def test_after_three_days_of_downtime_each_due_time_is_carried_out_once_by_whichever_worker(site: Running) -> None:
    schedule.SOURCES.append(daily)
    seen: list[str] = []

    @inside("daily")
    def note(job: Job, connection: Connection) -> None:
        seen.append(job.payload["due"])

    one, other = Worker(site.site), Worker(site.site)
    for worker in (one, other):
        worker.run_until_idle(NOW)
    for worker in (one, other, one):
        worker.run_until_idle(NOW + timedelta(days=3))
    assert seen == ["2026-11-23T01:00:00+00:00", "2026-11-24T01:00:00+00:00", "2026-11-25T01:00:00+00:00"]


def test_a_source_is_called_when_it_wants_to_be_and_when_definitions_change(site: Running) -> None:
    calls: list[datetime] = []

    def source(ctx: Context, connection: Connection, now: datetime) -> datetime | None:
        calls.append(now)
        return NOW + timedelta(hours=1)

    schedule.SOURCES.append(source)
    for minutes in (0, 1, 59, 60):
        site.work(NOW + timedelta(minutes=minutes))
    assert calls == [NOW, NOW + timedelta(hours=1)]
    site.publish(NOTES.replace("1.0.0", "1.1.0").replace("label: Note\n", "label: Remark\n"))
    site.work(NOW + timedelta(hours=1))
    assert len(calls) == 3


def test_a_source_that_fails_leaves_nothing_and_keeps_nobody_waiting(site: Running) -> None:
    seen: list[str] = []

    @inside("tick")
    def note(job: Job, connection: Connection) -> None:
        seen.append(job.payload["by"])

    def broken(ctx: Context, connection: Connection, now: datetime) -> datetime | None:
        enqueue(connection, "tick", {"by": "broken"}, now=now)
        raise ValueError

    def sound(ctx: Context, connection: Connection, now: datetime) -> datetime | None:
        enqueue(connection, "tick", {"by": "sound"}, now=now)
        return None

    schedule.SOURCES += [broken, sound]
    site.work(NOW)
    assert seen == ["sound"]
    site.work(NOW + timedelta(seconds=59))
    assert seen == ["sound"]
    site.work(NOW + timedelta(seconds=60))
    assert seen == ["sound", "sound"]
