"""States of a record: who may take it where, what that asks, and what it brings."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import EngineError
from engine.process.workflow_path import paths
from engine.service import Query
from engine.testing import Running

Made = Callable[..., Running]

DEALS = """
object: deal
label: Deal
record_types: {sale: Sale, service: Service}
fields:
  name: {type: text, required: true}
  stage:
    type: choice
    choices: {new: New, qualified: Qualified, offer: Offer, won: Won, lost: Lost}
  amount: {type: currency}
  close: {type: date}
  reason: {type: text}
  log: {type: text}
---
workflow: sale_stages
object: deal
field: stage
moves: [forward, back]
states:
  - {state: new, guidance: Get to know them}
  - {state: qualified, required: [amount, close]}
  - {state: offer, on_enter: [{create: {object: task, values: {name: "Follow up {name}"}}}]}
  - {state: won, final: true, won: true}
  - {state: lost, final: true, won: false}
transitions:
  - transition: win
    label: {en: Win it, zh-CN: 赢单}
    from: offer
    to: won
    when: "amount > 100"
    message: "{name} is too small to win"
    do: [{set: {log: "won by {PRIOR(stage)}"}}]
  - {transition: lose, from: "*", to: lost, required: [reason], roles: [seller]}
---
workflow: service_stages
object: deal
field: stage
record_types: service
moves: [skip]
states: [{state: new}, {state: qualified}, {state: offer}, {state: won, final: true}, {state: lost, final: true}]
---
role: closer
label: Closer
objects:
  deal: [create, read, update, delete]
  task: [create, read]
"""


@pytest.fixture
def site(firm: Made) -> Running:
    made = firm(DEALS)
    made.user("cleo", "closer", name="Cleo")
    return made


def problems(error: EngineError) -> list[tuple[str, str, str]]:
    return [(one.path, one.code, one.message) for one in error.problems]


def refused(site: Running, record: str, **values: Any) -> list[tuple[str, str, str]]:
    before = site.records().get("deal", record)
    with pytest.raises(EngineError) as refusal:
        site.records("cleo").update("deal", record, values)
    assert site.records().get("deal", record) == before
    return problems(refusal.value)


def test_a_new_record_begins_at_the_first_state(site: Running) -> None:
    assert site.records("cleo").create("deal", {"name": "a"})["stage"] == "new"
    with pytest.raises(EngineError) as refusal:
        site.records("cleo").create("deal", {"name": "a", "stage": "offer"})
    assert problems(refusal.value) == [("stage", "workflow.move", "this goes not from 'New' to 'Offer'")]


def test_a_move_asks_for_all_that_its_state_requires_at_once(site: Running) -> None:
    made = site.records("cleo").create("deal", {"name": "a"})["id"]
    assert refused(site, made, stage="qualified") == [
        ("amount", "workflow.required", "'Amount' must have a value for 'Qualified'"),
        ("close", "workflow.required", "'Close' must have a value for 'Qualified'"),
    ]
    values = {"stage": "qualified", "amount": 50, "close": "2026-12-01"}
    assert site.records("cleo").update("deal", made, values)["stage"] == "qualified"


def test_states_cannot_be_skipped_but_gone_back_to(site: Running) -> None:
    made = site.records("cleo").create("deal", {"name": "a", "amount": 5, "close": "2026-12-01"})["id"]
    assert refused(site, made, stage="offer")[0][1] == "workflow.move"
    site.records("cleo").update("deal", made, {"stage": "qualified"})
    assert site.records("cleo").update("deal", made, {"stage": "new"})["stage"] == "new"


def offered(site: Running, amount: int) -> str:
    records = site.records("cleo")
    made: str = records.create("deal", {"name": "a", "amount": amount, "close": "2026-12-01"})["id"]
    for stage in ("qualified", "offer"):
        records.update("deal", made, {"stage": stage})
    return made


def test_a_guard_says_what_its_definition_says_and_roles_are_asked(site: Running) -> None:
    made = offered(site, 50)
    assert refused(site, made, stage="won") == [("", "workflow.guard", "a is too small to win")]
    assert refused(site, made, stage="lost") == [
        ("", "workflow.role", "'Lose' is for others: you need the role seller"),
        ("reason", "workflow.required", "'Reason' must have a value for 'Lost'"),
    ]


def test_entering_a_state_brings_its_steps_and_those_of_the_transition(site: Running) -> None:
    made = offered(site, 500)
    assert [one["name"] for one in site.records().list(Query("task", ("name",))).records] == ["Follow up a"]
    won = site.records("cleo").update("deal", made, {"stage": "won"})
    assert (won["stage"], won["log"], won["version"]) == ("won", "won by Offer", 5)
    assert refused(site, made, stage="offer")[0][1] == "workflow.move"


def test_record_types_have_workflows_of_their_own(site: Running) -> None:
    records = site.records("cleo")
    made = records.create("deal", {"name": "a", "record_type": "service"})["id"]
    assert records.update("deal", made, {"stage": "won"})["stage"] == "won"


def test_batches_are_held_to_it_row_by_row(site: Running) -> None:
    made = offered(site, 50)
    results = site.records("cleo").batch("deal", [
        {"action": "update", "id": made, "values": {"stage": "won"}},
        {"action": "update", "id": made, "values": {"stage": "qualified"}},
        {"action": "create", "values": {"name": "b", "stage": "won"}},
        {"action": "create", "values": {"name": "c", "stage": "new"}},
    ], atomic=False)  # fmt: skip
    assert [one.error.code if one.error else "" for one in results] == ["workflow.guard", "", "workflow.move", ""]


def test_the_system_may_set_any_state(site: Running) -> None:
    assert site.records().create("deal", {"name": "a", "stage": "won"})["stage"] == "won"


def test_the_path_tells_where_a_person_may_go_and_what_that_needs(site: Running) -> None:
    made = offered(site, 50)
    path = paths(site.context("cleo"), "deal", made)
    assert path is not None
    assert [(one.value, one.is_now) for one in path.stages] == [
        ("new", "done"), ("qualified", "done"), ("offer", "current"), ("won", "ahead"), ("lost", "ahead"),
    ]  # fmt: skip
    assert [(one.target, one.transition, one.is_open, one.missing) for one in path.moves] == [
        ("new", "", True, ()), ("qualified", "", True, ()), ("won", "win", False, ()),
        ("lost", "lose", False, ("reason",)),
    ]  # fmt: skip
    assert path.moves[2].problems[0].message == "a is too small to win"
    assert path.stages[0].guidance == "Get to know them"
