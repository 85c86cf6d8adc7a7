"""What was returned to somebody who has left goes to somebody who may change the record, or is handed over."""

from typing import Any

from engine.people.handover import hand_over, holdings
from engine.process.approval.service import Approvals
from tests.process.desk import Desk

FLOW = """
- {approve: check, approvers: [{user: bo}]}
- {approve: head, approvers: [{user: kim}]}
"""
HEAD = "role: head\nlabel: Head\nobjects: {quote: {can: [read, update, approve]}}\n"


def at(open_: Any, *, returned: bool = True) -> Desk:
    """Ada's manager is max, who has no right, and above him kim."""
    desk: Desk = open_(FLOW, "", HEAD)
    site = desk.site
    desk.ids["kim"] = site.user("kim", "head")
    desk.ids["sue"] = site.user("sue", "seller")
    desk.names |= {desk.ids[name]: name for name in ("kim", "sue")}
    site.records().update("user", site.user("max"), {"manager": desk.ids["kim"]})
    site.records().update("user", desk.ids["kim"], {"manager": desk.ids["di"]})
    site.records().update("user", desk.ids["ada"], {"manager": site.user("max")})
    desk.quote()
    desk.submit()
    if returned:
        desk.act("bo", "return")
    return desk


def leaves(desk: Desk, user: str) -> None:
    desk.site.records().update("user", desk.ids[user], {"is_active": False})


def submitter(desk: Desk) -> str:
    return desk.names[desk.state().instance.submitter]


def test_what_was_returned_goes_to_the_nearest_manager_who_may_change_the_record(open_desk: Any) -> None:
    desk = at(open_desk)
    leaves(desk, "ada")
    assert submitter(desk) == "kim"
    assert desk.sent[-1] == ("approval.returned", ("kim",))
    told = Approvals(desk.site.context("kim")).instance(desk.instance)
    passed = [one.person.id for one in told.history if one.action == "pass_on" and one.person is not None]
    assert (told.submitter.id, passed) == (desk.ids["kim"], [desk.ids["kim"]])
    assert desk.refused("bo", "withdraw") == "approval.not_yours"
    assert desk.act("kim", "resubmit").state == "RUNNING"
    desk.act("bo", "approve")
    assert desk.pending() == [("head", "di")]  # kim submitted it


def test_what_is_returned_later_goes_to_the_owner_of_the_record(open_desk: Any) -> None:
    desk = at(open_desk, returned=False)
    desk.site.records().update("quote", desk.record, {"owner": desk.ids["sue"]})
    leaves(desk, "ada")
    assert submitter(desk) == "ada"
    desk.act("bo", "return")
    assert submitter(desk) == "sue"
    assert desk.act("sue", "withdraw").state == "WITHDRAWN"


def test_where_nobody_may_take_it_administrators_are_told(light_desk: Any) -> None:
    desk = at(light_desk)
    desk.site.records().update("user", desk.site.user("max"), {"manager": None})
    leaves(desk, "ada")
    assert submitter(desk) == "ada"
    assert desk.sent[-1] == ("approval.stuck", ("boss",))
    assert desk.act("boss", "cancel", comment="gone").state == "CANCELLED"


def test_a_handover_takes_what_was_returned_along(open_desk: Any) -> None:
    desk = at(open_desk)
    chief = desk.site.context()
    wanted = [("owned", "quote", 1), ("returned", "quote", 1)]
    assert [(one.kind, one.object, one.count) for one in holdings(chief, desk.ids["ada"]).moved] == wanted
    report = hand_over(chief, desk.ids["ada"], desk.ids["sue"], deactivates=True)
    assert [(one.kind, one.object, one.count) for one in report.moved] == wanted
    assert submitter(desk) == "sue"
    assert desk.act("sue", "resubmit").state == "RUNNING"


def test_a_handover_to_who_may_not_change_the_record_leaves_it(light_desk: Any) -> None:
    desk = at(light_desk)
    report = hand_over(desk.site.context(), desk.ids["ada"], desk.ids["bo"], objects=["customer"])
    assert (report.moved, report.left) == ([], [])
    desk.site.records().update("quote", desk.record, {"owner": desk.ids["sue"]})
    report = hand_over(desk.site.context(), desk.ids["ada"], desk.ids["bo"])
    assert [(one.kind, one.field, one.code) for one in report.left] == [
        ("returned", "approval_returned", "approval.taker")
    ]
    assert submitter(desk) == "ada"
