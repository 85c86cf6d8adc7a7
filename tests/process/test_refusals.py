"""Who is refused what, in which order, and what a refusal leaves as it was."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.errors import EngineError
from tests.process.desk import Desk

APPROVALS = """
approval: plain
label: Plain
object: quote
flow: [{approve: head, approvers: [{user: bo}]}, {approve: last, approvers: [{user: cy}]}]
---
approval: chosen
label: Chosen
object: quote
flow:
  - {approve: head, approvers: [{user: bo}]}
  - {approve: named, approvers: [{chosen_by_submitter: {}}]}
  - {approve: next, approvers: [{chosen_by_previous: {min: 1, max: 1}}]}
"""
NOBODY = "0197b2a0-0000-7000-8000-000000000000"


def refused_to_submit(desk: Desk, **given: Any) -> str:
    with pytest.raises(EngineError) as refusal:
        desk.submit(**given)
    return refusal.value.code


def test_who_may_not_is_told_so_before_anything_else(desk: Desk) -> None:
    desk.submit(approval="plain")
    asked: Mapping[str, dict[str, str]] = {
        "jump": {"target": "nowhere"}, "force": {"decision": "perhaps"}, "cancel": {}, "suspend": {},
    }  # fmt: skip
    for action, given in asked.items():
        assert desk.refused("bo", action, **given) == "approval.admin"
    assert desk.refused("bo", "force", decision="approved", target="nowhere") == "approval.admin"
    assert desk.refused("cy", "comment", comment="only a reader yet") == "approval.not_yours"
    assert desk.events().count("comment") == 0


def test_a_key_is_of_one_action_one_person_and_one_approval(desk: Desk) -> None:
    desk.quote()
    first = desk.submit(approval="plain", key="k1")
    assert desk.submit(approval="plain", key="k1") == first
    assert refused_to_submit(desk, approval="chosen", key="k1") == "approval.key"
    done = desk.act("boss", "force", decision="approved", comment="x", key="k2")
    assert desk.act("boss", "force", decision="approved", comment="x", key="k2") == done
    assert desk.refused("boss", "cancel", comment="x", key="k2") == "approval.key"
    assert desk.refused("bo", "comment", comment="x", key="k2") == "approval.key"
    assert desk.pending() == [("last", "cy")]


def test_what_an_administrator_decided_is_decided(desk: Desk) -> None:
    desk.submit(approval="plain")
    desk.act("boss", "force", decision="approved", comment="x")
    assert desk.refused("ada", "withdraw") == "approval.too_late"


def test_who_chooses_is_told_what_is_wrong_with_it_and_that_they_must(desk: Desk) -> None:
    desk.quote()
    assert refused_to_submit(desk, approval="chosen") == "approval.choose"  # nobody could later
    assert desk.status == "none"
    desk.submit(approval="chosen", chosen={"named": ["cy"]})
    desk.act("bo", "return")
    assert desk.refused("ada", "resubmit", chosen={"nowhere": ["cy"]}) == "approval.chosen"
    desk.act("ada", "resubmit", chosen={"named": ["di"]})
    desk.act("bo", "approve")
    desk.ids["nobody"] = NOBODY
    assert desk.refused("di", "approve", chosen={"next": ["nobody"]}) == "approval.chosen"
    assert desk.refused("di", "approve") == "approval.choose"
    assert desk.refused("di", "approve", chosen={"next": ["ed", "flo"]}) == "approval.choose"  # one at most
    assert desk.pending() == [("named", "di")]
    desk.act("di", "approve", chosen={"next": ["ed"]})
    assert desk.pending() == [("next", "ed")]


def test_to_name_a_closed_task_opens_no_way_round_the_state_of_the_whole(desk: Desk) -> None:
    desk.submit(approval="plain")
    task = desk.task_of("bo").id
    desk.act("bo", "approve")
    assert desk.refused("ada", "resubmit", task=task) == "approval.state"
    desk.act("cy", "approve")
    before = desk.events()
    for user, action in (("boss", "cancel"), ("boss", "suspend"), ("boss", "resume"), ("ada", "withdraw")):
        assert desk.refused(user, action, task=task, comment="x") == "approval.state"
    assert (desk.state().instance.state, desk.events()) == ("APPROVED", before)
