"""Every action: what it does, who may do it, and what it asks."""

from datetime import timedelta
from typing import Any

import pytest

HEAD = "- approve: head\n  approvers: [{user: bo}]\n"
BOTH = "- approve: both\n  approvers: [{user: [bo, cy]}]\n  mode: all\n"
RETURNING = """
- approve: head
  approvers: [{user: bo}]
- approve: finance
  approvers: [{user: cy}]
  may_return_to: [start, previous, head]
  on_return: %s
- approve: last
  approvers: [{user: di}]
"""


def test_somebody_elses_task_is_theirs_and_that_of_strangers_is_unknown(open_desk: Any) -> None:
    desk = open_desk(HEAD)
    desk.submit()
    task = desk.task_of("bo").id
    assert desk.refused("ada", "approve", task) == "approval.not_yours"
    assert desk.refused("max", "approve", task) == "task.unknown"
    assert desk.refused("max", "approve", desk.instance) == "task.unknown"
    assert desk.refused("cy", "approve", task) == "task.unknown"  # reads the record, but takes no part
    assert desk.refused("max", "comment", comment="x") == "approval.unknown"
    assert desk.pending() == [("head", "bo")]


def test_a_comment_that_is_needed_is_asked_for(open_desk: Any) -> None:
    desk = open_desk(HEAD + "  comment: [reject]\n")
    desk.submit()
    assert desk.refused("bo", "reject") == "approval.comment_required"
    assert desk.refused("bo", "reject", comment="  ") == "approval.comment_required"
    assert desk.act("bo", "reject", comment="too much").state == "REJECTED"


def test_what_was_returned_is_free_and_begins_anew(open_desk: Any) -> None:
    desk = open_desk(RETURNING % "restart")
    desk.submit()
    assert list(desk.locks.values()) == [desk.record]
    desk.act("bo", "approve")
    done = desk.act("cy", "return", comment="which customer?")
    assert (done.state, done.task_state, desk.locks) == ("RETURNED", "RETURNED", {})
    assert desk.tasks("PENDING", "WAITING") == []
    assert desk.refused("bo", "resubmit") == "approval.not_yours"
    assert desk.act("ada", "resubmit").state == "RUNNING"
    assert (desk.pending(), desk.state().instance.round) == ([("head", "bo")], 2)
    assert list(desk.locks.values()) == [desk.record]


def test_it_goes_on_where_it_was_returned_and_earlier_approvals_are_kept(open_desk: Any) -> None:
    desk = open_desk(RETURNING % "returning")
    desk.submit()
    desk.act("bo", "approve")
    desk.act("cy", "return", target="start")
    desk.act("ada", "resubmit")
    assert desk.pending() == [("finance", "cy")]
    desk.act("cy", "approve")
    assert desk.act("di", "approve").state == "APPROVED"


def test_a_step_before_decides_once_more(open_desk: Any) -> None:
    desk = open_desk(RETURNING % "restart")
    desk.submit()
    desk.act("bo", "approve")
    assert desk.refused("cy", "return", target="last") == "approval.return_target"
    done = desk.act("cy", "return", target="head")
    assert (done.state, desk.pending()) == ("RUNNING", [("head", "bo")])
    assert desk.state().instance.round == 2
    desk.act("bo", "approve")
    assert desk.pending() == [("finance", "cy")]


def test_a_return_out_of_a_parallel_branch_cancels_the_branches(open_desk: Any) -> None:
    desk = open_desk("""
- approve: head
  approvers: [{user: bo}]
- parallel: both
  branches:
    - branch: legal
      flow:
        - {approve: lawyer, approvers: [{user: cy}]}
        - {approve: counsel, approvers: [{user: di}], may_return_to: [any]}
    - branch: money
      flow: [{approve: finance, approvers: [{user: ed}], may_return_to: [any]}]
""")
    desk.submit()
    desk.act("bo", "approve")
    desk.act("cy", "approve")
    assert desk.refused("ed", "return", target="lawyer") == "approval.return_target"  # a branch beside it
    desk.act("di", "return", target="lawyer")  # within the branch: the other one goes on
    assert desk.pending() == [("finance", "ed"), ("lawyer", "cy")]
    assert desk.refused("ed", "return", target="counsel") == "approval.return_target"
    desk.act("ed", "return", target="head")
    assert desk.pending() == [("head", "bo")]
    assert ("both", "CANCELLED") in desk.runs()
    desk.act("bo", "approve")
    assert desk.pending() == [("finance", "ed"), ("lawyer", "cy")]
    desk.act("ed", "approve")
    desk.act("cy", "approve")
    assert desk.act("di", "approve").state == "APPROVED"


MATERIAL = """
- approve: head
  approvers: [{user: bo}]
- condition: how_much
  branches:
    - branch: large
      when: amount > 100
      flow: [{approve: director, approvers: [{user: ed}]}]
    - {branch: small, else: true, flow: []}
- approve: finance
  approvers: [{user: cy}]
  on_return: returning
"""


@pytest.mark.parametrize(
    ("change", "pending"),
    [({"note": "x"}, [("finance", "cy")]), ({"amount": 200}, [("director", "ed")]), ({"discount": 9}, [("head", "bo")]),
     ({"discount": 1}, [("finance", "cy")])],
)  # fmt: skip
def test_a_material_change_begins_where_it_is_read(open_desk: Any, change: Any, pending: Any) -> None:
    desk = open_desk(MATERIAL, "resubmit: {material: [amount], material_if: discount > PRIOR(discount) + 5}")
    desk.submit()
    desk.act("bo", "approve")
    desk.act("cy", "return")
    desk.site.records("ada").update("quote", desk.record, change)
    desk.act("ada", "resubmit")
    assert desk.pending() == pending


def test_after_the_last_round_it_is_rejected(open_desk: Any) -> None:
    desk = open_desk(HEAD, "resubmit: {most_rounds: 2}")
    desk.submit()
    desk.act("bo", "return")
    assert desk.act("ada", "resubmit").state == "RUNNING"
    desk.act("bo", "return")
    assert desk.act("ada", "resubmit").state == "REJECTED"


@pytest.mark.parametrize(
    ("policy", "first", "second"),
    [("before_first", "WITHDRAWN", "approval.too_late"), ("before_final", "WITHDRAWN", "WITHDRAWN"),
     ("never", "approval.too_late", "approval.too_late")],
)  # fmt: skip
def test_the_submitter_takes_it_back_until(open_desk: Any, policy: str, first: str, second: str) -> None:
    desk = open_desk(HEAD + "- approve: last\n  approvers: [{user: cy}]\n", f"withdraw: {policy}")
    desk.submit()
    assert desk.refused("bo", "withdraw") == "approval.not_yours"

    def attempt() -> str:
        if first == "WITHDRAWN" and second == "approval.too_late" and len(desk.tasks("APPROVED")):
            return desk.refused("ada", "withdraw")
        return desk.act("ada", "withdraw").state if policy != "never" else desk.refused("ada", "withdraw")

    assert attempt() == first
    if first == "WITHDRAWN":
        assert desk.tasks() == [("head", "bo", "CANCELLED")]
        desk.submit()
    desk.act("bo", "approve")
    assert attempt() == second


def test_a_transferred_task_is_anothers(open_desk: Any) -> None:
    desk = open_desk(BOTH)
    desk.submit()
    assert desk.refused("bo", "transfer", users=["cy"]) == "approval.already_asked"
    assert desk.refused("bo", "transfer", users=["max"]) == "approval.cannot_ask"
    assert desk.refused("bo", "transfer") == "approval.users"
    done = desk.act("bo", "transfer", users=["di"], comment="on leave")
    assert done.task_state == "TRANSFERRED"
    assert desk.pending() == [("both", "cy"), ("both", "di")]
    assert desk.refused("bo", "approve") == "approval.task_closed"
    desk.act("di", "approve")
    assert desk.act("cy", "approve").state == "APPROVED"


def test_what_a_helper_says_comes_back_to_the_owner(open_desk: Any) -> None:
    desk = open_desk(HEAD)
    desk.submit()
    desk.act("bo", "delegate", users=["cy"])
    assert desk.tasks() == [("head", "bo", "DELEGATED"), ("head", "cy", "PENDING")]
    assert desk.refused("bo", "approve") == "approval.task_closed"
    assert desk.act("cy", "reject", comment="no").state == "RUNNING"
    assert desk.pending() == [("head", "bo")]
    assert desk.act("bo", "approve").state == "APPROVED"


def test_signers_before_have_their_say_and_the_owner_decides(open_desk: Any) -> None:
    desk = open_desk(HEAD)
    desk.submit()
    desk.act("bo", "add_before", users=["cy", "di"], method="sequence")
    assert desk.tasks() == [("head", "bo", "WAITING"), ("head", "cy", "PENDING"), ("head", "di", "WAITING")]
    assert desk.refused("bo", "approve") == "approval.task_waiting"
    desk.act("cy", "reject")
    assert desk.tasks("CLOSED") == [("head", "di", "CLOSED")]
    assert desk.pending() == [("head", "bo")]
    assert desk.act("bo", "approve").state == "APPROVED"


def test_signers_after_count_before_the_node_is_decided(open_desk: Any) -> None:
    desk = open_desk(BOTH)
    desk.submit()
    assert desk.act("bo", "add_after", users=["di"]).task_state == "APPROVED"
    assert desk.act("cy", "approve").state == "RUNNING"
    assert desk.pending() == [("both", "di")]
    assert desk.act("di", "approve").state == "APPROVED"
    desk.record = ""
    desk.submit()
    desk.act("bo", "add_after", users=["di", "ed"], method="any")
    assert desk.act("ed", "reject").state == "REJECTED"


def test_a_signer_beside_is_one_more_of_the_node(open_desk: Any) -> None:
    desk = open_desk("- approve: vote\n  approvers: [{user: [bo, cy, di]}]\n  mode: {vote: 2/3}\n")
    desk.submit()
    desk.act("bo", "add_parallel", users=["ed", "flo"])
    for user in ("bo", "cy", "di"):
        assert desk.act(user, "approve").state == "RUNNING"  # 3 of 5: two thirds of five are four
    assert desk.act("ed", "approve").state == "APPROVED"


def test_who_added_a_signer_takes_them_out(open_desk: Any) -> None:
    desk = open_desk(BOTH)
    desk.submit()
    desk.act("bo", "add_parallel", users=["di"])
    added = desk.task_of("di").id
    assert desk.refused("cy", "remove_signer", added) == "approval.not_yours"
    assert desk.refused("boss", "remove_signer", desk.task_of("cy").id) == "approval.not_added"
    desk.act("bo", "approve")
    desk.act("cy", "approve")
    assert desk.act("bo", "remove_signer", added).state == "APPROVED"


def test_it_is_urged_once_an_hour(open_desk: Any) -> None:
    desk = open_desk(HEAD)
    desk.submit()
    desk.act("ada", "urge")
    assert desk.sent[-1] == ("approval.urged", ("bo",))
    assert desk.refused("ada", "urge") == "approval.urged"
    desk.later(hours=1)
    desk.act("ada", "urge")
    assert desk.refused("bo", "urge") == "approval.not_yours"


def test_an_approval_is_taken_back_until_the_next_one_has_looked(open_desk: Any) -> None:
    desk = open_desk(BOTH + "  reclaim: true\n- approve: last\n  approvers: [{user: di}]\n")
    desk.submit()
    desk.act("bo", "approve")
    desk.act("cy", "approve")
    assert desk.pending() == [("last", "di")]
    desk.act("bo", "reclaim")
    assert desk.tasks() == [("both", "bo", "PENDING"), ("both", "cy", "APPROVED"), ("last", "di", "CANCELLED")]
    assert desk.act("bo", "approve").state == "RUNNING"
    desk.act("di", "approve")
    assert desk.refused("bo", "reclaim") == "approval.state"


def test_nodes_let_what_is_editable_be_changed_and_ask_for_what_is_required(open_desk: Any) -> None:
    desk = open_desk(HEAD + "  editable: [discount, note]\n  required: [note]\n")
    desk.submit()
    assert desk.refused("bo", "approve", values={"amount": 5}) == "approval.not_editable"
    assert desk.refused("bo", "approve", values={"discount": 5}) == "approval.required"
    assert desk.site.records("ada").get("quote", desk.record)["discount"] == 0
    assert desk.act("bo", "approve", values={"discount": 5, "note": "ok"}).state == "APPROVED"
    changed = desk.site.records("ada").history("quote", desk.record)[1]
    assert desk.status == "approved"
    assert (changed.by, changed.changes) == (desk.ids["bo"], {"discount": (0, 5), "note": (None, "ok")})


def test_administrators_act_with_a_reason_that_is_told(open_desk: Any) -> None:
    desk = open_desk(BOTH + "- approve: last\n  approvers: [{user: di}]\n")
    desk.submit()
    assert desk.refused("bo", "cancel", comment="x") == "approval.admin"
    assert desk.refused("boss", "suspend") == "approval.comment_required"
    assert desk.act("boss", "suspend", comment="wait").state == "SUSPENDED"
    assert desk.refused("bo", "approve") == "approval.state"
    assert desk.act("boss", "resume", comment="go on").state == "RUNNING"
    desk.act("boss", "reassign", desk.task_of("bo").id, users=["ed"], comment="left")
    assert desk.pending() == [("both", "cy"), ("both", "ed")]
    assert desk.act("boss", "force", decision="approved", comment="urgent").state == "RUNNING"
    assert desk.pending() == [("last", "di")]
    desk.act("boss", "jump", target="both", comment="once more")
    assert desk.pending() == [("both", "bo"), ("both", "cy")]
    assert desk.act("boss", "cancel", comment="no longer needed").state == "CANCELLED"
    assert desk.locks == {}
    from engine.process.approval import kept

    with desk.site.tenant.database.read() as connection:
        marked = [one.action for one in kept.events_of(connection, desk.instance) if one.data.get("override")]
        actors = {one.actor for one in kept.events_of(connection, desk.instance) if one.action == "force"}
    assert {"suspend", "resume", "reassign", "force", "jump", "cancel"} <= set(marked)
    assert actors == {"system:override"}


def test_signed_steps_take_a_password(open_desk: Any) -> None:
    desk = open_desk(HEAD + "  signature: true\n")
    desk.submit()
    assert desk.refused("bo", "approve") == "approval.signature"
    assert desk.act("bo", "approve", is_signed=True).state == "APPROVED"


TIMED = """
- approve: head
  approvers: [{user: bo}]
  due: 2 days
  timers: [%s]
"""


def test_timers_that_are_late_fire_in_order_once(open_desk: Any) -> None:
    desk = open_desk(TIMED % "{after: 1 day, repeat: 2}, {after: 3 days, do: auto_reject}")
    desk.submit()
    desk.sent.clear()
    assert desk.site.work(desk.site.now) == 0
    desk.later(days=3, hours=1)
    assert desk.site.work(desk.site.now) == 3
    assert desk.site.work(desk.site.now) == 0
    assert [kind for kind, _ in desk.sent] == ["approval.reminded", "approval.reminded", "approval.decided"]
    assert [one for one in desk.events() if "timer" in one] == ["timer_remind", "timer_remind", "timer_auto_reject"]
    assert desk.state().instance.state == "REJECTED"
    task = desk.task_of("bo")
    assert (task.via, task.decided_by) == ("timer", "")


@pytest.mark.parametrize(
    ("timer", "pending"),
    [("{after: 1 day, do: escalate, to: [{user: cy}]}", [("head", "bo"), ("head", "cy")]),
     ("{after: 1 day, do: escalate, how: replace, to: [{user: cy}]}", [("head", "cy")]),
     ("{after: 1 day, do: transfer, to: [{user: cy}]}", [("head", "cy")])],
)  # fmt: skip
def test_a_timer_asks_others(open_desk: Any, timer: str, pending: Any) -> None:
    desk = open_desk(TIMED % timer)
    desk.submit()
    desk.later(days=1)
    assert desk.site.work(desk.site.now) == 1
    assert desk.pending() == pending


def test_the_clock_stands_still_while_it_is_suspended(open_desk: Any) -> None:
    desk = open_desk(TIMED % "{after: 1 day, do: auto_approve}")
    desk.submit()
    due = desk.task_of("bo").due_at
    desk.later(hours=12)
    desk.act("boss", "suspend", comment="wait")
    desk.later(days=3)
    desk.site.work(desk.site.now)
    desk.act("boss", "resume", comment="on")
    desk.site.work(desk.site.now)
    assert (desk.state().instance.state, desk.task_of("bo").due_at) == ("RUNNING", due + timedelta(days=3))
    desk.later(hours=12)
    desk.site.work(desk.site.now)
    assert desk.state().instance.state == "APPROVED"


def test_a_delay_waits_and_goes_on(open_desk: Any) -> None:
    desk = open_desk("- delay: rest\n  for: 2 days\n" + HEAD)
    desk.submit()
    assert desk.runs() == [("rest", "ACTIVE")]
    desk.later(days=2)
    desk.site.work(desk.site.now)
    assert desk.pending() == [("head", "bo")]


CHECK = """
approval: check
label: Check
object: quote
group: check
priority: 900
flow: [{approve: checker, approvers: [{user: cy}]}]
"""


def test_a_subprocess_is_waited_for(open_desk: Any) -> None:
    desk = open_desk("- subprocess: checked\n  process: check\n" + HEAD, more=CHECK)
    desk.submit()
    parent = desk.instance
    (run,) = desk.state().active()
    desk.instance = run.data["child"]
    assert desk.state().instance.parent == parent
    assert desk.act("cy", "approve").state == "APPROVED"
    desk.instance = parent
    assert desk.pending() == [("head", "bo")]
    assert desk.act("bo", "approve").state == "APPROVED"


def test_what_is_suspended_does_not_go_on_when_a_subprocess_ends(light_desk: Any) -> None:
    desk = light_desk("- subprocess: checked\n  process: check\n", more=CHECK)
    parent = desk.submit().instance
    desk.act("boss", "suspend", comment="wait")
    (run,) = desk.state().active()
    desk.instance = run.data["child"]
    desk.act("cy", "approve")
    desk.instance = parent
    assert (desk.state().instance.state, desk.runs()) == ("SUSPENDED", [("checked", "ACTIVE")])
    assert desk.act("boss", "resume", comment="on").state == "APPROVED"
    assert desk.status == "approved"
    desk.record = ""
    desk.submit()
    desk.act("ada", "withdraw")  # with what it called
    assert desk.status == "withdrawn"


WRITING = CHECK.replace("group: check", "group: check\non: {approve: [{set: {note: checked}}]}")


def test_a_subprocess_writes_the_record_that_its_parent_keeps(open_desk: Any) -> None:
    desk = open_desk("- subprocess: checked\n  process: check\n" + HEAD, more=WRITING)
    desk.submit()
    parent = desk.instance
    (run,) = desk.state().active()
    desk.instance = run.data["child"]
    desk.act("cy", "approve")
    assert desk.site.records().get("quote", desk.record)["note"] == "checked"
    desk.instance = parent
    assert (desk.pending(), desk.status) == ([("head", "bo")], "pending")


def test_who_is_told_sees_it_and_decides_nothing(open_desk: Any) -> None:
    desk = open_desk("- cc: told\n  to: [{user: flo}]\n" + HEAD)
    desk.submit()
    assert ("approval.cc", ("flo",)) in desk.sent
    assert desk.refused("flo", "approve", desk.task_of("bo").id) == "approval.not_yours"
    desk.act("bo", "cc", users=["ed"])
    assert ("approval.cc", ("ed",)) in desk.sent
    assert desk.act("flo", "comment", comment="fine with me").state == "RUNNING"
