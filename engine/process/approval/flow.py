"""Where an instance goes on: to the next node, to the join of a fork, or to its end. Nodes are entered by nodes.py."""

from collections.abc import Iterable

from engine.process import requests
from engine.process.approval import ending
from engine.process.approval.state import Run, Task
from engine.process.approval.work import Work

__all__ = [
    "arrive", "cancel_run", "cancel_within", "close_tasks", "end_helpers", "end_task", "go_on", "reject", "suspend",
    "take_back",
]  # fmt: skip


def go_on(w: Work, run: Run) -> None:
    """After a node that let it pass."""
    kind, target = w.chart.following(run.node)
    if kind == "node":
        w.waiting.append((target, run.within, run.branch))
    elif kind == "join":
        arrive(w, run.within, run.branch, "approved")
    else:
        finish(w, "APPROVED")


def arrive(w: Work, fork_id: str, branch: str, result: str) -> None:
    """A branch came to its end. The first of an OR-join and the last of an AND-join go on."""
    fork = w.state.runs[fork_id]
    if fork.state != "ACTIVE":
        return
    results = {**fork.data.get("results", {}), branch: result}
    fork = w.set_run(fork, "arrive", "ACTIVE", data={**fork.data, "results": results})
    is_first = w.node_of(fork).join == "first" and result == "approved"
    if not is_first and len(results) < len(fork.data["branches"]):
        return
    cancel_within(w, fork_id, "another branch was first")
    if "approved" in results.values():
        go_on(w, w.set_run(fork, "join", "APPROVED"))
    else:
        reject(w, w.set_run(fork, "join", "REJECTED", reason="every branch was rejected"))


def take_back(w: Work, fork_id: str, branch: str) -> None:
    """A branch is not at its end any more: the join waits for it again."""
    fork = w.state.runs[fork_id]
    results = {name: result for name, result in fork.data.get("results", {}).items() if name != branch}
    if results != fork.data.get("results", {}):
        w.set_run(fork, "fork", "ACTIVE", data={**fork.data, "results": results})


def reject(w: Work, run: Run) -> None:
    """After a node that was rejected: its branch ends, or all around it, as the fork says."""
    while run.within:
        fork = w.state.runs[run.within]
        if w.node_of(fork).on_reject == "continue":
            arrive(w, fork.id, run.branch, "rejected")
            return
        cancel_within(w, fork.id, "a branch was rejected")
        run = w.set_run(fork, "reject", "REJECTED", reason=f"rejected in {run.branch}")
    finish(w, "REJECTED")


def finish(w: Work, outcome: str) -> None:
    if not w.is_over:
        cancel_runs(w, list(w.state.active()), "the approval has ended")
        if outcome == "APPROVED" and (reason := requests.apply_of(w)):
            if w.proposal is None:
                ending.conflict(w, reason)
            else:
                ending.unmade(w, reason)
            return
        ending.end(w, outcome)
        requests.drop_of(w)


def cancel_within(w: Work, fork_id: str, reason: str) -> None:
    """All that waits in the branches of a fork, and has not been entered yet."""
    inside = {fork_id}
    for run in w.state.runs.values():  # in the order in which they were entered
        if run.within in inside:
            inside.add(run.id)
    w.waiting[:] = [one for one in w.waiting if one[1] not in inside]
    cancel_runs(w, [run for run in w.state.active() if run.within in inside], reason)


def cancel_runs(w: Work, runs: Iterable[Run], reason: str) -> None:
    for run in runs:
        cancel_run(w, run, reason)


def cancel_run(w: Work, run: Run, reason: str, state: str = "CANCELLED") -> Run:
    close_tasks(w, run, "CANCELLED")
    if w.node_of(run).type == "subprocess" and (child := run.data.get("child")):
        w.cancelled_children.append(child)
    return w.set_run(run, "cancel" if state == "CANCELLED" else "return", state, reason=reason)


def close_tasks(w: Work, run: Run, state: str = "CLOSED", but: str = "") -> None:
    for task in w.state.tasks_of(run.id):
        if task.is_open and task.id != but:
            end_task(w, task, "close" if state == "CLOSED" else "cancel", state)


def end_task(w: Work, task: Task, action: str, state: str) -> Task:
    """It needs nobody any more, nor those who might have acted in their place."""
    done = w.set_task(task, action, state)
    end_participants(w, task)
    return done


def end_helpers(w: Work, task: Task) -> None:
    """Whoever was to help with it, where it is done without them."""
    for helper in w.state.tasks_of(task.run):
        if helper.kind == "delegate" and helper.source == task.id and helper.is_open:
            end_task(w, helper, "cancel", "CANCELLED")


def end_participants(w: Work, task: Task) -> None:
    for one in list(w.state.participants.values()):
        if one.task == task.id and one.state == "OPEN" and one.kind != "cc":
            w.set_participant(one.id, "leave", "ENDED")


def suspend(w: Work, run: Run | None, reason: str) -> None:
    """It cannot go on: an administrator must look. Whoever decided has decided, and no clock runs."""
    if run is not None and run.state == "ACTIVE":
        w.set_run(run, "broken", "ACTIVE", data={**run.data, "broken": True}, reason=reason)
    if w.instance.state == "RUNNING":
        data = {**w.instance.data, "suspended": w.now.isoformat()}
        w.set_instance("suspend", "SUSPENDED", reason=reason, data=data)
        ending.tell_admins(w, reason)
