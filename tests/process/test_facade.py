"""What screens and the API are told: boxes, tasks, histories, what comes next, and what one may do."""

from typing import Any

import pytest

from engine.errors import EngineError
from engine.process.approval.service import Approvals
from tests.process.desk import Desk

FLOW = """
- approve: head
  label: Head
  approvers: [{user: bo}]
  editable: [discount]
  comment: [reject]
  due: 2 days
- condition: how_much
  branches:
    - {branch: large, when: amount > 100, flow: [{approve: director, approvers: [{user: cy}]}]}
    - {branch: small, else: true, flow: []}
- cc: told
  to: [{user: flo}]
- approve: last
  approvers: [{user: di}]
"""


def of(desk: Desk, user: str) -> Approvals:
    return Approvals(desk.site.context(user))


def test_options_tell_what_it_may_be_submitted_to_and_where_it_would_go(open_desk: Any) -> None:
    desk = open_desk(FLOW, "when: discount > 0")
    record = desk.quote(discount=5, amount=200)
    (option,) = of(desk, "ada").options("quote", record).approvals
    assert (option.approval, option.label, option.chooses) == ("discount", "Discount", ())
    assert [(one.node, [person.name for person in one.people]) for one in option.ahead] == [
        ("head", ["bo"]), ("director", ["cy"]), ("told", []), ("last", ["di"]),
    ]  # fmt: skip
    assert of(desk, "bo").options("quote", record).approvals == ()  # may not update it
    assert of(desk, "ada").options("quote", desk.quote()).approvals == ()  # the condition
    with pytest.raises(EngineError) as refusal:
        of(desk, "max").options("quote", record)
    assert refusal.value.code in ("object.unknown", "not_found", "record.unknown")


def test_the_inbox_sums_up_for_who_is_asked_what_their_node_shows_and_no_longer(open_desk: Any) -> None:
    asked = "- {approve: one, approvers: [{user: max}], hidden: [discount]}\n"
    desk = open_desk(asked + FLOW.strip(), "summary: [amount, discount]")
    desk.submit(record=desk.quote(amount=7, discount=3))
    (row,) = of(desk, "max").inbox().rows  # who may read no quotes
    assert [(value.name, value.value) for value in row.summary] == [("amount", 7)]
    desk.act("max", "approve")
    (done,) = of(desk, "max").inbox("done").rows
    assert done.summary == ()


def test_the_boxes_hold_what_waits_what_was_done_started_and_told(open_desk: Any) -> None:
    desk = open_desk(FLOW, "summary: [amount, discount]")
    first, second = desk.quote(name="Alpha", amount=200), desk.quote(name="Beta")
    for record in (first, second):
        desk.submit(record=record)
        desk.later(minutes=1)
    bo = of(desk, "bo")
    rows = bo.inbox().rows
    assert [(row.title, row.node_label, row.submitter.name, row.may_approve) for row in rows] == [
        ("Beta", "Head", "ada", True), ("Alpha", "Head", "ada", True),
    ]  # fmt: skip
    assert [(value.label, value.value) for value in rows[1].summary] == [("Amount", 200), ("Discount", 0)]
    page = bo.inbox(limit=1)
    assert [row.title for row in bo.inbox(limit=1, cursor=page.next).rows] == ["Alpha"]
    assert [row.title for row in bo.inbox(text="alph").rows] == ["Alpha"]
    assert bo.inbox(object_name="customer").rows == ()
    assert bo.inbox(approval="discount", overdue=True).rows == ()
    desk.later(days=3)
    assert len(of(desk, "bo").inbox(overdue=True).rows) == 2
    assert (of(desk, "bo").counts().todo, of(desk, "bo").counts().overdue) == (2, 2)
    assert of(desk, "bo").act(rows[0].task, "approve").state == "RUNNING"
    counts = of(desk, "bo").counts()
    assert (counts.todo, counts.done) == (1, 1)
    assert [row.title for row in of(desk, "bo").inbox("done").rows] == ["Beta"]
    assert [row.title for row in of(desk, "ada").inbox("started").rows] == ["Beta", "Alpha"]
    assert (of(desk, "ada").counts().started, of(desk, "flo").counts().cc) == (2, 1)
    (told,) = of(desk, "flo").inbox("cc").rows
    assert (told.title, told.is_read) == ("Beta", False)
    of(desk, "flo").instance(told.instance)
    assert of(desk, "flo").counts().cc == 0
    with pytest.raises(EngineError):
        bo.inbox("nothing")  # type: ignore[arg-type]
    with pytest.raises(EngineError):
        bo.inbox(cursor="x")


def test_a_task_tells_its_person_what_they_may_do_and_what_each_asks(open_desk: Any) -> None:
    desk = open_desk(FLOW)
    desk.submit()
    task = desk.task_of("bo").id
    seen = of(desk, "bo").task(task)
    assert (seen.node_label, seen.editable, seen.record["name"], seen.is_overdue) == ("Head", ("discount",), "Q", False)
    asked = {one.name: (one.asks, one.needs) for one in seen.actions}
    assert asked["approve"] == (("comment", "attachments", "values"), ())
    assert asked["reject"] == (("comment", "attachments"), ("comment",))
    assert asked["transfer"] == (("comment", "attachments", "users"), ("users",))
    assert [one.node for action in seen.actions if action.name == "return" for one in action.targets] == ["start"]
    assert desk.task_of("bo").read_at == desk.site.now
    assert of(desk, "ada").task(task).actions == ()
    for user, wanted in (("max", task), ("cy", task), ("bo", desk.instance)):
        with pytest.raises(EngineError) as refusal:
            of(desk, user).task(wanted)
        assert (refusal.value.code, str(refusal.value)) == ("task.unknown", "there is no such task")


def test_the_history_tells_who_said_and_changed_what(open_desk: Any) -> None:
    desk = open_desk(FLOW)
    desk.submit(comment="please")
    desk.act("bo", "approve", values={"discount": 3}, comment="a little less")
    desk.act("di", "return", comment="which customer?")
    desk.act("ada", "resubmit")
    seen = of(desk, "ada").instance(desk.instance)
    told = [(one.actor.name, one.action, one.comment, one.round) for one in seen.history if one.comment]
    assert told == [
        ("ada", "submit", "please", 1), ("bo", "approve", "a little less", 1), ("di", "return", "which customer?", 1),
    ]  # fmt: skip
    (approved,) = [one for one in seen.history if one.action == "approve"]
    assert approved.changes == {"discount": (0, 3)}
    assert [(one.node, one.person.name) for one in seen.open] == [("head", "bo")]
    assert [one.node for one in seen.ahead] == ["told", "last"]
    assert [one.name for one in seen.actions] == ["urge", "comment"]
    assert seen.round == 2
    (again,) = of(desk, "ada").of_record("quote", desk.record)
    assert again.id == desk.instance
    with pytest.raises(EngineError) as refusal:
        of(desk, "max").instance(desk.instance)
    assert refusal.value.code == "approval.unknown"


def test_several_are_approved_each_by_itself(open_desk: Any) -> None:
    desk = open_desk(FLOW)
    tasks = []
    for _ in range(3):
        desk.record = ""
        desk.submit()
        tasks.append(desk.task_of("bo").id)
    desk.act("bo", "reject", tasks[2], comment="no")
    results = of(desk, "bo").bulk([*tasks, desk.instance], comment="all fine")
    assert [one.error.code if one.error else one.done.state for one in results] == [
        "RUNNING", "RUNNING", "approval.task_closed", "task.unknown",
    ]  # fmt: skip


def test_a_key_that_the_action_would_pass_over_is_refused(open_desk: Any) -> None:
    desk = open_desk(FLOW)
    record = desk.quote()
    ada, bo = (desk.site.client(one) for one in ("ada", "bo"))
    whole = ada.post(f"/api/v1/records/quote/{record}/submit", json={}).json()["instance"]
    task = bo.get("/api/v1/approvals").json()["rows"][0]["task"]
    meant = bo.post(f"/api/v1/approvals/tasks/{task}/approve", json={"target": "start", "comment": "once more"})
    assert (meant.status_code, meant.json()["problems"]) == (422, [{
        "path": "target", "code": "body.unknown", "message": "'approve' takes no 'target'",
        "fix": "it takes: comment, attachments, values, chosen, password",
    }])  # fmt: skip
    assert ada.post(f"/api/v1/approvals/{whole}/withdraw", json={"users": [record]}).json()["code"] == "body.unknown"
    assert bo.get(f"/api/v1/approvals/{whole}").json()["state"] == "RUNNING"
    bad = bo.post(f"/api/v1/approvals/tasks/{task}/approve", json={"values": {"discount": "much"}}).json()
    assert [(one["path"], one["code"]) for one in bad["problems"]] == [("values.discount", "value.type")]
    done = bo.post(f"/api/v1/approvals/tasks/{task}/approve", json={"target": "", "users": [], "comment": "fine"})
    assert (done.status_code, done.json()["state"]) == (200, "RUNNING")
    nul = bo.post(f"/api/v1/approvals/tasks/{task}/reject", json={"comment": "a\0"}).json()
    assert (nul["code"], nul["problems"][0]["path"]) == ("value.text.character", "comment")


def test_all_of_it_goes_through_the_api(open_desk: Any) -> None:
    desk = open_desk(FLOW)
    record = desk.quote()
    ada, bo, stranger = (desk.site.client(one) for one in ("ada", "bo", "max"))
    submitted = ada.post(
        f"/api/v1/records/quote/{record}/submit", json={"comment": "please"}, headers={"idempotency-key": "k"}
    )
    assert (submitted.status_code, submitted.json()["state"]) == (201, "RUNNING")
    again = ada.post(
        f"/api/v1/records/quote/{record}/submit", json={"comment": "please"}, headers={"idempotency-key": "k"}
    )
    assert again.json() == submitted.json()
    assert ada.patch(f"/api/v1/records/quote/{record}", json={"amount": 9}).status_code == 423
    (row,) = bo.get("/api/v1/approvals?box=todo").json()["rows"]
    assert (row["title"], row["node"]) == ("Q", "head")
    assert bo.get("/api/v1/approvals/counts").json() == {"todo": 1, "overdue": 0, "done": 0, "started": 0, "cc": 0}
    task = f"/api/v1/approvals/tasks/{row['task']}"
    assert bo.get(task).json()["instance"]["id"] == submitted.json()["instance"]
    gone = stranger.get(f"/api/v1/approvals/tasks/{record}")
    assert (stranger.get(task).status_code, stranger.get(task).json()) == (404, gone.json())
    assert stranger.post(f"{task}/approve").json() == stranger.post(f"/api/v1/approvals/tasks/{record}/approve").json()
    assert ada.post(f"{task}/approve").status_code == 403
    refused = bo.post(f"{task}/reject", json={})
    assert (refused.status_code, refused.json()["code"]) == (422, "approval.comment_required")
    assert bo.post(f"{task}/approve", json={"nothing": 1}).json()["code"] == "body.unknown"
    assert bo.post(f"{task}/approve", json={"values": {"discount": 2}}).json()["state"] == "RUNNING"
    assert bo.post(f"{task}/approve").json()["code"] == "approval.task_closed"
    whole = f"/api/v1/approvals/{submitted.json()['instance']}"
    assert [one["action"] for one in ada.get(whole).json()["history"] if one["comment"]] == ["submit"]
    assert ada.post(f"{whole}/withdraw").json()["code"] == "approval.too_late"
    assert ada.post(f"{whole}/comment", json={"comment": "soon?"}).status_code == 200
    assert len(ada.get(f"/api/v1/records/quote/{record}/approvals").json()["approvals"]) == 1
    assert stranger.get(f"/api/v1/records/quote/{record}/approvals").status_code == 404
    last = desk.site.client("di").get("/api/v1/approvals").json()["rows"][0]["task"]
    done = desk.site.client("di").post("/api/v1/approvals/bulk", json={"tasks": [last, record]}).json()["results"]
    assert [(one["status"], one.get("state") or one["code"]) for one in done] == [
        (200, "APPROVED"),
        (404, "task.unknown"),
    ]
    assert "/approvals/tasks/{id}/{action}" in ada.get("/api/v1/openapi.json").json()["paths"]


def test_who_takes_part_reads_the_record_through_the_node(open_desk: Any) -> None:
    desk = open_desk("- approve: head\n  approvers: [{user: max}]\n  hidden: [amount]\n")
    desk.submit()
    seen = of(desk, "max").task(desk.task_of("max").id)
    assert seen.instance.title == "Q"
    assert (seen.record["name"], "amount" in seen.record) == ("Q", False)
