"""The way of an approval as a line from top to bottom: what was decided, where it is, and what comes; branches are
indented."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import EngineError
from engine.process.approval.views import AheadView, InstanceView, Line, OpenTask
from metadata.processes import Approval, Branch, Node
from ui.screens.approval_words import deadline_view, names, person_name
from ui.visit import Visit

__all__ = ["Way", "ahead_view", "path_view"]

DECIDED = {"approve": "good", "complete": "good", "auto_approve": "good", "add_after": "good", "reject": "bad",
           "auto_reject": "bad", "return": "back", "force": "good"}  # fmt: skip
QUIET = frozenset({"condition", "inclusive", "parallel", "delay", "action", "end"})


class Way:
    """What is known of the nodes of an instance."""

    def __init__(self, visit: Visit, instance: InstanceView) -> None:
        self.visit, self.instance = visit, instance
        self.open: dict[str, list[OpenTask]] = {}
        self.done: dict[str, list[Line]] = {}
        self.skipped: set[str] = set()
        self.ahead: dict[str, AheadView] = {one.node: one for one in instance.ahead}
        for one in instance.open:
            self.open.setdefault(one.node, []).append(one)
        for line in instance.history:
            if line.action == "reclaim" or (line.action == "resubmit"):
                self.done = {} if line.action == "resubmit" else self.done
                self.done.pop(line.node, None)
            elif line.node and is_decision(line):
                self.done.setdefault(line.node, []).append(line)
            elif line.node and line.action == "skip" and line.target == "SKIPPED":
                self.skipped.add(line.node)

    def is_known(self, node: Node) -> bool:
        """Whether it was come to, or will be."""
        if node.name in self.open or node.name in self.done or node.name in self.ahead or node.name in self.skipped:
            return True
        return any(self.is_known(inner) for branch in node.branches for inner in branch.flow)


def is_decision(line: Line) -> bool:
    if line.action == "cc":
        return True
    return line.action in DECIDED and bool(line.task or line.action in ("force", "auto_approve"))


def path_view(visit: Visit, instance: InstanceView) -> list[dict[str, Any]]:
    """[{"label", "state": is-done | is-now | is-ahead | is-skipped, "people", "note", "branches"}, ...]"""
    approval = definition_of(visit, instance)
    if approval is None:
        return []
    way = Way(visit, instance)
    return steps(visit, way, approval.flow)


def definition_of(visit: Visit, instance: InstanceView) -> Approval | None:
    """Of the version that the instance is on."""
    try:
        then = visit.ctx.tenant.at(instance.version)
    except EngineError:
        return None
    return then.definitions.processes.approvals.get(instance.approval)


def steps(visit: Visit, way: Way, flow: Sequence[Node]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for node in flow:
        step = step_view(visit, way, node)
        if step is not None and node.type == "condition" and len(step["branches"]) == 1:
            found += [taken_view(visit, step), *step["branches"][0]["steps"]]
        elif step is not None:
            found.append(step)
    return found


def taken_view(visit: Visit, step: dict[str, Any]) -> dict[str, Any]:
    """The one branch of a condition goes on as the way itself."""
    state = "is-ahead" if step["state"] == "is-ahead" else "is-done"
    return step | {"state": state, "branches": [], "note": step["branches"][0]["label"], "is_fork": True}


def step_view(visit: Visit, way: Way, node: Node) -> dict[str, Any] | None:
    if node.branches:
        branches = [one for one in (branch_view(visit, way, branch) for branch in node.branches) if one]
        if not branches:
            return None
        states = {step["state"] for branch in branches for step in branch["steps"]}
        state = "is-now" if "is-now" in states else "is-ahead" if states <= {"is-ahead"} else "is-done"
        return {"label": visit.text(node.label), "state": state, "people": [], "note": fork_note(visit, node),
                "branches": branches, "is_quiet": True}  # fmt: skip
    if node.type in QUIET and node.type != "delay" and node.name not in way.ahead:
        return None
    if node.type == "end":
        return None
    if not way.is_known(node):
        return None
    return {
        "label": visit.text(node.label), "branches": [], "is_quiet": node.type in QUIET,
        **(now_view(visit, way.open[node.name], node) if node.name in way.open
           else done_view(visit, way, node) if node.name in way.done or node.name in way.skipped
           else {"state": "is-ahead", **ahead_view(visit, way.ahead[node.name])}),
    }  # fmt: skip


def fork_note(visit: Visit, node: Node) -> str:
    if node.type == "parallel" and node.join == "all":
        return visit.say("All branches at the same time")
    return visit.say("The first branch decides") if node.type == "parallel" else ""


def branch_view(visit: Visit, way: Way, branch: Branch) -> dict[str, Any] | None:
    found, label = steps(visit, way, branch.flow), visit.text(branch.label)
    if len(found) == 1 and found[0]["label"] == label:
        label = ""
    return {"label": label, "steps": found} if found else None


def now_view(visit: Visit, tasks: Sequence[OpenTask], node: Node) -> dict[str, Any]:
    people = []
    for one in tasks:
        person = person_name(visit, one.person) if one.person is not None else names(visit, one.queue)
        note = "" if one.person is not None else visit.say("queue")
        if one.state == "WAITING":
            note = visit.say("waits for others")
        elif one.state == "DELEGATED":
            note = visit.say("has asked for help")
        elif one.read_at is not None and one.person is not None:  # that one of a queue has looked is no claim
            note = visit.say("seen {ago}", ago=visit.formats.ago(one.read_at, visit.ctx.now))
        if one.agents:
            note = visit.say("away: {names} may decide", names=names(visit, one.agents))
        people.append({
            "id": one.person.id if one.person else "", "name": person, "note": note,
            "due": deadline_view(visit, one.due_at, one.is_overdue) if one.state == "PENDING" else None,
            "is_waiting": one.state != "PENDING", "tone": "",
        })  # fmt: skip
    return {"state": "is-now", "people": people, "note": mode_note(visit, node, len(tasks))}


def mode_note(visit: Visit, node: Node, count: int) -> str:
    if count < 2:
        return ""
    say = visit.say
    return {
        "any": say("One of them decides"), "all": say("All of them approve"), "sequence": say("One after the other"),
        "vote": say("They vote"), "per_group": say("Some of each group approve"),
    }[node.mode]  # fmt: skip


def done_view(visit: Visit, way: Way, node: Node) -> dict[str, Any]:
    lines = way.done.get(node.name, [])
    if not lines:
        return {"state": "is-skipped", "people": [], "note": visit.say("skipped")}
    last: Mapping[str, Line] = {line.task or str(line.seq): line for line in lines}
    people = []
    for line in last.values():
        person = line.person if line.action == "cc" and line.person is not None else line.actor
        people.append({
            "id": person.id, "name": person_name(visit, person),
            "note": visit.formats.ago(line.at, visit.ctx.now), "due": None, "is_waiting": False,
            "tone": "bad" if line.target == "REJECTED" else DECIDED.get(line.action, ""),
        })  # fmt: skip
    return {"state": "is-done", "people": people, "note": ""}


def ahead_view(visit: Visit, one: AheadView) -> dict[str, Any]:
    """Who is asked, or the sentence for a node that nobody can foresee."""
    say = visit.say
    people = [{"id": person.id, "name": person_name(visit, person), "note": "", "due": None, "is_waiting": True,
               "tone": ""} for person in one.people]  # fmt: skip
    note = {
        "delay": say("waits for a while"), "action": say("carries out steps by itself"),
        "subprocess": say("another approval runs"), "cc": say("is told"),
    }.get(one.type, "")  # fmt: skip
    if one.is_chosen and not people:
        note = say("somebody chooses who is asked")
    elif one.is_empty and not people:
        note = say("nobody could be asked now")
    return {"people": people, "note": note}
