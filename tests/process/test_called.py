"""Approvals that an approval calls: what becomes of them when who called them stops, and the other way round."""

import pytest

from engine.errors import Locked
from engine.process.approval.service import Approvals
from engine.process.locks import locked_by
from tests.process.desk import Desk

APPROVALS = """
approval: outer
label: Outer
object: quote
withdraw: before_final
flow:
  - parallel: both
    branches:
      - {branch: a, flow: [{subprocess: called, process: inner}]}
      - {branch: b, flow: [{approve: beside, approvers: [{user: bo}]}]}
  - {approve: last, approvers: [{user: di}]}
---
approval: inner
label: Inner
object: quote
flow: [{subprocess: deeper, process: innermost}]
---
approval: innermost
label: Innermost
object: quote
flow: [{approve: deep, approvers: [{user: cy}]}]
---
approval: early
label: Early
object: quote
flow: [{subprocess: called_early, process: innermost}, {approve: end_of_it, approvers: [{user: di}]}]
---
approval: broken
label: Broken
object: quote
flow:
  - parallel: both
    branches:
      - {branch: a, flow: [{approve: a1, approvers: [{user: bo}]}, {approve: a2, approvers: [{queue: spare}]}]}
      - {branch: b, flow: [{approve: b1, approvers: [{user: di}]}]}
"""


def called(desk: Desk) -> list[str]:
    """The instance, the one that it calls, and the one that this calls."""
    found = [desk.submit(approval="outer").instance]
    for _ in range(2):
        found += [run.data["child"] for run in desk.state().active() if "child" in run.data]
        desk.instance = found[-1]
    return found


def holders(desk: Desk) -> set[str]:
    """Instances that keep the record as it is."""
    return {instance for instance, record in desk.locks.items() if record == desk.record}


def states(desk: Desk, instances: list[str]) -> list[str]:
    found = []
    for desk.instance in instances:
        found.append(desk.state().instance.state)
    desk.instance = instances[0]
    return found


def test_what_was_called_ends_with_who_called_it_at_every_depth(desk: Desk) -> None:
    instances = called(desk)
    desk.instance = instances[0]
    desk.act("ada", "withdraw")
    assert states(desk, instances) == ["WITHDRAWN", "CANCELLED", "CANCELLED"]
    assert not set(desk.locks) & set(instances)


def test_a_rejection_and_a_withdrawal_of_what_was_called_reject(desk: Desk) -> None:
    instances = called(desk)
    desk.act("cy", "reject")
    assert (states(desk, instances), desk.status) == (["REJECTED", "REJECTED", "REJECTED"], "rejected")
    desk.record = ""
    instances = called(desk)
    desk.act("ada", "withdraw")
    assert states(desk, instances) == ["REJECTED", "REJECTED", "WITHDRAWN"]


def test_the_first_decision_may_be_one_of_what_was_called(desk: Desk) -> None:
    for decides in (False, True):
        desk.record = ""
        outer = desk.submit(approval="early").instance
        (desk.instance,) = (run.data["child"] for run in desk.state().active())
        if decides:
            desk.act("cy", "approve")
        desk.instance = outer
        if decides:
            assert desk.refused("ada", "withdraw") == "approval.too_late"
        else:
            assert desk.act("ada", "withdraw").state == "WITHDRAWN"


def test_who_is_suspended_goes_on_after_what_it_called_when_it_is_resumed(desk: Desk) -> None:
    for resume in ({"action": "resume"}, {"action": "force", "target": "beside", "decision": "approved"}):
        desk.record = ""
        instances = called(desk)
        desk.instance = instances[0]
        if resume["action"] == "resume":
            desk.act("bo", "approve")
        desk.act("boss", "suspend", comment="wait")
        desk.instance = instances[2]
        desk.act("cy", "approve")
        assert states(desk, instances) == ["SUSPENDED", "APPROVED", "APPROVED"]
        assert ("last", "ACTIVE") not in desk.runs()
        desk.act("boss", **resume, comment="on")
        assert (desk.pending(), desk.status) == ([("last", "di")], "pending")


def test_what_is_submitted_anew_takes_what_it_called_along(desk: Desk) -> None:
    instances = called(desk)
    boss = Approvals(desk.site.context("boss"))
    (told,) = boss.move([instances[2]], "resubmit", reason="anew")
    assert told.code == "approval.waits"
    (told,) = boss.move([instances[0]], "resubmit", reason="anew", rehearse=False)
    assert (told.code, states(desk, instances)) == ("", ["CANCELLED", "CANCELLED", "CANCELLED"])
    desk.instance = told.submitted
    assert desk.pending() == [("beside", "bo")]


def test_an_administrator_who_decides_for_others_also_tries_again_what_broke(desk: Desk) -> None:
    pool = desk.site.records().create("queue", {"name": "spare", "members": [desk.ids["flo"]]})["id"]
    desk.submit(approval="broken")
    desk.site.records().update("queue", pool, {"members": []})
    assert desk.act("bo", "approve").state == "SUSPENDED"
    desk.site.records().update("queue", pool, {"members": [desk.ids["flo"]]})
    desk.act("boss", "force", target="b1", decision="approved", comment="x")
    assert desk.pending() == [("a2", "")]


def test_what_was_called_and_returned_is_mended_by_who_submitted_it(desk: Desk) -> None:
    instances = called(desk)
    assert holders(desk) == set(instances)
    for last, ended in (("withdraw", "WITHDRAWN"), ("cancel", "CANCELLED")):
        assert desk.act("cy", "return", comment="dearer", target="start").state == "RETURNED"
        assert holders(desk) == set()
        desk.site.records("ada").update("quote", desk.record, {"amount": 70})
        assert desk.act("ada", "resubmit").state == "RUNNING"
        assert holders(desk) == set(instances)
        with pytest.raises(Locked):
            desk.site.records("ada").update("quote", desk.record, {"amount": 80})
        desk.act("cy", "return", comment="dearer", target="start")
        desk.instance = instances[0]
        desk.act("ada" if last == "withdraw" else "boss", last, comment="enough")
        assert states(desk, instances) == [ended, "CANCELLED", "CANCELLED"]
        assert holders(desk) == set()
        instances = called(desk)


def test_who_called_it_keeps_the_record_again_when_it_goes_on_without_it(desk: Desk) -> None:
    instances = called(desk)
    desk.act("cy", "return", comment="dearer", target="start")
    desk.instance = instances[0]
    desk.act("boss", "jump", target="last", comment="go on")
    assert states(desk, instances) == ["RUNNING", "CANCELLED", "CANCELLED"]
    assert holders(desk) == {instances[0]}


def test_who_called_it_keeps_the_record_since_it_was_submitted(desk: Desk) -> None:
    called(desk)
    ctx = desk.site.context("boss")
    since = locked_by(ctx, "quote", [desk.record])[desk.record].since
    desk.later(hours=1)
    desk.act("cy", "approve")
    assert locked_by(ctx, "quote", [desk.record])[desk.record].since == since
