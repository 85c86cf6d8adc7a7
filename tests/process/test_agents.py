"""Who is away has somebody who decides for them, for as long as they are; what leavers were asked goes to others."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from engine.errors import BadInput, Conflict, EngineError, Forbidden, NotFound
from engine.people.handover import hand_over, holdings
from engine.process import agents, standing_in
from engine.process.approval import inbox, kept, ports
from engine.process.approval.door import Given, act
from engine.process.approval.state import Task
from engine.process.approval.submission import submit_in
from engine.process.approvers import Slot
from engine.process.reading import read_as_participant
from engine.testing import Running, running
from tests.process.orders import NOW
from tests.records.state import refused

TWO = """
package: firm
version: 1.0.0
label: Firm
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name, required: true}
---
approval: sign_off
label: Sign-off
object: deal
flow:
  - approve: first
    label: First
    approvers: [{user: ann}]
    mode: all
---
role: seller
label: Seller
objects: {deal: [create, read, update]}
---
role: approver
label: Approver
objects: {deal: [read, approve], user: [read]}
---
role: chief
label: Chief
system: [manage_processes]
objects: {deal: [read, approve]}
"""
PEOPLE = {"boss": "admin", "lin": "seller", "ann": "approver", "bob": "approver", "cy": "", "max": "approver",
          "pat": "chief"}  # fmt: skip


@pytest.fixture
def site(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(database_url, [TWO], now=NOW) as site:
        for user, role in PEOPLE.items():
            site.user(user, *([role] if role else []))
        site.asked = ["ann"]  # type: ignore[attr-defined]

        def slots_of(*args: Any, **more: Any) -> Sequence[Slot]:
            return tuple(Slot(site.user(one)) for one in site.asked)  # type: ignore[attr-defined]

        monkeypatch.setattr(ports, "slots_of", slots_of)
        for name in ("notify", "announce", "run_steps"):
            monkeypatch.setattr(ports, name, lambda *args, **more: {})
        yield site


def away(site: Running, user: str, agent: str, first: int = 0, last: int = 10, by: str = "", **more: Any) -> str:
    values: dict[str, Any] = {
        "agent": site.user(agent), "from": (NOW + timedelta(days=first)).isoformat(),
        "to": (NOW + timedelta(days=last)).isoformat(),
    } | more  # fmt: skip
    if by:
        values["user"] = site.user(user)
    return standing_in.appoint(site.context(by or user), values).id


def submitted(site: Running) -> str:
    record = site.records("lin").create("deal", {"name": "D"})["id"]
    with site.tenant.database.write() as connection:
        return submit_in(site.context("lin"), connection, "deal", record).instance


def tasks(site: Running, instance: str) -> list[Task]:
    with site.tenant.database.read() as connection:
        state = kept.load(connection, instance)
    assert state is not None
    return list(state.tasks.values())


def approves(site: Running, user: str, instance: str) -> None:
    task = next(one.id for one in tasks(site, instance) if one.state == "PENDING")
    with site.tenant.database.write() as connection:
        act(site.context(user), connection, instance, "approve", Given(task=task))


def todo(site: Running, user: str) -> int:
    with site.tenant.database.read() as connection:
        return inbox.counts(site.context(user), connection).todo


def test_both_may_decide_once_and_it_tells_for_whom(site: Running) -> None:
    away(site, "ann", "bob")
    instance = submitted(site)
    assert (todo(site, "ann"), todo(site, "bob"), todo(site, "max")) == (1, 1, 0)
    approves(site, "bob", instance)
    [task] = tasks(site, instance)
    assert (task.state, task.decided_by, task.via) == ("APPROVED", site.user("bob"), "agent")
    with site.tenant.database.read() as connection:
        told = [one for one in kept.events_of(connection, instance) if one.action == "approve"]
    assert [(one.actor, one.on_behalf_of) for one in told] == [(site.user("bob"), site.user("ann"))]
    with pytest.raises(EngineError), site.tenant.database.write() as connection:
        act(site.context("ann"), connection, instance, "approve", Given(task=task.id))


def test_what_is_open_already_is_offered_and_taken_back(site: Running) -> None:
    instance = submitted(site)
    one = away(site, "ann", "cy")
    assert (todo(site, "cy"), read_as_participant(site.context("cy"), instance).title) == (1, "D")
    standing_in.take_back(site.context("ann"), one)
    assert todo(site, "cy") == 0
    with pytest.raises(NotFound):
        read_as_participant(site.context("cy"), instance)
    with pytest.raises(EngineError):
        approves(site, "cy", instance)
    approves(site, "ann", instance)


def test_it_ends_with_its_time_even_before_a_job_says_so(site: Running) -> None:
    away(site, "ann", "bob", last=1)
    instance = submitted(site)
    site.fixed_now = NOW + timedelta(days=1)
    with pytest.raises(Forbidden):
        approves(site, "bob", instance)
    with pytest.raises(NotFound):
        read_as_participant(site.context("bob"), instance)


def test_approvals_and_objects_narrow_it(site: Running) -> None:
    away(site, "ann", "bob", objects=["user"])
    away(site, "ann", "max", approvals=["sign_off"], objects=["deal"])
    instance = submitted(site)
    assert (todo(site, "bob"), todo(site, "max")) == (0, 1)
    approves(site, "max", instance)


def test_an_agent_hands_nothing_on(site: Running) -> None:
    away(site, "ann", "bob")
    away(site, "bob", "max")
    submitted(site)
    assert (todo(site, "bob"), todo(site, "max")) == (1, 0)


def test_circles_overlaps_and_people_who_are_away_are_refused(site: Running) -> None:
    away(site, "ann", "bob")
    for user, agent, code in (
        ("ann", "max", "agent.overlap"), ("bob", "ann", "agent.circle"), ("max", "ann", "agent.away"),
    ):  # fmt: skip
        with refused(site, Conflict) as refusal:
            away(site, user, agent, first=2, last=3)
        assert refusal.value.code == code
    away(site, "bob", "max")
    with refused(site, Conflict) as refusal:
        away(site, "max", "ann")
    assert refusal.value.code == "agent.circle"
    away(site, "ann", "max", first=20, last=30)


def test_what_is_sent_is_checked(site: Running) -> None:
    sent = {"agent": site.user("bob"), "from": NOW.isoformat(), "to": (NOW + timedelta(days=9)).isoformat()}
    for more, code in (
        ({"agent": site.user("ann")}, "agent.self"), ({"agent": "x"}, "agent.person"),
        ({"to": "soon"}, "value.datetime"),
        ({"approvals": ["lost"]}, "agent.approvals"), ({"objects": ["lost"]}, "agent.objects"),
        ({"colour": "red"}, "agent.key"), ({"to": "2026-11-01T00:00:00Z"}, "agent.time"),
    ):  # fmt: skip
        with refused(site, BadInput) as refusal:
            standing_in.appoint(site.context("ann"), {**sent, **more})
        assert code in [one.code for one in refusal.value.problems]
    with refused(site, Forbidden):
        away(site, "ann", "bob", by="max")
    away(site, "ann", "bob", by="pat")
    with refused(site, Forbidden):
        agents.agents(site.context("max"), of_all=True)
    assert [len(agents.agents(site.context(one))) for one in ("ann", "bob", "max")] == [1, 1, 0]


def test_the_api_appoints_lists_and_takes_back(site: Running) -> None:
    ann = site.client("ann")
    sent = {"agent": site.user("bob"), "from": "2026-11-22T00:00:00Z", "to": "2026-11-30T00:00:00+08:00",
            "reason": "休假", "objects": ["deal"]}  # fmt: skip
    made = ann.post("/api/v1/agents", json=sent)
    assert (made.status_code, made.json()["to"], made.json()["is_now"]) == (201, "2026-11-29T16:00:00.000Z", True)
    [listed] = site.client("bob").get("/api/v1/agents").json()["agents"]
    assert (listed["user"], listed["reason"], listed["objects"]) == (site.user("ann"), "休假", ["deal"])
    assert site.client("max").get("/api/v1/agents").json() == {"agents": []}
    assert site.client("max").get("/api/v1/agents?of=all").status_code == 403
    assert site.client("max").delete(f"/api/v1/agents/{listed['id']}").status_code == 404
    assert ann.delete(f"/api/v1/agents/{listed['id']}").status_code == 204
    assert ann.get("/api/v1/agents").json() == {"agents": []}


def leave(site: Running, user: str) -> None:
    site.records("boss").update("user", site.user(user), {"is_active": False})


def test_a_leavers_tasks_go_to_the_agent_then_the_manager_then_an_administrator(site: Running) -> None:
    site.records("boss").update("user", site.user("ann"), {"manager": site.user("max")})
    site.records("boss").update("user", site.user("max"), {"manager": None})
    away(site, "ann", "bob")
    instance = submitted(site)
    leave(site, "ann")
    assert [(one.user, one.state) for one in tasks(site, instance)] == [
        (site.user("ann"), "TRANSFERRED"), (site.user("bob"), "PENDING"),
    ]  # fmt: skip
    site.records("boss").update("user", site.user("bob"), {"manager": site.user("max")})
    leave(site, "bob")
    assert tasks(site, instance)[-1].user == site.user("max")
    leave(site, "max")
    assert tasks(site, instance)[-1].user in (site.user("boss"), site.user("pat"))
    assert agents.agents(site.context("boss"), of_all=True) == []


def test_it_is_one_transaction_with_the_leaving(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = submitted(site)

    def fails(*args: Any, **more: Any) -> None:
        raise Conflict("no")

    monkeypatch.setattr(ports, "notify", fails)
    with refused(site, Conflict):
        leave(site, "ann")
    assert [one.state for one in tasks(site, instance)] == ["PENDING"]


def test_a_handover_moves_tasks_and_agents_and_lists_what_is_defined(site: Running) -> None:
    instance = submitted(site)
    away(site, "bob", "ann")
    wanted = [("task", "deal", 1), ("agent", "user", 1)]
    assert [
        (one.kind, one.object, one.count) for one in holdings(site.context("boss"), site.user("ann")).moved
    ] == wanted
    report = hand_over(site.context("boss"), site.user("ann"), site.user("max"), deactivates=True)
    assert [(one.kind, one.object, one.count) for one in report.moved] == wanted
    assert [(one.kind, one.field, one.code) for one in report.left] == [("named", "sign_off", "handover.defined")]
    assert tasks(site, instance)[-1].user == site.user("max")
    [one] = agents.agents(site.context("max"))
    assert (one.user, one.agent) == (site.user("bob"), site.user("max"))
    approves(site, "max", instance)
