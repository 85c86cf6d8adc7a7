"""Others who have a hand in a task: helpers, signers, who stands in; and who submitted it, who has none."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.access.scope import full_scope
from engine.errors import Conflict
from engine.process import standing_in
from engine.process.approval.submission import submit_in
from tests.process.desk import Desk

APPROVALS = """
approval: plain
label: Plain
object: quote
flow: [{approve: plain, approvers: [{user: bo}]}]
---
approval: told
label: Told
object: quote
flow:
  - {approve: head, approvers: [{user: di}], reset_on_change: [discount]}
  - approve: told
    approvers: [{user: bo}]
    actions: [add_signer]
    comment: [approve, add_signer]
    editable: [discount]
---
approval: managed
label: Managed
object: quote
flow: [{approve: managed, approvers: [{queue: of nobody}], empty: admin}]
---
approval: own
label: Own
object: quote
flow: [{approve: own, approvers: [{user: bo}], self_approval: self}]
"""


@contextmanager
def away(desk: Desk, user: str, agent: str) -> Iterator[None]:
    now = desk.site.now
    values = {"agent": desk.ids[agent], "from": now.isoformat(), "to": (now + timedelta(days=9)).isoformat()}
    made = standing_in.appoint(desk.site.context(user), values)
    yield
    standing_in.take_back(desk.site.context(user), made.id)


def submitted_by(desk: Desk, user: str, approval: str) -> None:
    """By somebody who may approve, too."""
    context, record = desk.site.context(user), desk.quote(amount=200)
    seeing = replace(context, scope=full_scope(context.snapshot))
    with desk.site.tenant.database.write() as connection:
        desk.instance = submit_in(seeing, connection, "quote", record, approval).instance


def test_a_helper_says_what_they_think_and_decides_nothing(desk: Desk) -> None:
    desk.submit(approval="plain")
    desk.act("bo", "delegate", users=["cy"])
    for action in ("return", "add_before", "add_after", "add_parallel"):
        assert desk.refused("cy", action, users=["di"]) == "approval.action"
    assert desk.refused("cy", "approve", values={"amount": 2}) == "approval.not_editable"
    desk.act("cy", "approve")
    desk.act("bo", "delegate", users=["cy"])  # asked once more
    desk.act("cy", "reject")
    assert desk.act("bo", "transfer", users=["cy"]).state == "RUNNING"
    assert desk.pending() == [("plain", "cy")]


def test_signers_are_added_where_the_step_says_so_and_with_a_word(desk: Desk) -> None:
    desk.submit(approval="told")
    desk.act("di", "approve")
    assert desk.refused("bo", "transfer", users=["cy"], comment="x") == "approval.action"
    assert desk.refused("bo", "add_before", users=["cy"]) == "approval.comment_required"
    assert desk.refused("bo", "add_after", users=["cy"]) == "approval.comment_required"
    desk.act("bo", "add_parallel", users=["ed"], comment="with me")
    assert desk.refused("bo", "remove_signer", desk.task_of("ed").id) == "approval.action"  # it lists none of this
    desk.act("boss", "remove_signer", desk.task_of("ed").id)
    desk.act("bo", "add_after", users=["cy"], comment="and then cy", values={"discount": 9})
    assert desk.pending() == [("head", "di")]  # the change asks again who names the field


def test_who_stands_in_is_told_and_decides_but_hands_nothing_on(desk: Desk) -> None:
    with away(desk, "bo", "cy"):
        desk.submit(approval="plain")
        assert desk.sent[-1] == ("approval.asked", ("bo", "cy"))
        task = desk.task_of("bo").id
        for action in ("transfer", "delegate"):
            assert desk.refused("cy", action, task, users=["di"]) == "approval.action"
        desk.act("bo", "add_before", users=["di"])
        desk.act("di", "approve")
        offered = [desk.names[one.user] for one in desk.state().participants.values() if one.kind == "agent"]
        assert offered == ["cy"]  # once
        assert desk.act("cy", "approve", task).state == "APPROVED"


def test_nobody_decides_on_their_own_submission_because_somebody_else_asks_them_to(desk: Desk) -> None:
    submitted_by(desk, "cy", "plain")
    task = desk.task_of("bo").id
    for action in ("transfer", "add_before", "add_after", "add_parallel"):
        assert desk.refused("bo", action, users=["cy"]) == "approval.cannot_ask"
    assert desk.refused("boss", "reassign", task, users=["cy"], comment="x") == "approval.cannot_ask"
    with away(desk, "bo", "cy"):
        assert desk.refused("cy", "approve", task) == "approval.not_yours"
    assert desk.act("bo", "delegate", users=["cy"]).state == "RUNNING"  # to say what they think
    desk.act("cy", "approve")
    assert desk.pending() == [("plain", "bo")]
    desk.instance = ""
    submitted_by(desk, "cy", "own")
    assert desk.act("bo", "transfer", users=["cy"]).state == "RUNNING"  # the step lets them


def test_an_administrator_who_submitted_it_is_not_asked_in_the_place_of_nobody(desk: Desk) -> None:
    desk.quote(amount=200)
    desk.submit(approval="managed")
    assert desk.pending() == [("managed", "boss")]
    desk.act("boss", "cancel", comment="x")
    with pytest.raises(Conflict) as refusal:
        submitted_by(desk, "boss", "managed")
    assert refusal.value.code == "approval.no_approver"
