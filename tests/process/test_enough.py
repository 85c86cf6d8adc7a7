"""Whether those who are asked are enough for the mode: people of two groups, people who are skipped, and too few."""

import pytest

from engine.errors import Conflict
from tests.process.desk import Desk

APPROVALS = """
approval: two_groups
label: Two groups
object: quote
flow:
  - approve: both
    approvers: [{user: [bo, cy], group: law}, {user: [bo, di], group: money}]
    mode: {per_group: {law: 1, money: 2}}
---
approval: skipped
label: Skipped
object: quote
flow:
  - {approve: head, approvers: [{user: bo}]}
  - approve: groups
    approvers: [{user: bo, group: law}, {user: [cy, di], group: money}]
    mode: {per_group: {law: 1, money: 2}}
    duplicate: skip_if_approved
  - approve: vote
    approvers: [{user: [bo, ed, flo]}]
    mode: {vote: 3}
    duplicate: skip_if_approved
---
approval: few
label: Few
object: quote
flow:
  - {approve: head, approvers: [{user: bo}]}
  - approve: groups
    approvers: [{queue: of nobody, group: law}, {user: [cy, di], group: money}]
    mode: {per_group: {law: 1, money: 1}}
    empty: skip
---
approval: few_votes
label: Few votes
object: quote
flow:
  - {approve: vote, approvers: [{role: manager}, {user: bo}], mode: {vote: 3}}
---
approval: lone_group
label: Lone group
object: quote
flow:
  - approve: groups
    approvers: [{queue: of nobody, group: law}, {user: cy, group: money}]
    mode: {per_group: {law: 1, money: 1}}
"""


def test_one_decision_counts_in_each_group_of_its_person(desk: Desk) -> None:
    assert desk.submit(approval="two_groups").state == "RUNNING"
    assert desk.pending() == [("both", "bo"), ("both", "cy"), ("both", "di")]
    desk.act("bo", "approve")
    assert desk.act("di", "approve").state == "APPROVED"
    desk.record = ""
    desk.submit(approval="two_groups")
    assert desk.act("bo", "reject").state == "REJECTED"  # of money there are two, and both are needed


def test_whom_the_node_skips_nobody_misses(desk: Desk) -> None:
    desk.submit(approval="skipped")
    assert desk.act("bo", "approve").state == "RUNNING"
    assert desk.act("cy", "approve").state == "RUNNING"
    assert (desk.act("di", "approve").state, desk.pending()) == ("RUNNING", [("vote", "ed"), ("vote", "flo")])
    assert desk.act("ed", "approve").state == "RUNNING"
    assert desk.act("flo", "approve").state == "APPROVED"


@pytest.mark.parametrize("approval", ["few", "few_votes", "lone_group"])
def test_too_few_are_refused_at_once_and_nothing_is_rejected_for_it(desk: Desk, approval: str) -> None:
    desk.quote()
    with pytest.raises(Conflict) as refusal:
        desk.submit(approval=approval)
    assert refusal.value.code == "approval.no_approver"
    assert desk.status == "none"
