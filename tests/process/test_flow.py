"""The flow: nodes one after the other, conditions, forks and their joins, queues, ends."""

from typing import Any

import psycopg
import pytest

from engine.errors import Busy, EngineError
from engine.process import door
from engine.service import Query
from tests.process.desk import package

TWO = """
- approve: head
  approvers: [{user: bo}]
- approve: finance
  approvers: [{user: [cy, di]}]
  mode: all
"""


def test_a_quote_is_approved_by_one_after_the_other(open_desk: Any) -> None:
    desk = open_desk(TWO)
    done = desk.submit()
    assert (done.state, desk.pending()) == ("RUNNING", [("head", "bo")])
    assert desk.act("bo", "approve").state == "RUNNING"
    assert desk.pending() == [("finance", "cy"), ("finance", "di")]
    assert desk.act("di", "approve").state == "RUNNING"
    done = desk.act("cy", "approve")
    assert (done.state, done.task_state) == ("APPROVED", "APPROVED")
    assert desk.runs() == [("head", "APPROVED"), ("finance", "APPROVED")]
    assert desk.announced == ["approval.submitted", "approval.approved"]
    assert desk.locks == {}
    assert ("approval.decided", ("ada",)) in desk.sent
    desk.record = ""
    desk.submit()
    desk.act("bo", "return")
    assert desk.announced[2:] == ["approval.submitted", "approval.returned"]


def test_a_rejection_ends_it_and_closes_what_is_open(open_desk: Any) -> None:
    desk = open_desk(TWO)
    desk.submit()
    desk.act("bo", "approve")
    assert desk.act("cy", "reject").state == "REJECTED"
    assert desk.tasks() == [("head", "bo", "APPROVED"), ("finance", "cy", "REJECTED"), ("finance", "di", "CLOSED")]
    assert desk.refused("di", "approve") == "approval.task_closed"


CONDITION = """
- condition: how_much
  branches:
    - branch: large
      when: amount > 100
      flow: [{approve: director, approvers: [{user: cy}]}]
    - branch: small
      else: true
      flow: []
- approve: head
  approvers: [{user: bo}]
"""


@pytest.mark.parametrize(("amount", "first"), [(101, "director"), (100, "head")])
def test_a_condition_takes_the_first_branch_that_holds(open_desk: Any, amount: int, first: str) -> None:
    desk = open_desk(CONDITION)
    desk.quote(amount=amount)
    desk.submit()
    assert [node for node, _ in desk.pending()] == [first]
    if first == "director":
        desk.act("cy", "approve")
    assert desk.pending() == [("head", "bo")]
    assert desk.act("bo", "approve").state == "APPROVED"


FORK = """
- parallel: both
  {options}
  branches:
    - branch: legal
      flow: [{{approve: lawyer, approvers: [{{user: bo}}]}}, {{approve: counsel, approvers: [{{user: cy}}]}}]
    - branch: money
      flow: [{{approve: finance, approvers: [{{user: di}}]}}]
- approve: last
  approvers: [{{user: ed}}]
"""


def test_a_join_waits_for_all_branches(open_desk: Any) -> None:
    desk = open_desk(FORK.format(options="join: all"))
    desk.submit()
    assert desk.pending() == [("finance", "di"), ("lawyer", "bo")]
    desk.act("di", "approve")
    assert desk.pending() == [("lawyer", "bo")]
    desk.act("bo", "approve")
    desk.act("cy", "approve")
    assert desk.pending() == [("last", "ed")]
    assert desk.act("ed", "approve").state == "APPROVED"


def test_the_first_branch_of_an_or_join_cancels_the_others(open_desk: Any) -> None:
    desk = open_desk(FORK.format(options="join: first"))
    desk.submit()
    desk.act("di", "approve")
    assert desk.pending() == [("last", "ed")]
    assert ("lawyer", "bo", "CANCELLED") in desk.tasks()
    assert desk.refused("bo", "approve") == "approval.task_closed"


def test_a_rejection_in_a_branch_rejects_all(open_desk: Any) -> None:
    desk = open_desk(FORK.format(options="join: all"))
    desk.submit()
    assert desk.act("di", "reject").state == "REJECTED"
    assert desk.tasks() == [("lawyer", "bo", "CANCELLED"), ("finance", "di", "REJECTED")]


def test_a_rejection_in_a_branch_ends_the_branch_where_the_fork_says_so(open_desk: Any) -> None:
    desk = open_desk(FORK.format(options="on_reject: continue"))
    desk.submit()
    assert desk.act("di", "reject").state == "RUNNING"
    desk.act("bo", "approve")
    desk.act("cy", "approve")
    assert desk.pending() == [("last", "ed")]
    desk.instance = ""
    desk.record = ""
    desk.submit()
    desk.act("di", "reject")
    assert desk.act("bo", "reject").state == "REJECTED"


INCLUSIVE = """
- inclusive: some
  branches:
    - {branch: large, when: amount > 100, flow: [{approve: director, approvers: [{user: bo}]}]}
    - {branch: cheap, when: discount > 10, flow: [{approve: finance, approvers: [{user: cy}]}]}
    - {branch: other, else: true, flow: [{approve: anybody, approvers: [{user: di}]}]}
"""


@pytest.mark.parametrize(
    ("amount", "discount", "asked"),
    [(1, 0, ["anybody"]), (101, 0, ["director"]), (101, 11, ["director", "finance"])],
)
def test_an_inclusive_fork_takes_all_branches_that_hold(
    open_desk: Any, amount: int, discount: int, asked: list[str]
) -> None:
    desk = open_desk(INCLUSIVE)
    desk.quote(amount=amount, discount=discount)
    desk.submit()
    assert [node for node, _ in desk.pending()] == asked
    for user in ("bo", "cy", "di"):
        if any(person == user for _, person in desk.pending()):
            done = desk.act(user, "approve")
    assert done.state == "APPROVED"


def test_only_one_of_a_group_runs_for_a_record(open_desk: Any) -> None:
    desk = open_desk(TWO)
    desk.submit()
    with pytest.raises(EngineError) as refusal:
        desk.submit()
    assert refusal.value.code == "approval.running"


def test_a_submission_with_the_same_key_is_one(open_desk: Any) -> None:
    desk = open_desk(TWO)
    first = desk.submit(key="k1")
    assert desk.submit(key="k1") == first
    done = desk.act("bo", "approve", key="k2")
    task = desk.state().tasks[done.task]
    assert desk.act("bo", "approve", task.id, key="k2") == done
    assert desk.refused("bo", "reject", task.id, key="k2") == "approval.key"


def test_the_first_of_a_queue_has_the_task(open_desk: Any) -> None:
    desk = open_desk("- approve: pool\n  approvers: [{queue: pool}]")
    desk.submit()
    task = desk.task_of("di")
    assert (task.user, desk.act("di", "claim").task_state) == ("", "PENDING")
    assert desk.refused("eva", "claim", task.id) == "approval.claimed"
    assert desk.reads("di")
    assert not desk.reads("eva")
    assert desk.refused("eva", "approve", task.id) == "approval.not_yours"
    desk.act("di", "unclaim")
    assert desk.reads("eva")
    assert desk.act("eva", "approve", task.id).state == "APPROVED"
    assert desk.state().tasks[task.id].user == desk.ids["eva"]


def test_nobody_who_could_be_asked_is_refused_at_once_and_changes_nothing(open_desk: Any) -> None:
    desk = open_desk("- approve: head\n  approvers: [{user: bo}]\n- approve: gone\n  approvers: [{queue: pool}]")
    desk.quote()
    desk.submit()
    (pool,) = desk.site.records().list(Query("queue", ("id",))).records
    desk.site.records().update("queue", pool["id"], {"members": []})
    assert desk.act("bo", "approve").state == "SUSPENDED"
    assert ("approval.stuck", ("boss",)) in desk.sent
    done = desk.act("boss", "force", comment="they are away", decision="approved", target="gone")
    assert done.state == "APPROVED"


def test_an_action_that_others_are_in_the_way_of_is_tried_again_and_suspends_nothing(
    light_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = "- {approve: check, approvers: [{user: bo}]}\n- {action: mark, do: [{set: {note: marked}}]}\n"
    desk = light_desk(flow)
    desk.submit()

    def fails(*args: Any) -> None:
        raise psycopg.errors.DeadlockDetected("deadlock detected")

    with monkeypatch.context() as patched:
        patched.setattr(door, "change", fails)
        with pytest.raises(Busy):
            desk.act("bo", "approve")
    assert (desk.state().instance.state, desk.pending()) == ("RUNNING", [("check", "bo")])
    assert desk.act("bo", "approve").state == "APPROVED"


def test_steps_of_an_instance_follow_the_fields_that_a_publish_renames(light_desk: Any) -> None:
    flow = """
- {approve: check, approvers: [{user: bo}]}
- {action: mark, do: [{set: {note: "{amount}"}}]}
"""
    on = "on: {approve: [{set: {discount: =amount + 1}}]}"
    desk = light_desk(flow, on)
    desk.quote(amount=7)
    desk.submit()
    now = package(flow.replace("note", "remark").replace("{amount}", "{sum}"), on.replace("=amount", "=sum"))
    now = now.replace("  note: {", "  remark: {was: note, ").replace("  amount: {", "  sum: {was: amount, ")
    desk.site.publish(now)
    assert desk.act("bo", "approve").state == "APPROVED"
    found = desk.site.records().get("quote", desk.record)
    assert (found["remark"], found["discount"]) == ("7", 8)
