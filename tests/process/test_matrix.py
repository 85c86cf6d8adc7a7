"""Each action in each state of an instance: done, or the exact code of the refusal. And random histories."""

import random
from typing import Any

import pytest

from engine.errors import EngineError
from engine.process.approval.actions import ACTIONS
from tests.depth import at_depth
from tests.process.desk import Desk

FLOW = """
- approve: both
  approvers: [{user: [bo, cy]}]
  mode: all
  reclaim: true
- approve: last
  approvers: [{user: di}]
  may_return_to: [any]
"""
STATES = ("RUNNING", "RETURNED", "SUSPENDED", "APPROVED", "REJECTED", "WITHDRAWN", "CANCELLED")
GIVEN: dict[str, dict[str, Any]] = {
    "transfer": {"users": ["ed"]}, "delegate": {"users": ["ed"]}, "add_before": {"users": ["ed"]},
    "add_after": {"users": ["ed"]}, "add_parallel": {"users": ["ed"]}, "cc": {"users": ["ed"]},
    "reassign": {"users": ["ed"]}, "jump": {"target": "last"}, "force": {"decision": "approved"},
}  # fmt: skip
ADMINS = {name for name, one in ACTIONS.items() if one.is_admins}
SUBMITTERS = {"withdraw", "resubmit", "urge"}
POSSIBLE = {  # what is not here is possible in RUNNING only
    "withdraw": {"RUNNING", "RETURNED"}, "resubmit": {"RETURNED"}, "comment": set(STATES),
    "cancel": {"RUNNING", "RETURNED", "SUSPENDED"}, "resume": {"SUSPENDED"}, "jump": {"RUNNING", "SUSPENDED"},
    "reassign": {"RUNNING", "SUSPENDED"}, "force": {"RUNNING", "SUSPENDED"},
}  # fmt: skip
ELSE = {"complete": "approval.action", "claim": "approval.not_yours", "unclaim": "approval.no_queue",
        "reclaim": "approval.task_closed", "remove_signer": "approval.not_added"}  # fmt: skip


def bring(desk: Desk, state: str) -> None:
    desk.submit()
    match state:
        case "RETURNED":
            desk.act("cy", "return")
        case "SUSPENDED":
            desk.act("boss", "suspend", comment="wait")
        case "APPROVED":
            desk.act("boss", "jump", target="last", comment="on")
            desk.act("di", "approve")
        case "REJECTED":
            desk.act("cy", "reject")
        case "WITHDRAWN":
            desk.act("ada", "withdraw")
        case "CANCELLED":
            desk.act("boss", "cancel", comment="no")


@pytest.mark.parametrize("state", STATES)
def test_every_action_in_every_state(open_desk: Any, state: str) -> None:
    desk = open_desk(FLOW)
    found, expected = {}, {}
    for name, action in ACTIONS.items():
        desk.record = ""
        bring(desk, state)
        user = "boss" if name in ADMINS else "ada" if name in SUBMITTERS else "bo"
        given = {"comment": "because", **GIVEN.get(name, {})}
        task = desk.task_of("bo", "both").id if action.on == "task" else ""
        try:
            desk.act(user, name, task, **given)
            found[name] = "done"
        except EngineError as error:
            found[name] = error.code
        assert desk.state().instance.state in STATES
        if state in POSSIBLE.get(name, {"RUNNING"}):
            expected[name] = ELSE.get(name, "done")
        elif action.on == "instance" or state == "SUSPENDED":
            expected[name] = "approval.state"
        else:
            expected[name] = "approval.task_closed"
    if state != "RUNNING":
        for name in ("claim", "remove_signer"):
            expected[name] = found[name]
            assert found[name] in ("approval.not_yours", "approval.not_added", "approval.state")
        if state == "SUSPENDED":
            expected |= {"reclaim": "approval.state"}
    assert found == expected


RANDOM = """
- condition: how_much
  branches:
    - branch: large
      when: amount > 100
      flow:
        - parallel: sides
          join: %s
          on_reject: continue
          branches:
            - branch: left
              flow:
                - approve: legal
                  approvers: [{user: [bo, cy]}]
                  mode: all
                  may_return_to: [any, start]
                  on_return: returning
            - branch: right
              flow: [{approve: money, approvers: [{user: [di, ed, flo]}], mode: {vote: 60%%}, reclaim: true}]
    - {branch: small, else: true, flow: []}
- handle: check
  approvers: [{queue: pool}]
- approve: last
  approvers: [{user: [bo, ed]}]
  mode: sequence
  may_return_to: [any, start]
  timers: [{after: 1 hour}, {after: 5 hours, do: auto_approve}]
"""
PEOPLE = ("ada", "bo", "cy", "di", "ed", "flo", "eva", "boss")


@pytest.mark.parametrize("seed", range(at_depth(1, 10)))
def test_the_state_is_what_its_events_come_to(open_desk: Any, seed: int) -> None:
    """In a usual run some hundred tries; 10,000 in all in `make deep`."""
    chance = random.Random(seed)
    desk = open_desk(RANDOM % ("all" if seed % 2 else "first"), "withdraw: before_final\nresubmit: {most_rounds: 4}")
    done = 0
    for _ in range(at_depth(50, 1000)):
        if not desk.instance or desk.state().instance.ended_at is not None:
            desk.record = ""
            desk.quote(amount=chance.choice((1, 200)))
            desk.submit()
        done += tried(desk, chance)
        state = desk.state()  # looks that the events come to it
        is_held = desk.instance in desk.locks
        assert is_held == (state.instance.state in ("RUNNING", "SUSPENDED"))
        for task in state.tasks.values():
            if task.is_open:
                assert state.runs[task.run].state == "ACTIVE"
        assert state.instance.state != "RUNNING" or any(state.active())
    assert done > 10


def tried(desk: Desk, chance: random.Random) -> bool:
    """One action by one of those who could do it; whether it was done."""
    if chance.random() < 0.05:
        desk.later(hours=chance.choice((1, 6)))
        desk.site.work(desk.site.now)
        return True
    state = desk.state()
    tasks = [task for task in state.tasks.values() if task.is_open] or list(state.tasks.values())
    task = chance.choice(tasks)
    owner = desk.names.get(task.user) or chance.choice(("di", "eva"))
    weights = {"approve": 8, "complete": 8, "reject": 1, "cancel": 0.2, "force": 0.5, "withdraw": 0.3, "resubmit": 5}
    names = [*ACTIONS]
    name = chance.choices(names, [weights.get(one, 1) for one in names])[0]
    user = owner if chance.random() < 0.9 else chance.choice(PEOPLE)
    user = "boss" if name in ADMINS and chance.random() < 0.9 else "ada" if name in SUBMITTERS else user
    given = {
        "comment": chance.choice(("", "because")), "users": [chance.choice(PEOPLE)],
        "method": chance.choice(("", "any", "sequence")), "decision": chance.choice(("approved", "rejected")),
        "target": chance.choice(("", "start", "last", "check", "legal")),
        "key": chance.choice(("", f"k{chance.random()}")),
    }  # fmt: skip
    try:
        desk.act(user, name, task.id, **given)
    except EngineError as error:
        if error.code.partition(".")[0] not in ("approval", "task", "step"):
            raise
        return False
    return True
