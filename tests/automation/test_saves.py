"""What a save sets off: before it, after it, in which order, for whom."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import EngineError
from engine.process.automation import desk, within
from engine.service import Query
from engine.testing import Running

Made = Callable[..., Running]


def leads(site: Running, *fields: str) -> list[dict[str, Any]]:
    return list(site.records().list(Query("lead", ("name", *fields))).records)


def tasks(site: Running) -> list[str]:
    return sorted(one["name"] for one in site.records().list(Query("task", ("name",))).records)


HINT = """
automation: hint
object: lead
phase: before_save
when: "rating == 'hot'"
do:
  - set: {hint: "=UPPER(name)", score: 100}
"""


def test_a_rule_before_the_save_sets_fields_within_it(firm: Made) -> None:
    site = firm(HINT)
    made = site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    assert (made["hint"], made["score"], made["version"]) == ("ADA", 100, 1)
    cold = site.records("lin").create("lead", {"name": "bob", "rating": "cold"})
    assert cold["hint"] is None
    changed = site.records("lin").update("lead", cold["id"], {"rating": "hot"})
    assert (changed["hint"], changed["version"]) == ("BOB", 2)


def test_a_rule_before_the_save_gives_what_validation_asks_for(firm: Made) -> None:
    site = firm("""
automation: name_it
object: lead
phase: before_save
when: "name == null"
do: [{set: {name: "=IF(rating == 'hot', 'Hot one', 'Another')"}}]
""")
    assert site.records("lin").create("lead", {"rating": "hot"})["name"] == "Hot one"


def test_a_refusal_stands_at_its_field_and_nothing_is_written(firm: Made) -> None:
    site = firm("""
automation: no_cold
object: lead
phase: before_save
when: "rating == 'cold' and score > 5"
do: [{refuse: {message: "{name} cannot be cold with {score}", field: rating}}]
""")
    with pytest.raises(EngineError) as refused:
        site.records("lin").create("lead", {"name": "ada", "rating": "cold", "score": 7})
    problem = refused.value.problems[0]
    assert (problem.path, problem.code, problem.message) == (
        "rating", "automation.refused", "ada cannot be cold with 7",
    )  # fmt: skip
    assert leads(site) == []


CALL = """
automation: call
object: lead
when: "rating == 'hot'"
becomes: true
do:
  - {create: {object: task, values: {name: "Call {name}", lead: "=id", due: "=ADDDAYS(TODAY(), 2)"}}, as: task}
  - {set: {hint: "=task.name"}}
"""


def test_a_rule_after_the_save_writes_other_records_and_the_record_itself(firm: Made) -> None:
    site = firm(CALL)
    made = site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    task = site.records().list(Query("task", ("name", "lead", "due", "created_by"))).records[0]
    assert (task["name"], task["lead"], str(task["due"])) == ("Call ada", made["id"], "2026-11-24")
    assert task["created_by"] == site.user("lin")
    assert (made["hint"], made["version"]) == ("Call ada", 2)
    history = site.records().history("lead", made["id"])
    assert [(one.action, one.version) for one in history] == [("update", 2), ("create", 1)]


def test_becoming_true_is_not_being_true(firm: Made) -> None:
    site = firm(CALL)
    records = site.records("lin")
    made = records.create("lead", {"name": "ada", "rating": "hot"})
    records.update("lead", made["id"], {"score": 3})
    assert tasks(site) == ["Call ada"]
    records.update("lead", made["id"], {"rating": "cold"})
    records.update("lead", made["id"], {"rating": "hot", "name": "eve"})
    assert tasks(site) == ["Call ada", "Call eve"]


def test_only_where_certain_fields_changed(firm: Made) -> None:
    site = firm("""
automation: rated
object: lead
on: [update]
changed: [rating, score]
do: [{create: {object: task, values: {name: "{name} was {PRIOR(rating)}"}}}]
""")
    records = site.records("lin")
    made = records.create("lead", {"name": "ada", "rating": "hot"})
    records.update("lead", made["id"], {"hint": "x"})
    assert tasks(site) == []
    records.update("lead", made["id"], {"rating": "cold"})
    assert tasks(site) == ["ada was Hot"]


def test_what_the_person_may_not_do_refuses_the_save_and_names_the_automation(firm: Made) -> None:
    site = firm(CALL)
    with pytest.raises(EngineError) as refused:
        site.records("new").create("lead", {"name": "ada", "rating": "hot"})
    assert "'call' could not create" in str(refused.value)
    assert leads(site) == []
    assert tasks(site) == []


def test_a_service_identity_may_do_more_than_whoever_saves(firm: Made) -> None:
    site = firm(CALL.replace("becomes: true", "becomes: true\nrun_as: boss"))
    site.records("new").create("lead", {"name": "ada", "rating": "hot"})
    task = site.records().list(Query("task", ("name", "created_by"))).records[0]
    assert (task["name"], task["created_by"]) == ("Call ada", site.user("boss"))


def test_a_service_identity_that_is_not_active_refuses(firm: Made) -> None:
    site = firm(CALL.replace("becomes: true", "becomes: true\nrun_as: sam"))
    site.records().update("user", site.user("sam"), {"is_active": False})
    with pytest.raises(EngineError) as refused:
        site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    assert refused.value.code == "automation.identity"
    assert leads(site) == []


def test_an_expression_that_fails_refuses_the_save(firm: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    site = firm("""
automation: half
object: lead
when: "100 / score > 5"
do: [{set: {hint: good}}]
""")
    from engine.process.subject import Subject

    def fails(*_: object, **__: object) -> bool:
        raise ArithmeticError("out of numbers")

    monkeypatch.setattr(Subject, "holds", fails)
    with pytest.raises(EngineError) as refused:
        site.records("lin").create("lead", {"name": "ada", "score": 0})
    assert refused.value.code == "automation.broken"
    assert leads(site) == []
    [run] = desk.list_runs(site.context("boss")).runs
    assert (run.automation, run.state, run.cause, run.record) == ("half", "failed", "within", "")
    assert run.error == "the condition of 'half' cannot be evaluated: out of numbers"


def test_a_rule_runs_once_for_a_record_however_often_it_is_written(firm: Made) -> None:
    site = firm("""
automation: first
object: lead
order: 1
do: [{set: {score: "=COALESCE(score, 0) + 1"}}]
---
automation: second
object: lead
order: 2
do: [{create: {object: task, values: {name: "seen {score}"}}}, {set: {hint: "seen {score}"}}]
---
automation: third
object: lead
order: 3
do: [{create: {object: task, values: {name: third}}}]
""")
    made = site.records("lin").create("lead", {"name": "ada"})
    assert (made["score"], made["hint"], made["version"]) == (1, "seen 1", 3)
    assert tasks(site) == ["seen 1", "third"]


def test_rules_that_set_each_other_off_without_end_are_stopped_with_their_path(firm: Made) -> None:
    site = firm("""
automation: up
object: lead
reentry: true
when: "score < 100000"
do: [{set: {score: "=score + 1"}}]
""")
    with pytest.raises(EngineError) as refused:
        site.records("lin").create("lead", {"name": "ada", "score": 1})
    assert refused.value.code == "automation.depth"
    assert "up -> up -> up -> up -> up -> up -> up -> up -> up" in str(refused.value)
    assert leads(site) == []


def test_deletion_can_be_refused_and_followed(firm: Made) -> None:
    site = firm("""
automation: keep_hot
object: lead
phase: before_save
on: [delete]
when: "rating == 'hot'"
do: [{refuse: "{name} is hot"}]
---
automation: gone
object: lead
on: [delete]
do: [{create: {object: task, values: {name: "{name} is gone"}}}]
""")
    records = site.records("lin")
    hot = records.create("lead", {"name": "ada", "rating": "hot"})
    cold = records.create("lead", {"name": "bob", "rating": "cold"})
    with pytest.raises(EngineError, match="ada is hot"):
        records.delete("lead", hot["id"])
    records.delete("lead", cold["id"])
    assert [one["name"] for one in leads(site)] == ["ada"]
    assert tasks(site) == ["bob is gone"]


def test_every_way_in_sets_rules_off(firm: Made) -> None:
    site = firm(CALL)
    records = site.records("lin")
    records.batch("lead", [
        {"action": "create", "values": {"name": "a", "rating": "hot"}},
        {"action": "create", "values": {"name": "b", "rating": "hot"}},
        {"action": "upsert", "field": "key", "value": "k", "values": {"name": "c", "rating": "hot"}},
    ])  # fmt: skip
    assert tasks(site) == ["Call a", "Call b", "Call c"]
    assert sorted((one["name"], one["hint"]) for one in leads(site, "hint")) == [
        ("a", "Call a"), ("b", "Call b"), ("c", "Call c"),
    ]  # fmt: skip


def test_lines_set_their_own_rules_off_and_roll_ups_are_there_by_then(firm: Made) -> None:
    site = firm("""
automation: dear
object: lead
when: "total > 100"
becomes: true
do: [{create: {object: task, values: {name: "{name} is dear"}}}]
---
automation: line
object: item
do: [{create: {object: task, values: {name: "line {name} of {lead.name}"}}}]
""")
    site.records("lin").create(
        "lead", {"name": "ada", "items": [{"name": "x", "price": 60}, {"name": "y", "price": 50}]}
    )
    assert tasks(site) == ["ada is dear", "line x of ada", "line y of ada"]


def test_merging_and_restoring_set_rules_off(firm: Made) -> None:
    site = firm("""
automation: seen
object: lead
on: [update]
do: [{create: {object: task, values: {name: "{name} {rating}"}}}]
""")
    records = site.records("lin")
    one = records.create("lead", {"name": "ada", "rating": "cold"})["id"]
    two = records.create("lead", {"name": "bob", "rating": "hot"})["id"]
    records.merge("lead", one, [two], {"rating": two})
    assert tasks(site) == ["ada Hot"]
    records.delete("lead", one)
    records.restore("lead", one)
    assert tasks(site) == ["ada Hot", "ada Hot"]


def test_a_refusal_in_a_batch_is_that_of_one_operation(firm: Made) -> None:
    site = firm("""
automation: no_cold
object: lead
when: "rating == 'cold'"
do: [{create: {object: task, values: {name: "{name}"}}}, {refuse: {message: no cold ones, field: rating}}]
""")
    results = site.records("lin").batch("lead", [
        {"action": "create", "values": {"name": "a", "rating": "hot"}},
        {"action": "create", "values": {"name": "b", "rating": "cold"}},
    ], atomic=False)  # fmt: skip
    assert [one.error.code if one.error else None for one in results] == [None, "automation.refused"]
    assert [one["name"] for one in leads(site)] == ["a"]
    assert tasks(site) == []


KEPT = """
automation: call
object: lead
when: "rating == 'hot'"
do: [{create: {object: task, values: {name: "=hint"}}}]
---
automation: quiet
object: lead
on: [update]
when: "rating == 'warm'"
log: none
do: [{create: {object: task, values: {name: "=hint"}}}]
---
automation: scored
object: lead
phase: after_save
when: "score > 5"
log: all
do: [{set: {hint: "{name} scored"}}]
"""


def test_of_runs_within_a_save_those_that_failed_are_kept_and_all_where_that_is_said(firm: Made) -> None:
    site = firm(KEPT)
    lin = site.records("lin")

    def kept() -> list[tuple[Any, ...]]:
        found = desk.list_runs(site.context("boss")).runs
        return sorted((one.automation, one.state, one.inputs["action"], one.record, one.error) for one in found)

    lin.create("lead", {"name": "plain"})
    made = lin.create("lead", {"name": "ada", "hint": "x"})["id"]
    with pytest.raises(EngineError):
        lin.update("lead", made, {"hint": None, "rating": "hot"})
    for rating in ("warm", "warm"):
        with pytest.raises(EngineError):
            lin.update("lead", made, {"hint": None, "rating": rating})
    with pytest.raises(EngineError):
        lin.create("lead", {"name": "new", "rating": "hot"})
    lines = kept()
    assert [one[:4] for one in lines] == [("call", "failed", "create", ""), ("call", "failed", "update", made)]
    assert lines[0][4].startswith("'call' could not create: ")
    run = desk.list_runs(site.context("boss")).runs[0]
    with pytest.raises(EngineError, match="was a part of a save"):
        desk.replay(site.context("boss"), run.id)
    refused = {"action": "update", "id": made, "values": {"hint": None, "rating": "hot"}}
    done = {"action": "create", "values": {"name": "bob", "score": 7}}
    lin.batch("lead", [done, refused, done], atomic=False)
    first, second = (one["id"] for one in leads(site, "id") if one["name"] == "bob")
    again = kept()
    assert [one[2] for one in again if one[0] == "call"] == ["create", "update", "update"]
    assert sorted(one[3] for one in again if one[:3] == ("scored", "done", "create")) == sorted([first, second])
    with pytest.raises(EngineError):
        lin.batch("lead", [done, refused])
    assert len(kept()) == len(again) + 1  # what is taken back leaves no run that is done


def test_not_every_save_that_fails_is_kept(firm: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(within, "MOST", 2)
    site = firm(KEPT)
    for _ in range(4):
        with pytest.raises(EngineError):
            site.records("lin").create("lead", {"name": "ada", "rating": "hot"})
    assert len(desk.list_runs(site.context("boss")).runs) == 2


def test_what_was_tried_and_taken_back_sets_its_rules_off_when_it_is_done(light_firm: Made) -> None:
    site = light_firm("""
automation: begins
object: lead
on: [create]
do:
  - {create: {object: task, values: {name: first, lead: "=id"}}, as: made}
  - {update: {object: task, record: made, values: {name: second}}}
---
automation: ends
object: task
on: [update]
do: [{set: {state: done}}]
---
approval: renaming
label: Renaming
object: task
storage: before_save
trigger: {update: "name == 'third'"}
flow: [{approve: boss, label: Boss, approvers: [{user: boss}]}]
""")
    site.records("lin").create("lead", {"name": "ada"})
    [task] = site.records().list(Query("task", ("name", "state"))).records
    assert (task["name"], task["state"]) == ("second", "done")
