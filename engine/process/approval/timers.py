"""Timers of tasks: what is due when, and what happens then. Each is one job with a key of its own."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from engine.jobs.handlers import Job, inside
from engine.process.approval import door, flow, kept, ports
from engine.process.approval.asking import evaluate, set_timers, timer_of
from engine.process.approval.door import Given
from engine.process.approval.ending import tell
from engine.process.approval.nodes import DELAY_JOB, plan_delay
from engine.process.approval.signers import add_slots, hand_on
from engine.process.approval.state import Run, Task
from engine.process.approval.work import TIMER, Said, Work
from engine.store.database import Connection
from metadata.processes import Node, Timer

__all__ = ["RUNS", "fire", "go_on_after", "pass_delay"]

RUNS = frozenset({"PENDING", "DELEGATED"})  # of a task, in which its clocks run
LATE = timedelta(minutes=5)  # after which a timer is said to have been late


@inside("approval.timer")
def fire(job: Job, connection: Connection) -> None:
    """One timer of one task, once. Nothing where nobody has the task any more, or its clock was set anew."""
    said = job.payload
    state = kept.lock(connection, said["instance"])
    task = state.tasks.get(said["task"]) if state is not None else None
    if state is None or task is None or task.state not in RUNS or task.data.get("epoch", 0) != said["epoch"]:
        return
    if state.instance.state != "RUNNING":
        return  # it is set anew when it goes on
    w = door.open_work(job.ctx, connection, state, Said("timer", via="timer"), TIMER)
    node = w.chart.node(task.node)
    timer = node.timers[said["timer"]]
    late = {"late": True} if job.now - datetime.fromisoformat(said["due"]) > LATE else {}
    name = f"{said['timer']}:{said['n']}"
    fired = {**task.data, "dues": {key: due for key, due in task.data.get("dues", {}).items() if key != name}}
    details = {"timer": said["timer"], "n": said["n"], "due": said["due"], **late}
    task = w.set_task(task, f"timer_{timer.do}", task.state, data=fired, details=details)
    carry_out(w, task, node, timer)
    door.finish(w, Given(task=task.id))


def carry_out(w: Work, task: Task, node: Node, timer: Timer) -> None:
    run = w.run_of(task)
    match timer.do:
        case "remind":
            remind(w, task, node)
        case "auto_approve" | "auto_reject":
            state = "APPROVED" if timer.do == "auto_approve" else "REJECTED"
            flow.end_helpers(w, task)
            task = w.set_task(task, timer.do, state, decided_at=w.now, via="timer")
            flow.end_participants(w, task)
            evaluate(w, run)
        case "close":
            flow.end_helpers(w, task)
            flow.end_task(w, task, "expire", "EXPIRED")
            evaluate(w, run)
        case "transfer":
            change_hands(w, task, run, node, timer, "transfer")
        case "escalate" if timer.how == "replace":
            change_hands(w, task, run, node, timer, "escalate")
        case "escalate":
            if users := successors(w, task, run, node, timer):
                add_slots(w, run, task, users, "escalate")
                evaluate(w, run)
            else:
                remind(w, task, node)


def remind(w: Work, task: Task, node: Node) -> None:
    tell(w, [task.user] if task.user else list(task.queue), "reminded", {"node": dict(node.label)}, task.id)


def change_hands(w: Work, task: Task, run: Run, node: Node, timer: Timer, how: str) -> None:
    """To the first of those whom the timer names. The others of several come beside them."""
    users = successors(w, task, run, node, timer)
    if not users:
        remind(w, task, node)
        return
    hand_on(w, task, users[0], how, how)
    evaluate(w, w.state.runs[run.id])


def successors(w: Work, task: Task, run: Run, node: Node, timer: Timer) -> Sequence[str]:
    """Whom the timer names, or the manager of who waits; nobody who is asked there already."""
    there = {one.user for one in w.state.tasks_of(run.id) if one.is_open or one.decided_at}
    users = ports.named_by(w, timer.to) if timer.to else ports.managers_of(w, task)
    found = [user for user in users if user not in there]
    return found if timer.to else found[:1]


def go_on_after(w: Work, at: str) -> None:
    """The clocks stood still from then until now: what was due is due as much later. Delays may be over by now."""
    stopped = datetime.fromisoformat(at)
    for run in w.state.active():
        if until := run.data.get("until"):
            plan_delay(w, run, max(datetime.fromisoformat(until), w.now))
    for task in list(w.state.tasks.values()):
        if task.state not in RUNS or task.opened_at is None:
            continue
        node = w.chart.node(task.node)
        calendar = node.calendar or w.approval.calendar
        since = max(stopped, task.opened_at)
        dues = {}
        for name, due in task.data.get("dues", {}).items():
            span = node.timers[timer_of(name)].after
            dues[name] = ports.moment_later(w, datetime.fromisoformat(due), since, span, calendar).isoformat()
        changes: dict[str, Any] = {"data": {**task.data, "epoch": task.data.get("epoch", 0) + 1, "dues": dues}}
        if task.due_at is not None and node.due is not None:
            changes["due_at"] = ports.moment_later(w, task.due_at, since, node.due, calendar)
        if dues or "due_at" in changes:
            set_timers(w, w.set_task(task, "clock", task.state, **changes))


@inside(DELAY_JOB)
def pass_delay(job: Job, connection: Connection) -> None:
    state = kept.lock(connection, job.payload["instance"])
    run = state.runs.get(job.payload["run"]) if state is not None else None
    if state is None or run is None or run.state != "ACTIVE":
        return
    if state.instance.state == "SUSPENDED":
        return  # it is planned anew when it goes on
    w = door.open_work(job.ctx, connection, state, Said("timer", via="timer"), TIMER)
    flow.go_on(w, w.set_run(run, "complete", "APPROVED"))
    door.finish(w, Given())
