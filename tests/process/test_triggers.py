"""Approvals that a save starts, and nodes that a change asks again."""

from typing import Any

import pytest

from engine.errors import EngineError

HEAD = "- approve: head\n  approvers: [{user: bo}]\n"


def running(desk: Any) -> list[str]:
    from engine.process.approval import kept

    with desk.site.tenant.database.read() as connection:
        found = kept.running_on(connection, desk.record)
    desk.instance = found[0].id if found else ""
    return [one.approval for one in found]


def test_a_new_record_starts_it(open_desk: Any) -> None:
    desk = open_desk(HEAD, "trigger: create\nwhen: amount > 10")
    desk.quote(amount=5)
    assert running(desk) == []
    desk.quote(amount=50)
    assert running(desk) == ["discount"]
    assert (desk.pending(), desk.status, desk.state().instance.submitter) == (
        [("head", "bo")],
        "pending",
        desk.ids["ada"],
    )
    assert desk.locks == {desk.instance: desk.record}


def test_it_starts_when_its_condition_becomes_true(open_desk: Any) -> None:
    desk = open_desk(HEAD, "trigger: {update: discount > 10}")
    desk.quote()
    ada = desk.site.records("ada")
    ada.update("quote", desk.record, {"note": "x"})
    assert running(desk) == []
    ada.update("quote", desk.record, {"discount": 20})
    assert running(desk) == ["discount"]
    desk.act("bo", "reject")
    ada.update("quote", desk.record, {"discount": 30})  # it held before
    assert running(desk) == []


def test_what_cannot_start_undoes_the_save(open_desk: Any) -> None:
    desk = open_desk("- approve: head\n  approvers: [{queue: of nobody}]\n", "trigger: create")
    with pytest.raises(EngineError) as refusal:
        desk.quote()
    assert refusal.value.code == "approval.no_approver"
    assert desk.site.records("ada").list(desk_query()).records == []


def desk_query() -> Any:
    from engine.service import Query

    return Query("quote", ("id",))


RESET = """
- approve: head
  approvers: [{user: bo}]
  reset_on_change: [discount, note]
- approve: last
  approvers: [{user: cy}]
  editable: [discount]
"""


def test_a_change_asks_the_nodes_again_that_name_the_field(open_desk: Any) -> None:
    desk = open_desk(RESET, "lock: {exempt: [note, wanted_on]}")
    desk.submit()
    desk.act("bo", "approve")
    desk.site.records("ada").update("quote", desk.record, {"wanted_on": "2026-12-01"})
    assert desk.pending() == [("last", "cy")]
    desk.site.records("ada").update("quote", desk.record, {"note": "changed"})
    assert desk.pending() == [("head", "bo")]
    desk.act("bo", "approve")
    desk.act("cy", "approve", values={"discount": 7})  # cy's own edit asks bo once more
    assert desk.pending() == [("head", "bo")]
    desk.act("bo", "approve")
    assert desk.act("cy", "approve").state == "APPROVED"
