"""What goes on later: dates of more records than one turn takes, and runs that wait while definitions change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from engine.process.automation import desk
from engine.service import Query
from engine.testing import Running
from tests.automation.firm import FIRM

Made = Callable[..., Running]
NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)


def tasks(site: Running) -> list[str]:
    return sorted(one["name"] for one in site.records().list(Query("task", ("name",))).records)


def test_dates_of_more_records_than_most_are_carried_over_until_none_is_left(firm: Made) -> None:
    remind = """
automation: remind
object: task
run_as: boss
date: {field: due, at: "09:00"}
missed: skip
most: 2
do: [{set: {name: "{name}!"}}]
"""
    site = firm(remind)
    site.work()
    for name in "abcde":
        site.records("lin").create("task", {"name": name, "due": "2026-11-24"})
    nine = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    site.work(nine)
    assert tasks(site) == ["a!", "b!", "c", "d", "e"]
    late = site.records("lin").create("task", {"name": "late", "due": "2026-11-24"})["id"]
    site.work(nine + timedelta(seconds=59))
    assert tasks(site) == ["a!", "b!", "c", "d", "e", "late"]
    site.records("lin").delete("task", late)
    site.work(nine + timedelta(minutes=30))  # no time of theirs is missed for that
    assert tasks(site) == ["a!", "b!", "c!", "d!", "e"]
    renamed = FIRM.replace("  due: {type: date}\n---", "  day: {type: date, was: due}\n---")
    site.publish(f"{renamed}\n---\n{remind.replace('field: due', 'field: day').replace('09:00', '09:01')}")
    site.work(nine + timedelta(minutes=31))
    assert tasks(site) == ["a!", "b!", "c!", "d!", "e!"]
    site.work(nine + timedelta(minutes=40))
    assert tasks(site) == ["a!", "b!", "c!", "d!", "e!"]


def test_a_day_that_is_waited_for_begins_at_midnight_of_the_calendar(light_firm: Made) -> None:
    site = light_firm("""
calendar: office
zone: Asia/Shanghai
default: true
hours: {mon: "09:00-18:00"}
---
automation: slow
object: task
phase: after_commit
on: [create]
do: [{wait: {until: due}}, {set: {name: "{name}!"}}]
""")
    site.records("lin").create("task", {"name": "a", "due": "2026-11-24"})
    site.work()
    midnight = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    site.work(midnight - timedelta(seconds=1))
    assert tasks(site) == ["a"]
    site.work(midnight)
    assert tasks(site) == ["a!"]


def test_dates_that_are_left_when_it_is_switched_off_begin_nothing(light_firm: Made) -> None:
    remind = """
automation: remind
object: task
run_as: boss
date: {field: due}
most: 1
do: [{set: {name: "{name}!"}}]
"""
    site = light_firm(remind)
    site.work()
    for name in "ab":
        site.records("lin").create("task", {"name": name, "due": "2026-11-24"})
    site.work(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))
    site.publish(f"{FIRM}\n---\n{remind.replace('most: 1', 'active: false')}")
    site.work(datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    assert tasks(site) == ["a!", "b"]


SLOW = """
automation: slow
object: lead
phase: after_commit
on: [create]
do:
  - {create: {object: task, values: {name: "first {name}", lead: "=id"}}, as: first}
  - {wait: 2 hours}
  - {set: {hint: "{score}, then {first.state}"}, when: score > 1}
"""


def test_a_run_that_waits_goes_on_where_fields_and_objects_are_renamed(firm: Made) -> None:
    site = firm(SLOW)
    made = site.records("lin").create("lead", {"name": "ada", "score": 7})["id"]
    site.work()
    renamed = FIRM.replace("object: task\n", "object: errand\nwas: task\n").replace("  task: [", "  errand: [")
    renamed = renamed.replace("object: lead\n", "object: prospect\nwas: lead\n").replace("  lead: [", "  prospect: [")
    renamed = renamed.replace("to: lead", "to: prospect").replace("  hint: {", "  advice: {was: hint, ")
    renamed = renamed.replace("  state: {", "  stage: {was: state, ").replace("  score: {", "  points: {was: score, ")
    slow = SLOW.replace("object: lead", "object: prospect").replace("object: task", "object: errand")
    slow = slow.replace("hint:", "advice:").replace("score", "points").replace("first.state", "first.stage")
    site.publish(f"{renamed}\n---\n{slow}")
    site.work(NOW + timedelta(hours=2))
    assert desk.list_runs(site.context("boss")).runs[0].error == ""
    assert site.records().get("prospect", made)["advice"] == "7, then Open"


def test_a_run_that_waits_keeps_to_its_steps_where_others_are_renamed(firm: Made) -> None:
    site = firm(SLOW)
    made = site.records("lin").create("lead", {"name": "ada", "score": 7})["id"]
    site.work()
    renamed = FIRM.replace("  region: {", "  area: {was: region, ")
    site.publish(f"{renamed}\n---\n{SLOW.replace(', then', ', and then')}")
    site.work(NOW + timedelta(hours=2))
    assert site.records().get("lead", made)["hint"] == "7, then Open"


def test_a_run_that_waits_writes_no_other_field_that_has_the_name_by_now(firm: Made) -> None:
    site = firm(SLOW)
    made = site.records("lin").create("lead", {"name": "ada", "score": 7, "key": "k"})["id"]
    site.work()
    moved = FIRM.replace("  hint: {", "  note: {was: hint, ")
    site.publish(moved)
    site.publish(moved.replace("was: hint, ", "").replace("  key: {", "  hint: {was: key, "))
    site.work(NOW + timedelta(hours=2))
    run = desk.list_runs(site.context("boss")).runs[0]
    assert (run.state, run.error) == (
        "failed",
        "steps of 'slow' name 'hint', which is something else by now, and 'slow' has other steps",
    )
    assert site.records().get("lead", made, ("hint",))["hint"] == "k"
