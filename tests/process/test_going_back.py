"""What counts of a round before, and what is taken back: returns, approvals asked again, decisions reclaimed."""

from typing import Any

from engine.process.approval.service import Approvals
from tests.process.desk import Desk

APPROVALS = """
approval: rounds
label: Rounds
object: quote
lock: {exempt: [note]}
flow:
  - {approve: head, approvers: [{user: bo}]}
  - {approve: check, approvers: [{user: cy}], may_return_to: [any], duplicate: skip_if_approved}
  - {approve: law, approvers: [{user: di}], reset_on_change: [note]}
  - {approve: last, approvers: [{user: ed}], may_return_to: [any, start]}
---
approval: branches
label: Branches
object: quote
flow:
  - parallel: both
    branches:
      - branch: a
        flow: [{approve: a1, approvers: [{user: bo}], reclaim: true}, {approve: a2, approvers: [{user: cy}]}]
      - branch: b
        flow: [{approve: b1, approvers: [{user: di}]}, {approve: b2, approvers: [{user: ed}], reclaim: true}]
---
approval: turns
label: Turns
object: quote
flow:
  - {approve: turns, approvers: [{user: [bo, cy, di]}], mode: sequence, reclaim: true}
---
approval: pooled
label: Pooled
object: quote
flow:
  - {approve: pooled, approvers: [{user: bo}, {queue: pool}], reclaim: true}
  - {approve: after, approvers: [{user: cy}]}
---
approval: joined
label: Joined
object: quote
lock: {exempt: [note]}
flow:
  - parallel: both
    branches:
      - {branch: a, flow: [{approve: a1, approvers: [{user: bo}]}]}
      - {branch: b, flow: [{approve: b1, approvers: [{user: di}], reset_on_change: [note]}]}
---
approval: again
label: Again
object: quote
resubmit: {material: [amount, discount]}
flow:
  - {approve: head, approvers: [{user: bo}]}
  - parallel: both
    branches:
      - branch: a
        flow: [{approve: a1, approvers: [{user: cy}], on_return: returning}]
      - branch: b
        flow:
          - condition: cheap
            branches:
              - {branch: very, when: discount > 10, flow: [{approve: b1, approvers: [{user: di}]}]}
              - {branch: not, else: true, flow: []}
          - {approve: b2, approvers: [{user: ed}]}
  - condition: dear
    branches:
      - {branch: very, when: amount > 100, flow: [{approve: director, approvers: [{user: flo}]}]}
      - {branch: not, else: true, flow: []}
  - {approve: last, approvers: [{user: bo}]}
"""


def to_last(desk: Desk) -> None:
    desk.submit(approval="rounds")
    for user in ("bo", "cy", "di"):
        desk.act(user, "approve")


def test_what_was_gone_back_over_is_asked_and_passed_anew(desk: Desk) -> None:
    to_last(desk)
    desk.act("ed", "return", target="head")
    desk.act("bo", "approve")
    assert desk.pending() == [("check", "cy")]  # who approved in the round before is no duplicate of this one
    assert desk.refused("cy", "return", target="law") == "approval.return_target"  # that comes after it
    desk.site.records("ada").update("quote", desk.record, {"note": "law is asked later anyhow"})
    assert desk.pending() == [("check", "cy")]
    desk.act("cy", "approve")
    desk.site.records("ada").update("quote", desk.record, {"note": "law is open, and has decided nothing"})
    desk.act("di", "approve")
    desk.act("boss", "jump", target="head", comment="once more")
    assert (desk.act("bo", "approve").state, desk.pending()) == ("RUNNING", [("check", "cy")])


def test_submitted_again_from_the_start_nobody_is_skipped_for_the_round_before(desk: Desk) -> None:
    to_last(desk)
    desk.act("ed", "return", target="start")
    desk.act("ada", "resubmit")
    desk.act("bo", "approve")
    assert desk.pending() == [("check", "cy")]


def test_taking_back_leaves_the_branches_beside_alone(desk: Desk) -> None:
    desk.submit(approval="branches")
    desk.act("bo", "approve")
    desk.act("di", "approve")
    desk.act("bo", "reclaim")
    assert desk.pending() == [("a1", "bo"), ("b2", "ed")]
    for user in ("ed", "bo"):
        desk.act(user, "approve")
    desk.act("ed", "reclaim")  # the last of its branch: the join waits for it again
    assert desk.act("cy", "approve").state == "RUNNING"
    assert desk.pending() == [("b2", "ed")]
    assert desk.act("ed", "approve").state == "APPROVED"


def test_a_branch_that_is_asked_again_is_waited_for_again(desk: Desk) -> None:
    desk.submit(approval="joined")
    desk.act("di", "approve")
    desk.site.records("ada").update("quote", desk.record, {"note": "x"})
    assert desk.act("bo", "approve").state == "RUNNING"
    assert desk.pending() == [("b1", "di")]
    assert desk.act("di", "approve").state == "APPROVED"


def test_in_a_sequence_the_next_one_waits_again_and_it_is_too_late_once_they_decided(desk: Desk) -> None:
    desk.submit(approval="turns")
    desk.act("bo", "approve")
    desk.act("bo", "reclaim")
    assert desk.tasks() == [("turns", "bo", "PENDING"), ("turns", "cy", "WAITING"), ("turns", "di", "WAITING")]
    desk.act("bo", "approve")
    assert desk.pending() == [("turns", "cy")]
    desk.act("cy", "approve")
    assert desk.refused("bo", "reclaim") == "approval.too_late"
    assert desk.refused("cy", "approve", desk.task_of("di").id) == "approval.not_yours"
    desk.act("cy", "reclaim")
    assert desk.tasks() == [("turns", "bo", "APPROVED"), ("turns", "cy", "PENDING"), ("turns", "di", "WAITING")]


def test_what_is_open_again_is_offered_again(desk: Desk) -> None:
    desk.submit(approval="pooled")
    pooled = desk.task_of("di").id
    desk.act("bo", "approve")
    desk.act("bo", "reclaim")
    assert desk.pending() == [("pooled", ""), ("pooled", "bo")]
    offers = [(desk.names[one.user], one.state) for one in desk.state().participants.values() if one.task == pooled]
    assert sorted(offers) == [("di", "ENDED"), ("di", "OPEN"), ("eva", "ENDED"), ("eva", "OPEN")]


def test_signers_after_wait_again_and_those_whose_set_was_decided_stay_out(desk: Desk) -> None:
    desk.submit(approval="pooled")
    desk.act("bo", "add_before", users=["ed", "flo"], method="any")
    desk.act("ed", "approve")
    desk.act("bo", "add_after", users=["cy"])
    desk.act("bo", "reclaim")
    mine = [(person, state) for _, person, state in desk.tasks() if person]
    assert mine == [("bo", "PENDING"), ("ed", "APPROVED"), ("flo", "CLOSED"), ("cy", "WAITING")]
    desk.act("bo", "approve")
    assert desk.pending() == [("pooled", ""), ("pooled", "cy")]
    desk.act("cy", "approve")
    assert desk.refused("bo", "reclaim") == "approval.too_late"  # who signed after has decided


def returned(desk: Desk, user: str, **change: object) -> None:
    desk.record = ""
    desk.submit(approval="again")
    desk.act("bo", "approve")
    if user == "bo":
        desk.act("cy", "approve")
        desk.act("ed", "approve")
    desk.act(user, "return")
    desk.site.records("ada").update("quote", desk.record, change)
    desk.act("ada", "resubmit")


def test_a_material_change_never_begins_later_than_without_one(desk: Desk) -> None:
    returned(desk, "bo", amount=200)  # `last` says restart: from the head, not from where the amount is read
    assert desk.pending() == [("head", "bo")]
    returned(desk, "cy", amount=200)  # what reads it comes later, and earlier approvals are kept
    assert desk.pending() == [("a1", "cy"), ("b2", "ed")]
    desk.act("cy", "approve")
    desk.act("ed", "approve")
    assert desk.pending() == [("director", "flo")]
    returned(desk, "cy", discount=20)  # the branch beside it reads this
    assert desk.pending() == [("a1", "cy"), ("b1", "di")]
    returned(desk, "cy", note="x")
    assert desk.pending() == [("a1", "cy"), ("b2", "ed")]


HEAD = "- approve: head\n  approvers: [{user: bo}]\n"


def test_in_the_last_round_it_goes_back_to_the_submitter_alone(open_desk: Any) -> None:
    flow = HEAD + "- {approve: finance, approvers: [{user: cy}], may_return_to: [previous, start]}\n"
    desk = open_desk(flow, "resubmit: {most_rounds: 2}")
    desk.submit()
    desk.act("bo", "approve")
    assert desk.act("cy", "return").state == "RUNNING"
    desk.act("bo", "approve")
    assert desk.refused("cy", "return", target="head") == "approval.rounds"
    assert desk.act("cy", "return", target="start").state == "RETURNED"
    assert desk.act("ada", "resubmit").state == "REJECTED"


def test_in_the_last_round_a_step_that_goes_back_to_others_only_decides(light_desk: Any) -> None:
    flow = HEAD + "- {approve: finance, approvers: [{user: cy}], may_return_to: [head]}\n"
    desk = light_desk(flow, "resubmit: {most_rounds: 1}")
    desk.submit()
    desk.act("bo", "approve")
    view = Approvals(desk.site.context("cy")).task(desk.task_of("cy").id)
    assert [one.name for one in view.actions if one.name in ("approve", "reject", "return")] == ["approve", "reject"]
    assert desk.refused("cy", "return") == "approval.rounds"
    assert desk.act("cy", "reject").state == "REJECTED"
