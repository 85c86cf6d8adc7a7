"""Who is asked at a node, whose turn it is, and when the node is decided."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.errors import Conflict
from engine.process.approval import ports
from engine.process.approval.completion import Decision, Outcome, Place, Rule, complete, is_short, lowered, rule_of
from engine.process.approval.conditions import with_words
from engine.process.approval.ending import tell
from engine.process.approval.flow import close_tasks, end_task, go_on, reject, suspend
from engine.process.approval.passed import still_count
from engine.process.approval.people import administrators
from engine.process.approval.state import Run, Task
from engine.process.approval.work import MACHINE, Work
from metadata.processes import Node, Span

__all__ = [
    "SPARED",
    "TIMER_JOB",
    "approved_before",
    "ask",
    "clocks",
    "evaluate",
    "come_after",
    "holder",
    "no_approver",
    "offer_again",
    "open_task",
    "places_of",
    "reopen",
    "rule_for",
    "set_timers",
    "slots_for",
    "take_turns_back",
    "timer_of",
]

DECIDED: dict[str, Decision] = {"APPROVED": "approved", "REJECTED": "rejected", "RETURNED": "returned"}
TIMER_JOB = "approval.timer"
GONE = frozenset({"TRANSFERRED", "CANCELLED", "EXPIRED"})
SPARED = frozenset({"self", "duplicate"})  # why the node itself skips somebody
SPACE = 1000  # between the places of slots, for those who are added


def slots_for(w: Work, node: Node) -> Sequence[ports.Slot]:
    chosen = w.instance.data.get("chosen", {}).get(node.name, ())
    with with_words(w, f"who is asked at '{node.name}'"):
        return ports.slots_of(
            w.then, w.connection, node, w.object_then, w.instance.record, w.instance.submitter, chosen=tuple(chosen),
            approved_before=approved_before(w),
        )  # fmt: skip


def approved_before(w: Work) -> dict[str, str]:
    """User -> the node, in the order in which they approved; what was gone back over does not count."""
    made = [
        task for task in w.state.tasks.values()
        if task.state == "APPROVED" and task.kind == "slot" and task.via in ("self", "agent") and task.decided_at
        and w.run_of(task).state == "APPROVED" and still_count(w, w.run_of(task))
    ]  # fmt: skip
    made.sort(key=lambda task: (task.decided_at, task.id))
    found: dict[str, str] = {}
    for task in made:
        user = task.user or task.decided_by
        found.pop(user, None)
        found[user] = task.node
    return found


def rule_for(node: Node, slots: Sequence[ports.Slot]) -> tuple[Rule, bool]:
    """How those who are asked decide, and whether they are too few for it."""
    places = [(slot, Place("", slot.group, slot.weight, slot.also)) for slot in slots]
    asked = [place for slot, place in places if not slot.skipped]
    spared = [place for slot, place in places if slot.skipped in SPARED]
    rule = lowered(rule_of(node), asked, spared)
    return rule, bool(asked) and is_short(rule, asked)


def ask(w: Work, run: Run, node: Node) -> None:
    """Enter a node that asks somebody. Raises Conflict where nobody is to be found, or too few for its mode."""
    slots = slots_for(w, node)
    asked = [slot for slot in slots if not slot.skipped]
    rule, is_short_of = rule_for(node, slots)
    if is_short_of:
        raise no_approver(node, "too few are there to approve at")
    if skipped := [[slot.user or slot.instead_of, slot.skipped] for slot in slots if slot.skipped]:
        lower = {"threshold": rule.threshold, "groups": [list(one) for one in rule.groups]}
        said = {"skipped": skipped, **({"rule": lower} if rule != rule_of(node) else {})}
        run = w.set_run(run, "skip", "ACTIVE", data={**run.data, **said})
    if not asked:
        reasons = {slot.skipped for slot in slots}
        if reasons and reasons <= SPARED:
            go_on(w, w.set_run(run, "skip", "SKIPPED", reason=min(reasons)))
            return
        asked = nobody(w, run, node)
    for at, slot in enumerate(asked):
        held = {"queue": list(slot.queue), "instead_of": slot.instead_of, "also": list(slot.also)}
        data = {name: value for name, value in held.items() if value}
        task = w.new_task(
            run, "ask", user=slot.user, slot=str(at), place=at * SPACE, group=slot.group, weight=slot.weight, data=data
        )
        offer_to(w, task, "queue", slot.queue)
    if asked:
        evaluate(w, w.state.runs[run.id])


def offer_to(w: Work, task: Task, kind: str, users: Sequence[str]) -> None:
    """To members of a queue, or to those who stand in for its person: who has the offer already has it once."""
    there = {one.user for one in w.state.participants.values()
             if (one.task, one.kind, one.state) == (task.id, kind, "OPEN")}  # fmt: skip
    for user in users:
        if user not in there:
            w.add_participant("offer", user, kind, task=task.id, run=task.run)


def offer_again(w: Work, task: Task) -> None:
    """It waits for somebody once more, and so for those who may act in their place."""
    offer_to(w, task, "queue", task.queue)
    offer_to(w, task, "agent", ports.stand_ins(w, task))


def nobody(w: Work, run: Run, node: Node) -> list[ports.Slot]:
    """What the node says for it: whom to ask instead; none where it goes on."""
    admins = administrators(w.ctx, w.connection) if node.empty == "admin" else []
    if found := [one for one in admins if not w.is_barred(one, node.name)]:
        return [ports.Slot(found[0]) if len(found) == 1 else ports.Slot("", tuple(found))]
    if node.empty == "skip":
        go_on(w, w.set_run(run, "skip", "SKIPPED", reason="nobody"))
    elif node.empty == "auto_approve":
        w.note("", "", "auto_approve", "", "", run.node, actor=MACHINE, details={"why": "nobody"})
        go_on(w, w.set_run(run, "complete", "APPROVED", reason="nobody"))
    else:
        raise no_approver(node)
    return []


def no_approver(node: Node, why: str = "nobody is there to approve at") -> Conflict:
    label = node.label.get("en") or node.name
    return Conflict(f"{why} '{label}'", code="approval.no_approver", fix="ask an administrator to name somebody")


def rule_now(w: Work, run: Run) -> Rule:
    """That of its node, for those who were asked."""
    rule, lower = rule_of(w.node_of(run)), run.data.get("rule")
    if not lower:
        return rule
    return replace(rule, threshold=lower["threshold"], groups=tuple((name, need) for name, need in lower["groups"]))


def evaluate(w: Work, run: Run) -> None:
    """After a change to the node's tasks: whose turn it is now, or how the node ends."""
    if run.state != "ACTIVE" or w.is_over:
        return
    outcome = level(w, run, places_of(w, run), rule_now(w, run))
    if outcome.result == "approved":
        close_tasks(w, run)
        go_on(w, w.set_run(run, "complete", "APPROVED"))
    elif outcome.result == "rejected":
        close_tasks(w, run)
        reject(w, w.set_run(run, "complete", "REJECTED"))
    elif outcome.result == "empty":
        suspend(w, run, "nobody is left to decide")


def holder(w: Work, run: Run, slot: str) -> Task | None:
    """The task that a slot's decision is that of."""
    found = [
        one for one in w.state.tasks_of(run.id) if one.slot == slot and one.kind != "delegate" and one.state not in GONE
    ]
    return found[-1] if found else None


def places_of(w: Work, run: Run, set_: str = "") -> list[Task]:
    """The tasks of the node's own slots, or those of a set of signers, in order."""
    newest: dict[str, Task] = {}
    for task in w.state.tasks_of(run.id):
        if task.set == set_ and task.kind != "delegate" and task.state not in GONE:
            newest[task.slot] = task
    return sorted(newest.values(), key=lambda task: (task.place, task.slot))


def level(w: Work, run: Run, tasks: Sequence[Task], rule: Rule) -> Outcome:
    """The outcome of slots that decide together. Opens what may decide now."""
    decisions = {task.slot: made for task in tasks if (made := decision(w, run, task)) is not None}
    places = [Place(task.slot, task.group, task.weight, tuple(task.data.get("also", ()))) for task in tasks]
    outcome = complete(rule, places, decisions)
    by_slot = {task.slot: task for task in tasks}
    for slot in outcome.open:
        wake(w, run, by_slot[slot])
    for slot in outcome.closed:
        for task in w.state.tasks_of(run.id):
            if task.is_open and (task.slot == slot or task.slot.startswith(f"{slot}/")):
                end_task(w, task, "close", "CLOSED")
    return outcome


def decision(w: Work, run: Run, task: Task) -> Decision | None:
    """Of a slot: who signs after it has their say before it counts."""
    made = DECIDED.get(task.state)
    if made != "approved":
        return made
    for name, rule in sets_of(w, run, task, "after"):
        outcome = level(w, run, places_of(w, run, name), rule)
        if outcome.result == "undecided":
            return None
        if outcome.result == "rejected":
            return "rejected"
    return "approved"


def wake(w: Work, run: Run, task: Task) -> None:
    """Its turn: who signs before it comes first, and whatever they say, its owner decides."""
    if task.state != "WAITING":
        return
    for name, rule in sets_of(w, run, task, "before"):
        if level(w, run, places_of(w, run, name), rule).result == "undecided":
            return
    open_task(w, run, task)


def come_after(w: Work, run: Run, task: Task) -> list[Task]:
    """Whose turn at the node comes with this one's decision: the next ones of a sequence, those who sign after it, or
    whom it signs before."""
    beside = places_of(w, run, task.set)
    mode = task.method if task.set else w.node_of(run).mode
    found = beside[[one.slot for one in beside].index(task.slot) + 1 :] if mode == "sequence" else []
    found += [one for name, _ in sets_of(w, run, task, "after") for one in places_of(w, run, name)]
    owner = holder(w, run, task.slot.rpartition("/")[0]) if task.kind == "before" else None
    return [*found, owner] if owner is not None else found


def take_turns_back(w: Work, run: Run, tasks: Sequence[Task]) -> None:
    """It is not their turn after all: nobody of them has looked."""
    for task in tasks:
        if task.state == "PENDING":
            w.set_task(task, "wait", "WAITING")


def reopen(w: Work, run: Run) -> None:
    """Those who had nothing to decide any more when the node was decided; not those whose own set was before."""
    for task in w.state.tasks_of(run.id):
        if task.state == "CLOSED" and not (task.set and is_decided(w, run, task)):
            w.set_task(task, "reopen", "WAITING")


def is_decided(w: Work, run: Run, task: Task) -> bool:
    """Whether those of its set came to a result."""
    those = places_of(w, run, task.set)
    made = {one.slot: DECIDED[one.state] for one in those if one.state in DECIDED}
    rule = Rule(task.method or "all")  # type: ignore[arg-type]  # any, all or sequence
    return complete(rule, [Place(one.slot) for one in those], made).result != "undecided"


def sets_of(w: Work, run: Run, task: Task, kind: str) -> list[tuple[str, Rule]]:
    """Those who were added before or after a slot, at one time each."""
    found: dict[str, Rule] = {}
    for one in w.state.tasks_of(run.id):
        if one.kind == kind and one.slot.rpartition("/")[0] == task.slot:
            found[one.set] = Rule(one.method or "all")  # type: ignore[arg-type]  # any, all or sequence
    return list(found.items())


def open_task(w: Work, run: Run, task: Task) -> Task:
    """Somebody is asked from now on."""
    node = w.node_of(run)
    task = w.set_task(task, "open", "PENDING", opened_at=w.now, **clocks(w, task, w.now))
    offer_again(w, task)
    set_timers(w, task)
    users = [task.user, *ports.stand_ins(w, task)] if task.user else list(task.queue)
    tell(w, users, "asked", {"node": dict(node.label)}, task.id)
    return task


def clocks(w: Work, task: Task, start: datetime) -> dict[str, Any]:
    """What a task holds whose deadline and timers begin at `start`; those that it had count no more. A helper is only
    reminded: the rest is their owner's."""
    node = w.node_of(w.run_of(task))
    calendar = node.calendar or w.approval.calendar
    changes: dict[str, Any] = {}
    if node.due is not None:
        changes["due_at"] = ports.moment_after(w.snapshot, start, node.due, calendar)
    elif task.due_at is not None:
        changes["due_at"] = None
    dues: dict[str, str] = {}
    for at, timer in enumerate(node.timers):
        for number in range(1, (timer.repeat if timer.do == "remind" else 1) + 1):
            span = Span(timer.after.amount * number, timer.after.unit)
            if timer.do == "remind" or task.kind != "delegate":
                dues[f"{at}:{number}"] = ports.moment_after(w.snapshot, start, span, calendar).isoformat()
    if dues or "dues" in task.data:
        anew = {"epoch": task.data.get("epoch", 0) + 1} if task.opened_at is not None else {}
        changes["data"] = {**task.data, "dues": dues, **anew}
    return changes


def timer_of(name: str) -> int:
    return int(name.partition(":")[0])


def set_timers(w: Work, task: Task) -> None:
    """One job for each time that a timer of the task is still to fire."""
    epoch = task.data.get("epoch", 0)
    for name, due in task.data.get("dues", {}).items():
        payload = {"instance": w.instance.id, "task": task.id, "timer": timer_of(name),
                   "n": int(name.partition(":")[2]), "epoch": epoch, "due": due}  # fmt: skip
        key = f"{TIMER_JOB}:{task.id}:{name}:{epoch}"
        ports.enqueue(w.connection, TIMER_JOB, payload, now=w.now, due_at=datetime.fromisoformat(due), key=key)
