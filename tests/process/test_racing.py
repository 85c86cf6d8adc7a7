"""Several at once, a process that is killed, and a new version while instances run."""

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.cli import main
from engine.context import context_of
from engine.errors import EngineError
from engine.people.standing import standing_of
from engine.process.approval import kept
from engine.process.approval.door import Given, act
from engine.process.approval.service import Approvals
from engine.process.approval.submission import submit_in
from engine.store import system_approvals as tables
from engine.store.system_locks import lock
from engine.tenants import Tenant, open_tenant
from tests.depth import at_depth
from tests.process.desk import NOW, Desk, package
from tests.publish.stage import plugins
from tests.publish.test_kill import kill_before

TEN = [f"user{number}" for number in range(10)]
ANY = f"- approve: first\n  approvers: [{{user: [{', '.join(TEN)}]}}]\n- approve: last\n  approvers: [{{user: bo}}]\n"
LOST = ("approval.task_closed", "busy")


@pytest.mark.postgres
def test_of_ten_who_approve_at_once_one_does(open_desk: Any) -> None:
    desk = open_desk(ANY)
    desk.ids |= {name: desk.site.user(name, "approver") for name in TEN}
    desk.names |= {one: name for name, one in desk.ids.items()}
    contexts = {name: desk.site.context(name) for name in TEN}
    for _ in range(at_depth(10, 1000)):
        desk.record = ""
        desk.submit()
        tasks = {desk.names[task.user]: task.id for task in desk.state().tasks.values()}
        found: dict[str, str] = {}
        start = threading.Barrier(len(TEN))

        def approve(name: str, tasks: Any = tasks, found: Any = found, start: Any = start) -> None:
            start.wait()
            try:
                with desk.site.tenant.database.write() as connection:
                    act(contexts[name], connection, desk.instance, "approve", Given(task=tasks[name]))
                found[name] = "done"
            except EngineError as error:
                found[name] = error.code

        threads = [threading.Thread(target=approve, args=(name,)) for name in TEN]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(found.values()) == ["approval.task_closed"] * 9 + ["done"]
        assert desk.pending() == [("last", "bo")]
        states = [state for node, _, state in desk.tasks() if node == "first"]
        assert sorted(states) == ["APPROVED", *["CLOSED"] * 9]


@pytest.mark.postgres
def test_of_five_who_submit_at_once_one_does(open_desk: Any) -> None:
    desk = open_desk("- approve: head\n  approvers: [{user: bo}]\n", "lock: none")
    ctx = desk.site.context("ada")
    for _ in range(at_depth(5, 100)):
        record, found, start = desk.quote(), [], threading.Barrier(5)

        def submit(record: str = record, found: Any = found, start: Any = start) -> None:
            start.wait()
            try:
                with desk.site.tenant.database.write() as connection:
                    submit_in(ctx, connection, "quote", record)
                found.append("done")
            except EngineError as error:
                found.append(error.code)

        threads = [threading.Thread(target=submit) for _ in range(5)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(found) == ["approval.running"] * 4 + ["done"]


RESET = """
- approve: head
  approvers: [{user: bo}]
  reset_on_change: [amount]
- approve: last
  approvers: [{user: cy}]
"""
"""A decision at `last` ends it, which writes the record; a change of the amount asks `head` again."""


@pytest.mark.postgres
def test_a_save_that_asks_again_and_a_decision_wait_for_each_other(open_desk: Any) -> None:
    desk = open_desk(RESET, "lock: none")
    found: list[str] = []

    def trying(do: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                do()
                found.append("done")
            except EngineError as error:
                found.append(error.code)

        return threading.Thread(target=run)

    def submitted() -> tuple[str, Callable[[], object], Callable[[], object]]:
        """The decision that ends it, and a save that asks again."""
        desk.record = ""
        desk.submit()
        desk.act("bo", "approve")
        ctx, task = desk.site.context("cy"), desk.task_of("cy", "last").id

        def decide() -> object:
            with desk.site.tenant.database.write() as connection:
                return act(ctx, connection, desk.instance, "approve", Given(task=task))

        return desk.record, decide, lambda: desk.site.records("ada").update("quote", desk.record, {"amount": 9})

    record, decide, save = submitted()
    second = trying(save)
    with desk.site.tenant.database.together() as connection:
        kept.lock(connection, desk.instance)
        second.start()
        second.join(0.4)
        assert second.is_alive()
        decide()
    second.join()
    assert found == ["done"]
    assert (desk.state().instance.state, desk.site.records().get("quote", record)["amount"]) == ("APPROVED", 9)
    found.clear()
    record, decide, save = submitted()
    second = trying(decide)
    with desk.site.tenant.database.together():
        save()
        second.start()
        second.join(0.4)
        assert second.is_alive()
    second.join()
    assert found == ["approval.task_closed"]
    assert desk.pending() == [("head", "bo")]


KILLED = """
- approve: head
  approvers: [{user: bo}]
  timers: [{after: 1 day}]
- approve: last
  approvers: [{user: cy}]
"""


def test_killed_at_any_time_there_is_a_lock_where_an_instance_runs_and_nowhere_else(
    open_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(KILLED)
    monkeypatch.undo()  # people are told, too
    record = desk.quote()

    def submit(tenant: Tenant) -> None:
        with tenant.database.write() as connection:
            submit_in(as_user(tenant, desk.ids["ada"]), connection, "quote", record)

    assert sweep(desk, submit) > 25
    with desk.site.tenant.database.read() as connection:
        desk.instance = str(connection.sa.scalar(sa.select(tables.approval.c.id)))
    assert desk.pending() == [("head", "bo")]
    for user, node in (("bo", "head"), ("cy", "last")):
        task = desk.task_of(user, node).id

        def approve(tenant: Tenant, user: str = user, task: str = task) -> None:
            with tenant.database.write() as connection:
                act(as_user(tenant, desk.ids[user]), connection, desk.instance, "approve", Given(task=task))

        assert sweep(desk, approve) > 15
    assert desk.state().instance.state == "APPROVED"


def as_user(tenant: Tenant, user: str) -> Any:
    return standing_of(context_of(tenant, now=NOW), user).context


def sweep(desk: Desk, do: Callable[[Tenant], None]) -> int:
    """Kill before statement 1, 2, … until one comes through; after each, what is stored is whole."""
    number, stride, before = 1, at_depth(9, 1), held(desk)
    while not done_before(desk, do, number):
        assert held(desk) == before, f"killed before statement {number}"
        number += stride
    assert held(desk) != before or number > 1
    return number


def held(desk: Desk) -> Any:
    """What runs and what is locked, which must be the same; and how many events, tasks and jobs there are."""
    with desk.site.tenant.database.read() as connection:
        running = set(
            connection.sa.scalars(sa.select(tables.approval.c.id).where(tables.approval.c.ended_at.is_(None)))
        )
        locked = set(connection.sa.scalars(sa.select(lock.c.instance)))
        counts = [connection.sa.scalar(sa.text(f"SELECT count(*) FROM {name}"))  # of these names
                  for name in ("fs_approval_event", "fs_approval_task", "fs_job", "fs_history")]  # fmt: skip
    assert running == locked
    desk.site.tenant.database._close_idle()  # no connection of SQLite's may go through a fork
    return running, counts


def done_before(desk: Desk, do: Callable[[Tenant], None], number: int) -> bool:
    """In a process that kills itself before its `number`th statement; whether it got to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            config = desk.site.config
            tenant = open_tenant(config.database_url, Path(desk.site.folder), plugins=plugins())
            kill_before(number, tenant)
            do(tenant)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


OLD = "- approve: head\n  approvers: [{user: bo}]\n  on_return: returning\n- approve: last\n  approvers: [{user: cy}]\n"
NEW = "- approve: boss\n  approvers: [{user: bo}]\n- approve: money\n  approvers: [{user: di}]\n"


def test_instances_stay_on_their_version_until_they_are_moved(open_desk: Any) -> None:
    desk = open_desk(OLD)
    instances = []
    for _ in range(3):
        desk.record = ""
        instances.append(desk.submit().instance)
    desk.site.publish(package(OLD).replace("label: Note", "label: Remark"))  # the approval is as it was
    assert Approvals(desk.site.context("boss")).earlier_counts() == {}
    old = desk.site.tenant.version() - 1
    desk.site.publish(package(NEW).replace("note: {type: text, label: Note}", "remark: {type: text, was: note}"))
    first, second, third = instances
    desk.instance = first
    assert desk.act("bo", "approve").state == "RUNNING"
    assert desk.pending() == [("last", "cy")]
    desk.act("cy", "approve")
    assert (desk.state().instance.state, desk.state().instance.version) == ("APPROVED", old)
    boss = Approvals(desk.site.context("boss"))
    assert boss.earlier_counts() == {"discount": 2}
    assert list(boss.running_before("discount")) == [second, third]
    (told,) = boss.move([second], "migrate", reason="new rules")
    assert (told.code, told.how) == ("approval.unmapped", "migrate")
    (told,) = boss.move([second], "migrate", {"head": "boss"}, reason="new rules")
    assert told.code == ""
    desk.instance = second
    assert desk.state().instance.version == old  # it was rehearsed
    desk.act("bo", "return")
    (told,) = boss.move([second], "migrate", reason="new rules")
    assert told.code == "approval.unmapped"  # it would go on there
    boss.move([second], "migrate", {"head": "boss"}, reason="new rules", rehearse=False)
    assert desk.state().instance.version == desk.site.tenant.version()
    desk.act("ada", "resubmit")
    desk.act("bo", "approve", node="boss")
    assert desk.pending() == [("money", "di")]
    (told,) = boss.move([third], "resubmit", reason="anew", rehearse=False)
    desk.instance = third
    assert desk.state().instance.state == "CANCELLED"
    desk.instance = told.submitted
    assert (desk.pending(), desk.state().instance.submitter) == ([("boss", "bo")], desk.ids["ada"])
    with pytest.raises(EngineError) as refusal:
        Approvals(desk.site.context("bo")).move([second], "finish")
    assert refusal.value.code == "approval.admin"


def test_what_a_version_before_asks_of_a_field_that_is_gone_suspends_it(open_desk: Any) -> None:
    desk = open_desk("""
- {approve: head, approvers: [{user: bo}]}
- condition: size
  branches:
    - {branch: large, when: discount > 10, flow: [{approve: last, approvers: [{field: customer}]}]}
    - {branch: small, else: true, flow: []}
""")
    customer = desk.site.records().create("customer", {"name": "C", "owner": desk.ids["cy"]})["id"]
    instances = []
    for _ in range(2):
        desk.quote(discount=20, customer=customer)
        instances.append(desk.submit().instance)
    with_gone = package(OLD)
    for instance, field, reason in (
        (instances[0], "customer: {type: reference, to: customer, label: Customer}", "who is asked at 'last'"),
        (instances[1], "discount: {type: integer, label: Discount}", "the condition 'discount > 10'"),
    ):
        with_gone = with_gone.replace(f"  {field}\n", "")
        desk.site.publish(with_gone)
        desk.instance = instance
        shown = desk.site.client("bo").get(f"/api/v1/approvals/tasks/{desk.task_of('bo').id}").json()
        assert shown["state"] == "PENDING"
        assert desk.act("bo", "approve").state == "SUSPENDED"
        assert desk.state().instance.reason.startswith(reason)
        assert desk.site.client("bo").get(f"/api/v1/approvals/{instance}").json()["state"] == "SUSPENDED"


def test_the_api_and_the_command_move_what_runs(open_desk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    desk = open_desk(OLD)
    instance = desk.submit().instance
    desk.site.publish(package(NEW))
    boss = desk.site.client("boss")
    address = "/api/v1/approvals/move"
    sent: dict[str, object] = {"approval": "discount", "how": "migrate"}
    [told] = boss.post(address, json=sent).json()["instances"]
    assert (told["id"], told["code"]) == (instance, "approval.unmapped")
    sent["mapping"] = {"head": "boss"}
    answer = boss.post(address, json=sent).json()
    assert (answer["rehearsed"], answer["instances"][0]["code"]) == (True, None)
    assert boss.post(address, json={**sent, "how": "throw"}).status_code == 422
    assert desk.site.client("bo").post(address, json=sent).status_code == 403
    assert desk.pending() == [("head", "bo")]
    at = ["--database", desk.site.config.database_url, "--data", str(desk.site.folder)]
    command = ["approval", "move", "discount", "--how", "migrate", "--map", "head=boss", *at]
    assert main(command) == 0
    assert "migrate is possible" in capsys.readouterr().out
    assert desk.pending() == [("head", "bo")]
    assert main([*command, "--yes"]) == 1
    assert main([*command, "--yes", "--reason", "new rules"]) == 0
    assert desk.pending() == [("boss", "bo")]


def test_the_plan_tells_what_runs(open_desk: Any) -> None:
    from engine.publish import plan

    desk = open_desk(OLD)
    desk.submit()
    drawn = plan(desk.site.tenant, [desk.site.written(package(NEW))])
    assert drawn.running == (("discount", 1),)


def test_after_three_days_of_downtime_each_timer_fires_once_in_order(open_desk: Any) -> None:
    timers = "{after: 1 day}, {after: 2 days, do: escalate, to: [{user: di}]}, {after: 80 hours, do: close}"
    desk = open_desk(f"- approve: head\n  approvers: [{{user: bo}}]\n  timers: [{timers}]\n")
    desk.submit()
    desk.later(days=3)
    desk.site.work(desk.site.now)
    assert [one for one in desk.events() if "timer" in one] == ["timer_remind", "timer_escalate"]
    assert desk.pending() == [("head", "bo"), ("head", "di")]
    desk.site.work(desk.site.now + timedelta(hours=8))
    assert desk.tasks() == [("head", "bo", "EXPIRED"), ("head", "di", "PENDING")]
    assert desk.act("di", "approve").state == "APPROVED"
