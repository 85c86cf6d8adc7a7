import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from engine.jobs import store, worker
from engine.jobs.handlers import GivenUp, Job, inside, outside
from engine.jobs.port import enqueue
from engine.jobs.renewal import Renewals
from engine.jobs.worker import Worker
from engine.service import Query, Records
from engine.store import system, system_jobs
from engine.store.database import Connection
from engine.testing import Running
from tests.jobs.conftest import NOW


def put(site: Running, kind: str = "note", *, key: str | None = None, due_at: datetime | None = None,
        **payload: Any) -> str | None:  # fmt: skip
    with site.tenant.database.write() as connection:
        return enqueue(connection, kind, payload, now=site.now, key=key, due_at=due_at)


def rows(site: Running, *columns: str) -> list[tuple[Any, ...]]:
    table = system_jobs.job
    with site.tenant.database.read() as connection:
        found = connection.sa.execute(sa.select(*(table.c[name] for name in columns)).order_by(table.c.id)).all()
    return [tuple(row) for row in found]


def notes(site: Running) -> list[str]:
    return sorted(row["name"] for row in site.records().list(Query("note", fields=("name",))).records)


def write_note(job: Job, connection: Connection) -> None:
    Records(job.ctx).create("note", {"name": job.payload["name"]})


def test_a_job_runs_after_its_transaction_and_once(site: Running) -> None:
    inside("note")(write_note)
    put(site, name="Ada")
    assert site.work() == 1
    assert site.work() == 0
    assert notes(site) == ["Ada"]
    assert rows(site, "state", "tries", "done_at") == [("done", 1, NOW)]


def test_a_job_of_a_transaction_that_was_undone_never_was(site: Running) -> None:
    inside("note")(write_note)

    def undone() -> None:
        with site.tenant.database.write() as connection:
            enqueue(connection, "note", {"name": "Ada"}, now=site.now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert site.work() == 0
    assert notes(site) == []


def test_a_key_is_taken_once(site: Running) -> None:
    inside("note")(write_note)
    assert put(site, key="a", name="Ada") is not None
    assert put(site, key="a", name="Ada") is None
    site.work()
    assert put(site, key="a", name="Ada") is None


def test_a_job_is_not_begun_before_it_is_due(site: Running) -> None:
    inside("note")(write_note)
    put(site, name="Ada", due_at=NOW + timedelta(hours=1))
    assert site.work(NOW + timedelta(minutes=59)) == 0
    assert site.work(NOW + timedelta(hours=1)) == 1


def test_jobs_run_in_the_order_in_which_they_are_due_with_those_they_leave(site: Running) -> None:
    seen: list[str] = []

    @inside("chain")
    def chain(job: Job, connection: Connection) -> None:
        seen.append(job.payload["name"])
        if job.payload["name"] == "first":
            enqueue(connection, "chain", {"name": "third"}, now=job.now)

    put(site, "chain", name="second", due_at=NOW)
    put(site, "chain", name="first", due_at=NOW - timedelta(minutes=1))
    assert site.work() == 3
    assert seen == ["first", "second", "third"]


def test_what_fails_is_undone_and_tried_again_later_and_later_and_parked_in_the_end(site: Running) -> None:
    tried: list[int] = []

    @inside("note")
    def fails(job: Job, connection: Connection) -> None:
        write_note(job, connection)
        tried.append(job.tries)
        raise ValueError("no luck")

    put(site, name="Ada")
    now, waits = NOW, []
    while site.work(now) == 1:
        state, due_at = rows(site, "state", "due_at")[0]
        if state == "parked":
            break
        waits.append(int((due_at - now).total_seconds()))
        assert site.work(due_at - timedelta(milliseconds=1)) == 0
        now = due_at
    assert waits == [10, 60, 300, 1800, 7200, 21600]
    assert tried == [1, 2, 3, 4, 5, 6, 7]
    assert rows(site, "state", "error", "tries") == [("parked", "ValueError: no luck", 7)]
    assert notes(site) == []
    assert site.work(now + timedelta(days=30)) == 0


def test_what_may_never_succeed_is_parked_at_once(site: Running) -> None:
    @outside("call")
    def gone(job: Job) -> None:
        raise GivenUp("the other side is gone")

    put(site, "call")
    site.work()
    assert rows(site, "state", "error", "tries") == [("parked", "the other side is gone", 1)]


def test_a_job_that_cannot_be_read_keeps_no_other_waiting(site: Running) -> None:
    inside("note")(write_note)
    put(site, name="Ada")
    with site.tenant.database.write() as connection:
        connection.sa.execute(sa.update(system_jobs.job).values(payload="{"))
    put(site, name="Bob")
    site.work()
    assert rows(site, "state", "tries") == [("waiting", 1), ("done", 1)]


def test_a_kind_that_nobody_knows_waits_for_a_release_that_does(site: Running) -> None:
    put(site, "unknown")
    site.work()
    assert rows(site, "state", "error") == [("waiting", "nothing here carries out jobs of the kind 'unknown'")]


def test_an_outside_effect_keeps_its_id_from_try_to_try_and_writes_down_what_came_of_it(site: Running) -> None:
    seen: list[tuple[str, int]] = []

    @outside("call")
    def call(job: Job) -> Any:
        seen.append((job.id, job.tries))
        if job.tries == 1:
            raise OSError("line is dead")
        return lambda connection: write_note(job, connection)

    key = put(site, "call", name="called")
    site.work()
    assert notes(site) == []
    site.work(NOW + timedelta(seconds=10))
    assert seen == [(key, 1), (key, 2)]
    assert notes(site) == ["called"]


def test_an_outside_effect_runs_in_no_transaction(site: Running) -> None:
    @outside("call")
    def call(job: Job) -> None:
        with site.tenant.database.write() as connection:  # would wait for itself
            enqueue(connection, "other", {}, now=job.now, due_at=job.now + timedelta(days=1))

    put(site, "call")
    assert site.work() == 1
    assert sorted(rows(site, "kind", "state")) == [("call", "done"), ("other", "waiting")]


def test_the_job_of_a_worker_that_ended_is_taken_up_by_another_after_a_minute(site: Running) -> None:
    inside("note")(write_note)
    put(site, name="Ada")
    with site.tenant.database.write() as connection:
        assert store.lease(connection, "killed", NOW, 8) is not None
    assert site.work(NOW + timedelta(seconds=59)) == 0
    assert site.work(NOW + timedelta(seconds=60)) == 1
    assert rows(site, "state", "tries") == [("done", 2)]


def test_a_job_that_kills_its_workers_is_parked(site: Running) -> None:
    put(site, name="Ada")
    now = NOW
    for _ in range(7):
        with site.tenant.database.write() as connection:
            store.recover(connection, now)
            assert store.lease(connection, "killed", now, 8) is not None
        now += timedelta(minutes=1)
    assert site.work(now) == 0
    assert rows(site, "state", "error") == [("parked", "its worker ended while it ran, 7 times")]


def test_a_worker_that_was_away_for_too_long_undoes_what_it_did(site: Running) -> None:
    put(site, name="Ada")
    late, other = Worker(site.site), Worker(site.site)
    held = late.taken(NOW)
    assert held is not None
    inside("note")(write_note)
    assert other.run_until_idle(NOW + timedelta(minutes=2)) == 1
    assert late.carry_out(held, NOW + timedelta(minutes=2), more=True) is None
    assert notes(site) == ["Ada"]
    assert rows(site, "state", "tries") == [("done", 2)]


def test_a_worker_that_was_away_for_too_long_neither_renews_the_lease_nor_says_that_it_failed(site: Running) -> None:
    put(site, name="Ada")
    late, other = Worker(site.site), Worker(site.site)
    held = late.taken(NOW)
    assert held is not None
    other.look_after(NOW + timedelta(minutes=2))
    assert other.taken(NOW + timedelta(minutes=2)) is not None
    with site.tenant.database.write() as connection:
        assert store.renew(connection, held, NOW + timedelta(minutes=9)) is False
    assert late.failed(held, ValueError("late"), NOW + timedelta(minutes=2), more=False) is None
    assert rows(site, "state", "tries", "error", "leased_until") == [("leased", 2, None, NOW + timedelta(minutes=3))]


def test_who_leases_the_next_job_passes_over_what_another_is_leasing(site: Running) -> None:
    put(site, name="Ada")
    put(site, name="Bob")
    found: list[store.Leased | None] = []

    def lease() -> None:
        with site.tenant.database.write() as connection:
            found.append(store.lease(connection, "other", NOW, 8, instead=True))

    thread = threading.Thread(target=lease)
    with site.tenant.database.write() as connection:
        found.append(store.lease(connection, "one", NOW, 8, instead=True))
        thread.start()
        thread.join(1 if site.tenant.database.dialect == "sqlite" else 60)
        waits = thread.is_alive()
    thread.join()
    assert waits == (site.tenant.database.dialect == "sqlite")  # which has one writer
    assert [one.payload for one in found if one is not None] == ['{"name":"Ada"}', '{"name":"Bob"}']


def test_no_more_than_so_many_of_a_tenant_are_leased_at_once(site: Running) -> None:
    for _ in range(3):
        put(site, name="Ada")
    with site.tenant.database.write() as connection:
        assert [store.lease(connection, "w", NOW, 2) is not None for _ in range(3)] == [True, True, False]


def test_a_lease_is_renewed_for_as_long_as_the_job_takes(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RENEWALS", Renewals(after_s=0.02))
    seen: list[datetime] = []

    @outside("call")
    def call(job: Job) -> None:
        deadline = datetime.now(UTC) + timedelta(seconds=5)
        while datetime.now(UTC) < deadline and (not seen or seen[-1] == NOW + store.LEASE):
            seen.append(rows(site, "leased_until")[0][0])

    put(site, "call")
    assert site.work() == 1
    assert seen[0] == NOW + timedelta(seconds=60)
    assert seen[-1] > NOW + timedelta(seconds=60)


def test_jobs_that_are_done_are_kept_for_a_week(site: Running) -> None:
    inside("note")(write_note)
    put(site, name="Ada")
    site.work()
    site.work(NOW + timedelta(days=7) - timedelta(seconds=1))
    assert len(rows(site, "id")) == 1
    site.work(NOW + timedelta(days=7, hours=1))
    assert rows(site, "id") == []


def test_what_a_job_writes_is_the_systems_and_names_the_job(site: Running) -> None:
    inside("note")(write_note)
    key = put(site, name="Ada")
    site.work()
    with site.tenant.database.read() as connection:
        audit = system.audit.c
        found = connection.sa.execute(
            sa.select(audit.channel, audit.request).where(audit.kind == "record.create")
        ).all()
    assert [tuple(row) for row in found] == [("job", key)]
