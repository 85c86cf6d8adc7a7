"""Clocks of tasks: what stops them, and what sets them anew."""

from datetime import UTC, datetime
from typing import Any

from engine.process.approval.service import Approvals
from tests.process.desk import Desk, package

BOTH = """
- parallel: both
  branches:
    - {branch: a, flow: [{approve: one, approvers: [{user: bo}], due: 2 days,
                          timers: [{after: 1 day, do: auto_approve}]}]}
    - branch: b
      flow:
        - {approve: two, approvers: [{user: cy}]}
        - {delay: rest, for: 1 day}
        - {approve: three, approvers: [{queue: late}]}
"""


def later(desk: Desk, **span: float) -> None:
    desk.later(**span)
    desk.site.work(desk.site.now)


def test_clocks_stand_still_until_what_broke_goes_on_and_a_delay_is_not_lost(light_desk: Any) -> None:
    desk = light_desk(BOTH)
    queue = desk.site.records().create("queue", {"name": "late", "members": [desk.ids["ed"]]})["id"]
    desk.submit()
    due = desk.task_of("bo").due_at
    desk.act("cy", "approve")
    desk.act("boss", "suspend", comment="wait")
    for _ in range(9):  # longer than any job is tried again
        later(desk, hours=8)
    desk.act("boss", "resume", comment="on")
    desk.site.records().update("queue", queue, {"members": []})
    later(desk, hours=6)
    assert ("rest", "APPROVED") in desk.runs()
    assert desk.state().instance.state == "SUSPENDED"  # nobody is in the queue
    later(desk, days=3)
    assert desk.pending() == [("one", "bo")]
    desk.site.records().update("queue", queue, {"members": [desk.ids["ed"]]})
    desk.act("boss", "force", target="three", comment="on", decision="approved")
    assert (desk.task_of("bo").due_at - due).days == 6
    later(desk, hours=17)
    assert desk.pending() == [("one", "bo")]
    later(desk, hours=1)
    assert desk.state().instance.state == "APPROVED"


ONE = """
- {approve: one, reclaim: true, approvers: [{user: bo}], timers: [%s]}
- {approve: two, approvers: [{user: di}]}
"""


def test_an_owners_clock_goes_on_while_somebody_helps(light_desk: Any) -> None:
    desk = light_desk(ONE % "{after: 1 day}, {after: 2 days, do: auto_approve}")
    desk.submit()
    later(desk, hours=12)
    desk.act("bo", "delegate", users=["cy"])
    desk.sent.clear()
    later(desk, hours=35)
    assert desk.sent == [("approval.reminded", ("bo",)), ("approval.reminded", ("cy",))]
    assert desk.pending() == [("one", "cy")]
    later(desk, hours=1)
    assert desk.tasks() == [("one", "bo", "APPROVED"), ("one", "cy", "CANCELLED"), ("two", "di", "PENDING")]


def test_clocks_begin_anew_with_the_task(light_desk: Any) -> None:
    desk = light_desk(ONE % "{after: 1 day}")
    desk.submit()
    desk.act("bo", "add_before", users=["cy"])
    later(desk, hours=30)  # it was due while somebody else had their say
    desk.act("cy", "approve")
    later(desk, hours=23)
    desk.sent.clear()
    later(desk, hours=1)
    assert desk.sent == [("approval.reminded", ("bo",))]
    desk.act("bo", "approve")
    later(desk, hours=30)
    desk.act("bo", "reclaim")
    desk.sent.clear()
    later(desk, hours=23)
    assert desk.sent == []
    later(desk, hours=1)
    assert desk.sent == [("approval.reminded", ("bo",))]


def test_whoever_waits_is_reminded_where_nobody_is_above_them(light_desk: Any) -> None:
    desk = light_desk("- {approve: one, approvers: [{queue: pool}], timers: [{after: 1 day, do: escalate}]}")
    desk.submit()
    desk.sent.clear()
    later(desk, days=1)
    assert desk.sent == [("approval.reminded", ("di", "eva"))]


def test_clocks_that_are_others_in_a_new_version_begin_with_the_move(light_desk: Any) -> None:
    desk = light_desk(ONE % "{after: 1 day}, {after: 3 days, do: auto_approve}")
    desk.submit()
    desk.site.publish(package(ONE.replace("true,", "true, due: 1 day,") % "{after: 2 days, do: auto_reject}"))
    later(desk, hours=12)
    desk.act("boss", "suspend", comment="wait")
    later(desk, hours=12)
    Approvals(desk.site.context("boss")).move([desk.instance], "migrate", reason="new rules", rehearse=False)
    desk.act("boss", "resume", comment="on")
    assert desk.task_of("bo").due_at == desk.site.now.replace(day=24)
    later(desk, hours=47)
    assert [one for one in desk.events() if "timer" in one] == []
    later(desk, hours=1)
    assert desk.state().instance.state == "REJECTED"


def test_a_delay_until_a_day_ends_when_that_begins_in_the_zone_of_the_calendar(light_desk: Any) -> None:
    office = "calendar: office\nzone: Asia/Shanghai\ndefault: true\nhours: {mon: '09:00-18:00'}\n"
    flow = "- {delay: rest, until: wanted_on}\n- {approve: head, approvers: [{user: bo}]}\n"
    desk = light_desk(flow, more=office)
    desk.quote(wanted_on="2026-11-24")
    desk.submit()
    desk.site.work(datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC))
    assert desk.runs() == [("rest", "ACTIVE")]
    desk.site.work(datetime(2026, 11, 23, 16, 0, tzinfo=UTC))
    assert desk.pending() == [("head", "bo")]
