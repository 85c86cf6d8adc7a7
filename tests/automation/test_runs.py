"""What runs by itself: after the transaction, by schedule, by a date, by a call, by a button, by an event."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import EngineError, Forbidden
from engine.process.automation import desk
from engine.process.events import announce, import_finished
from engine.service import Query
from engine.store import system_jobs
from engine.testing import Running
from tests.automation.firm import FIRM

Made = Callable[..., Running]
NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)


def tasks(site: Running) -> list[str]:
    return sorted(one["name"] for one in site.records().list(Query("task", ("name",))).records)


def runs(site: Running, *names: str) -> list[tuple[Any, ...]]:
    found = desk.list_runs(site.context("boss")).runs
    return [tuple(getattr(one, name) for name in names) for one in reversed(found)]


LATER = """
automation: later
object: lead
phase: after_commit
when: "rating == 'hot'"
becomes: true
do:
  - {create: {object: task, values: {name: "Call {name}", lead: "=id"}}, as: task}
  - {set: {hint: "=task.name"}}
"""


def test_what_comes_after_the_commit_runs_as_whoever_saved(firm: Made) -> None:
    site = firm(LATER)
    made = site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    assert made["hint"] is None
    assert runs(site, "state", "automation", "cause", "record") == [("waiting", "later", "save", made["id"])]
    site.work()
    task = site.records().list(Query("task", ("name", "created_by"))).records[0]
    assert (task["name"], task["created_by"]) == ("Call ada", site.user("lin"))
    assert site.records().get("lead", made["id"])["hint"] == "Call ada"
    [run] = desk.list_runs(site.context("boss")).runs
    assert (run.state, run.step, run.outputs["1"]) == ("done", 2, {"hint": "Call ada"})
    assert run.outputs["task"]["object"] == "task"
    site.work()
    assert tasks(site) == ["Call ada"]
    site.records("lin").create("lead", {"name": "bob", "rating": "hot"})
    site.records().update("user", site.user("lin"), {"is_active": False})
    site.work()
    error = "'later' runs as 'lin', and there is no active user of that name"
    assert runs(site, "state", "error")[1] == ("failed", error)


def test_a_save_that_is_refused_leaves_no_run(firm: Made) -> None:
    site = firm(LATER)
    with pytest.raises(EngineError):
        site.records("lin").batch("lead", [
            {"action": "create", "values": {"name": "ada", "rating": "hot"}},
            {"action": "create", "values": {"rating": "hot"}},
        ])  # fmt: skip
    assert runs(site, "state") == []


def test_a_run_that_fails_keeps_its_error_and_is_replayed_by_those_who_may(firm: Made) -> None:
    site = firm(LATER)
    site.records("new").create("lead", {"name": "ada", "rating": "hot"})
    site.work()
    [(run, state, error)] = runs(site, "id", "state", "error")
    assert state == "failed"
    assert "'later' could not create" in error
    with pytest.raises(Forbidden):
        desk.replay(site.context("lin"), run)
    site.publish(_with(LATER, "newcomer", "task: [create, read]"))
    desk.replay(site.context("boss"), run)
    site.work()
    assert runs(site, "state", "error") == [("done", "")]
    assert tasks(site) == ["Call ada"]


def test_a_run_that_is_done_is_done_again_by_whoever_says_so(firm: Made) -> None:
    site = firm(LATER.replace("  - {set:", "  - {webhook: 'https://example.com/hook'}\n  - {set:"))
    site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    with pytest.raises(EngineError, match="this run is waiting"):
        desk.replay(site.context("boss"), runs(site, "id")[0][0])
    site.work()
    [(first,)] = runs(site, "id")
    address, boss = f"/api/v1/automations/runs/{first}/replay", site.client("boss")
    refused = boss.post(address).json()
    assert (refused["status"], refused["code"]) == (409, "automation.replay.again")
    assert [one["message"] for one in refused["problems"]] == [
        "step 1, 'create', was carried out, and would be once more",
        "step 2, 'webhook', was carried out, and would be once more, and it leaves the system",
        "step 3, 'set', was carried out, and would be once more",
    ]
    assert site.client("lin").post(address, json={"again": True}).status_code == 403
    assert len(runs(site, "id")) == 1
    made = boss.post(address, json={"again": True}).json()
    assert (made["state"], made["inputs"]["again_of"], made["by"]) == ("waiting", first, site.user("lin"))
    site.work()
    assert tasks(site) == ["Call ada", "Call ada"]
    assert runs(site, "state", "cause") == [("done", "save"), ("done", "save")]
    with site.tenant.database.read() as connection:
        kind = system_jobs.job.c.kind == "webhook"
        keys = connection.sa.execute(sa.select(system_jobs.job.c.key).where(kind)).scalars().all()
    assert set(keys) == {f"run:{first}:1:webhook:1", f"run:{made['id']}:1:webhook:1"}


def _with(automations: str, role: str, grant: str) -> str:
    text = FIRM.replace("label: Newcomer\nobjects:", f"label: Newcomer\nobjects:\n  {grant}")
    return f"{text}\n---\n{automations}"


def test_a_run_waits_and_goes_on_and_keeps_to_its_version(firm: Made) -> None:
    site = firm("""
automation: slow
object: lead
phase: after_commit
on: [create]
do:
  - {create: {object: task, values: {name: "first {name}"}}, as: first}
  - {wait: 2 hours}
  - {create: {object: task, values: {name: "second after {first.name}"}}}
""")
    site.records("lin").create("lead", {"name": "ada"})
    site.work()
    assert tasks(site) == ["first ada"]
    assert runs(site, "state", "step", "due_at") == [("waiting", 2, NOW + timedelta(hours=2))]
    site.publish(FIRM)
    site.work(NOW + timedelta(hours=1))
    assert tasks(site) == ["first ada"]
    site.work(NOW + timedelta(hours=2))
    assert tasks(site) == ["first ada", "second after first ada"]
    assert runs(site, "state") == [("done",)]


def test_runs_that_begin_each_other_without_end_are_stopped_with_their_path(firm: Made) -> None:
    site = firm("""
automation: again
object: lead
phase: after_commit
when: "score < 1000"
do: [{set: {score: "=score + 1"}}]
""")
    made = site.records("lin").create("lead", {"name": "ada", "score": 0})["id"]
    site.work()
    found = runs(site, "state", "error")
    assert [state for state, _ in found] == ["done"] * 7 + ["failed"]
    assert " -> ".join(["again"] * 9) in found[-1][1]
    assert site.records().get("lead", made)["score"] == 7


def test_switching_off_stops_new_runs_at_once(firm: Made) -> None:
    site = firm(LATER)
    site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    site.publish(f"{FIRM}\n---\n{LATER.replace('becomes: true', 'active: false')}")
    site.work()
    assert tasks(site) == []
    assert [one["skipped"] for (one,) in runs(site, "outputs")] == ["it is switched off"]
    site.records("lin").create("lead", {"name": "bob", "rating": "hot"})
    assert len(runs(site, "state")) == 1


def test_a_worker_that_is_killed_at_work_leaves_the_effects_once(firm: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    site = firm(LATER)
    site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    from engine.process.automation import carrying

    class Killed(BaseException):
        pass

    real = carrying.save

    def dies(*args: Any) -> None:
        real(*args)
        raise Killed

    monkeypatch.setattr(carrying, "save", dies)
    with pytest.raises(Killed):
        site.work()
    assert tasks(site) == []
    monkeypatch.setattr(carrying, "save", real)
    site.work(NOW + timedelta(minutes=5))
    assert tasks(site) == ["Call ada"]
    assert runs(site, "state") == [("done",)]


DAILY = """
automation: daily
object: lead
run_as: boss
schedule: "0 9 * * *"
zone: Asia/Shanghai
when: "rating == 'hot'"
do: [{create: {object: task, values: {name: "daily {name}"}}}]
"""


def test_a_schedule_runs_once_for_each_due_time_and_catches_up_with_the_last(firm: Made) -> None:
    site = firm(DAILY)
    for name, rating in (("ada", "hot"), ("bob", "cold"), ("eve", "hot")):
        site.records("lin").create("lead", {"name": name, "rating": rating})
    site.work()
    assert tasks(site) == []
    nine = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    site.work(nine + timedelta(minutes=1))
    site.work(nine + timedelta(minutes=2))
    assert tasks(site) == ["daily ada", "daily eve"]
    site.work(nine + timedelta(days=3, minutes=30))
    assert tasks(site) == ["daily ada", "daily ada", "daily eve", "daily eve"]
    site.publish(f"{FIRM}\n---\n{DAILY}active: false\n")
    site.work(nine + timedelta(days=5))
    site.publish(f"{FIRM}\n---\n{DAILY}")
    site.work(nine + timedelta(days=6, minutes=-1))
    assert len(tasks(site)) == 4  # what passed while it was switched off
    site.work(nine + timedelta(days=6, minutes=1))
    assert len(tasks(site)) == 6


def test_a_date_of_a_record_sets_off_once_at_its_time(firm: Made) -> None:
    site = firm("""
automation: remind
object: task
run_as: boss
date: {field: due, offset: -1 days, at: "09:00"}
zone: Asia/Shanghai
when: "state == 'open'"
do: [{set: {name: "{name}!"}}]
""")
    site.work()
    for name, due, state in (("a", "2026-11-25", "open"), ("b", "2026-11-25", "done"), ("c", "2026-11-29", "open")):
        site.records("lin").create("task", {"name": name, "due": due, "state": state})
    site.work(datetime(2026, 11, 24, 0, 59, tzinfo=UTC))
    assert tasks(site) == ["a", "b", "c"]
    site.work(datetime(2026, 11, 24, 1, 1, tzinfo=UTC))
    assert tasks(site) == ["a!", "b", "c"]
    site.work(datetime(2026, 11, 24, 1, 5, tzinfo=UTC))
    assert tasks(site) == ["a!", "b", "c"]


HOOK = """
automation: lead_in
webhook: {key: body.id}
do:
  - {create: {object: lead, values: {name: "{body.customer.name}", score: "=body.score", rating: hot}}, as: lead}
  - {create: {object: task, values: {name: "From outside: {lead.name}"}}}
"""


def test_a_call_from_outside_brings_its_body_and_counts_once(firm: Made) -> None:
    site = firm(HOOK)
    client = site.client("lin")
    body = {"id": "x-1", "customer": {"name": "Ada"}, "score": 7}
    first = client.post("/api/v1/hooks/lead_in", json=body)
    again = client.post("/api/v1/hooks/lead_in", json=body)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"run": first.json()["run"], "is_new": False}
    site.work()
    lead = site.records().list(Query("lead", ("name", "score", "created_by"))).records
    assert [(one["name"], one["score"], one["created_by"]) for one in lead] == [("Ada", 7, site.user("lin"))]
    assert tasks(site) == ["From outside: Ada"]
    assert client.post("/api/v1/hooks/lead_in", json={"customer": {}}).json()["code"] == "automation.key"
    assert client.post("/api/v1/hooks/nothing", json={}).status_code == 404
    assert site.client().post("/api/v1/hooks/lead_in", json=body).status_code == 401


def test_who_calls_cannot_act_as_somebody_else(firm: Made) -> None:
    site = firm(HOOK.replace("webhook:", "run_as: boss\nwebhook:"))
    answer = site.client("lin").post("/api/v1/hooks/lead_in", json={"id": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "automation.forbidden")


def test_a_token_for_a_webhook_calls_it_and_does_nothing_else(firm: Made) -> None:
    site = firm(HOOK)
    boss = site.client("boss")
    own = boss.post("/api/v1/tokens", json={"automations": ["lead_in"]}).json()
    narrow = boss.post("/api/v1/tokens", json={"objects": ["lead"]}).json()
    assert boss.post("/api/v1/tokens", json={"automations": ["nothing"]}).json()["code"] == "automation.unknown"
    assert own["automations"] == ["lead_in"]
    client = site.client()
    body = {"id": "1", "customer": {"name": "Ada"}, "score": 1}
    for token, status in ((own, 202), (narrow, 403)):
        client.headers["authorization"] = f"Bearer {token['token']}"
        assert client.post("/api/v1/hooks/lead_in", json={**body, "id": status}).status_code == status
    client.headers["authorization"] = f"Bearer {own['token']}"
    assert client.get("/api/v1/records/lead").status_code == 404
    assert client.get("/api/v1/automations/runs").status_code == 403
    site.work()
    assert tasks(site) == ["From outside: Ada"]


BUTTON = """
automation: heat
object: lead
button: {label: Make hot, roles: [seller]}
when: "rating != 'hot'"
do: [{set: {rating: hot}}, {create: {object: task, values: {name: "Heated {name}"}}}]
"""


def test_a_button_does_its_work_at_once(firm: Made) -> None:
    site = firm(BUTTON)
    made = site.records("lin").create("lead", {"name": "ada", "rating": "cold"})["id"]
    place = f"/api/v1/records/lead/{made}/run"
    client = site.client("lin")
    assert client.get(place).json() == {"buttons": [{"automation": "heat", "label": "Make hot"}]}
    assert client.post(f"{place}/heat").json()["state"] == "done"
    assert site.records().get("lead", made)["rating"] == "hot"
    assert client.get(place).json() == {"buttons": []}
    assert client.post(f"{place}/heat").json()["code"] == "automation.condition"
    assert site.client("new").post(f"{place}/heat").status_code == 403
    assert tasks(site) == ["Heated ada"]


def test_automations_that_start_each_other_without_end_are_stopped(firm: Made) -> None:
    site = firm("""
automation: again
object: lead
button: true
when: score > 0
do: [{create: {object: task, values: {name: More}}}, {start: again}]
""")
    made = site.records("lin").create("lead", {"name": "ada", "score": 1})["id"]
    client = site.client("lin")
    assert client.post(f"/api/v1/records/lead/{made}/run/again").status_code == 200
    site.work()
    runs = site.client("boss").get("/api/v1/automations/runs?state=failed").json()["runs"]
    assert [one["error"].split(":")[0] for one in runs] == ["'again' could not start"]
    assert len(tasks(site)) == 7  # what the eighth did is taken back


def test_an_event_sets_off_what_waits_for_it(firm: Made) -> None:
    site = firm("""
automation: approved
object: lead
event: approval.approved
do: [{set: {hint: approved}}]
---
automation: imported
event: import.finished
when: "body.object == 'lead'"
run_as: boss
do: [{create: {object: task, values: {name: "{body.import}: {body.created} came"}}}]
---
automation: published
event: metadata.published
run_as: boss
do: [{create: {object: task, values: {name: "Version {body.version}: {body.packages}"}}}]
""")
    made = site.records("lin").create("lead", {"name": "ada"})["id"]
    ctx = site.context("lin")
    with ctx.tenant.database.write() as connection:
        announce(ctx, connection, "approval.approved", "lead", made, {"instance": "1"})
        announce(ctx, connection, "approval.rejected", "lead", made, {"instance": "1"})
    with suppress(ZeroDivisionError), ctx.tenant.database.write() as connection:  # and it came to nothing
        import_finished(ctx, connection, "Fair", "lead", key="0", created=1)
        raise ZeroDivisionError
    with ctx.tenant.database.write() as connection:
        for key, object_name in (("1", "lead"), ("1", "lead"), ("2", "task")):
            import_finished(ctx, connection, "Fair", object_name, key=key, created=1200, refused=3)
    site.work()
    assert site.records().get("lead", made)["hint"] == "approved"
    assert sorted(runs(site, "cause", "automation", "by")) == [
        ("event", "approved", site.user("lin")), ("event", "imported", site.user("lin")),
        ("event", "imported", site.user("lin")), ("event", "published", ""),
    ]  # fmt: skip
    assert tasks(site) == ["Fair: 1200 came", f"Version {site.tenant.version()}: firm 1.0.0, system 1.0.0"]


def test_runs_are_for_administrators_of_processes(firm: Made) -> None:
    site = firm(LATER)
    made = site.records("lin").create("lead", {"name": "ada", "rating": "hot"})["id"]
    site.work()
    answer = site.client("boss").get(f"/api/v1/automations/runs?record={made}&state=done").json()
    assert [(one["automation"], one["state"]) for one in answer["runs"]] == [("later", "done")]
    assert site.client("lin").get("/api/v1/automations/runs").status_code == 403


def test_runs_that_are_done_are_kept_for_a_time_and_those_that_failed_for_good(firm: Made) -> None:
    site = firm(LATER)
    site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    site.records("new").create("lead", {"name": "bob", "rating": "hot"})
    site.work()
    site.work(NOW + timedelta(days=89))
    assert sorted(runs(site, "state")) == [("done",), ("failed",)]
    site.work(NOW + timedelta(days=36500))  # ids are never before those that this process gave out earlier
    assert runs(site, "state") == [("failed",)]


def test_a_program_tells_that_its_import_has_ended(firm: Made) -> None:
    imported = """
automation: imported
event: import.finished
run_as: boss
do: [{create: {object: task, values: {name: "{body.import}: {body.created} of {body.object}, {body.refused} refused"}}}]
"""
    site = firm(imported)
    path, fair = "/api/v1/records/lead/imported", {"name": "Fair", "key": "fair", "created": 120}
    boss = site.client("boss")
    assert [boss.post(path, json=fair).json() for _ in range(2)] == [{"key": "fair"}] * 2
    assert site.client("lin").post(path, json=fair).json()["code"] == "record.import.forbidden"
    bad = boss.post(path, json={"name": "a\nb", "created": True, "refused": -1, "source": "x"})
    assert (bad.status_code, [(one["path"], one["code"]) for one in bad.json()["problems"]]) == (422, [
        ("source", "body.unknown"), ("name", "value.type"), ("key", "value.required"), ("created", "value.type"),
        ("refused", "value.type"),
    ])  # fmt: skip
    site.work()
    assert tasks(site) == ["Fair: 120 of lead, 0 refused"]
