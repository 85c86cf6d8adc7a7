"""What a rule does for many records it does for each: also where it is refused, broken, or others are in the way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from engine.errors import Busy, EngineError
from engine.process import door
from engine.process.automation import desk
from engine.service import Query
from engine.store import system_jobs
from engine.testing import Running
from tests.automation.conftest import made_in

Made = Callable[..., Running]
NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)


def refusals(site: Running, count: int) -> list[tuple[str, str]]:
    operations = [{"action": "create", "values": {"name": "same", "score": 7}} for _ in range(count)]
    results = site.records("lin").batch("lead", operations, atomic=False)
    return [(one.error.code, str(one.error)) for one in results if one.error is not None]


def test_a_step_that_is_broken_refuses_each_of_many_records(firm: Made) -> None:
    site = firm("""
automation: rated
object: lead
when: "score > 5"
do: [{set: {rating: "=name"}}]
""")
    [one] = refusals(site, 1)
    assert one == (
        "automation.broken",
        "step 1 of 'rated', 'set', cannot be carried out: 'same' is not one of cold, warm, hot",
    )
    assert refusals(site, 3) == [one, one, one]


MARKED = """
automation: marked
object: lead
when: "score > 5"
becomes: true
do: [{set: {key: "same"}}]
---
automation: scored
object: account
when: "region == 'east'"
do: [{update: {object: lead, filter: "account == record.id", values: {score: 9}}}]
"""


def test_what_refuses_many_records_is_said_as_of_one(firm: Made) -> None:
    site = firm(MARKED)
    account = site.records().create("account", {"name": "A"})["id"]
    for name in "abc":
        site.records("lin").create("lead", {"name": name, "score": 1, "account": account})
    with pytest.raises(EngineError) as refusal:
        site.records("lin").update("account", account, {"region": "east"})
    said = "'scored' could not update: 'marked' could not set: another lead has the same 'key'"
    assert (refusal.value.code, str(refusal.value)) == ("value.unique", said)
    found = desk.list_runs(site.context("boss"), automation="marked").runs[0]
    assert (found.error, found.outputs["failed_step"]) == ("'marked' could not set: another lead has the same 'key'", 0)


def test_a_deletion_tells_what_the_save_before_it_told(firm: Made) -> None:
    site = firm("""
automation: told
object: lead
on: [create, update, delete]
do:
  - {webhook: {url: "https://example.com/told"}}
  - {notify: {to: {user: boss}, subject: told}}
""")
    made = site.records("lin").create("lead", {"name": "a"})["id"]
    site.records("lin").delete("lead", made)
    job, notification = system_jobs.job, system_jobs.notification
    count = sa.select(sa.func.count())
    with site.tenant.database.read() as connection:
        calls = connection.sa.scalar(count.select_from(job).where(job.c.kind == "webhook"))
        told = connection.sa.scalar(count.select_from(notification).where(notification.c.kind == "automation"))
    assert (calls, told) == (2, 2)


LATE = """
automation: late
object: lead
phase: after_commit
on: [create]
do: [{create: {object: task, values: {name: made}}}]
"""


def test_a_run_whose_step_others_were_in_the_way_of_is_tried_again(firm: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    site = firm(LATE)
    site.records("lin").create("lead", {"name": "a"})

    def fails(*args: Any) -> None:
        raise psycopg.errors.DeadlockDetected("deadlock detected")

    with monkeypatch.context() as patched:
        patched.setattr(door, "create", fails)
        site.work()
    [run] = desk.list_runs(site.context("boss")).runs
    assert (run.state, run.due_at) == ("waiting", NOW + timedelta(seconds=10))
    site.work(NOW + timedelta(seconds=10))
    assert desk.list_runs(site.context("boss")).runs[0].state == "done"


def test_a_save_whose_step_others_were_in_the_way_of_is_busy(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in made_in(postgres_url):
        site = made(LATE.replace("after_commit", "after_save"))

        def fails(*args: Any) -> None:
            raise psycopg.errors.DeadlockDetected("deadlock detected")

        monkeypatch.setattr(door, "create", fails)
        with pytest.raises(Busy):
            site.records("lin").create("lead", {"name": "a"})


def test_a_rule_is_asked_again_of_a_record_that_its_own_steps_have_changed(firm: Made) -> None:
    site = firm("""
automation: first
object: lead
on: [update]
when: "rating == null and score == 9"
do:
  - {update: {object: lead, filter: "account == record.account", values: {rating: hot}}}
  - {create: {object: task, values: {name: "{name}"}}}
---
automation: scored
object: account
when: "region == 'east'"
do: [{update: {object: lead, filter: "account == record.id", values: {score: 9}}}]
""")
    account = site.records().create("account", {"name": "A"})["id"]
    for name in "abc":
        site.records("lin").create("lead", {"name": name, "score": 1, "account": account})
    site.records("lin").update("account", account, {"region": "east"})
    tasks = site.records().list(Query("task", ("name",))).records
    assert [one["name"] for one in tasks] == ["a"]


def test_who_is_gone_is_missed_by_the_saves_only_that_a_rule_is_about(light_firm: Made) -> None:
    site = light_firm("""
automation: acted
object: lead
phase: before_save
on: [update]
changed: [score]
run_as: nobody
do: [{set: {hint: x}}]
""")
    made = site.records("lin").create("lead", {"name": "a"})["id"]
    site.records("lin").update("lead", made, {"name": "b"})
    with pytest.raises(EngineError) as refusal:
        site.records("lin").update("lead", made, {"score": 1})
    assert refusal.value.code == "automation.identity"


def test_the_key_of_a_call_may_be_any_text(firm: Made) -> None:
    site = firm("""
automation: lead_in
webhook: {key: body.id}
do: [{create: {object: task, values: {name: made}}}]
""")
    client = site.client("lin")
    answers = [client.post("/api/v1/hooks/lead_in", json={"id": one}) for one in ("a\0b", "a\0b", "ab")]
    assert [one.status_code for one in answers] == [202, 200, 202]


def test_a_step_that_finds_more_than_it_may_change_says_so(light_firm: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    site = light_firm("""
automation: done
object: account
run_as: boss
button: true
do:
  - {update: {object: task, filter: "state == 'open'", values: {state: done}, most: 2}, as: first}
  - {update: {object: task, filter: "state == 'open'", values: {state: done}, most: 2}, as: second}
""")
    for name in "abc":
        site.records("lin").create("task", {"name": name})
    monkeypatch.setattr(door, "MOST_FOUND", 2)
    run = desk.press(site.context("boss"), "account", site.records().create("account", {"name": "A"})["id"], "done")
    assert run.outputs == {
        "first": {"object": "task", "count": 2, "cut": True},
        "second": {"object": "task", "count": 1},
    }
