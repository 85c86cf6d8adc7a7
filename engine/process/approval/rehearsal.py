"""An approval tried on a real record: all of it happens, in a transaction that is rolled back. Nothing is sent, and
nobody is told; what would have been is the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.context import SYSTEM, Context, context_of
from engine.errors import BadInput, EngineError, InputProblem, NotFound
from engine.people.standing import standing_of
from engine.process.approval import asking, door, flow, kept, people
from engine.process.approval.actions import ACTIONS
from engine.process.approval.captured import Change, Marks, Notice, Sent, marks
from engine.process.approval.door import Given, act
from engine.process.approval.state import Run, State, Task
from engine.process.approval.submission import submit_in
from engine.process.approval.work import Said, Work, object_at
from engine.process.asked import Inquiry
from engine.process.formulas import formula_of
from engine.process.shown import is_seen, value_shown, values_shown
from engine.rules.reach import values_of
from engine.rules.told import error_told
from engine.service import Records
from engine.store import system_approvals
from engine.store.database import Connection
from engine.store.query import actor_params
from engine.store.rows import savepoint
from metadata.formula import FormulaError, paths_in
from metadata.processes import Node

__all__ = ["DECISIONS", "Asked", "Rehearsal", "Visit", "rehearse"]

DECISIONS = ("approve", "reject", "return")
MOST_STEPS = 300
WORDS = "rehearsal"  # the comment of every decision


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody whom a node asks, or would have asked."""

    user: str  # "" for whoever of the queue claims it
    name: str
    source: str  # the plugin that named them
    queue: Sequence[str] = ()  # names
    instead_of: str = ""  # a name
    skipped: str = ""


@dataclass(slots=True)
class Visit:
    """A node, each time that it is entered."""

    approval: str
    node: str
    type: str
    label: Mapping[str, str]
    state: str = ""
    asked: Sequence[Asked] = ()
    decision: str = ""
    decided_by: Sequence[str] = ()  # names
    branches: Sequence[str] = ()  # taken
    read: Mapping[str, Any] = field(default_factory=dict)  # path -> what conditions saw there
    due: datetime | None = None
    until: str = ""  # of a delay: which is not waited for
    problem: str = ""  # why the decision would be refused; it is forced then
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    approval: str
    outcome: str  # approved, rejected, returned, suspended, or running where it goes on no further
    reason: str
    visits: Sequence[Visit]
    changes: Sequence[Change]
    sent: Sequence[Sent]
    notices: Sequence[Notice]


class TakeBack(Exception):
    """Ends the transaction."""


def rehearse(
    ctx: Context, object_name: str, record_id: str, approval: str = "", *, submitter: str = "",
    decide: Mapping[str, str] = {}, chosen: Mapping[str, Sequence[str]] = {},
) -> Rehearsal:  # fmt: skip
    """Of a record that `ctx` reads; it tells what `ctx` sees. `submitter`: the id of who submits it; whoever asks
    unless said, or the record's owner where the system asks. `decide`: node -> approve (unless said), reject or return.
    Raises what submitting raises: NotFound, Forbidden, Conflict and BadInput. The database is as it was."""
    need_decisions(decide)
    found: list[Rehearsal] = []
    try:
        with ctx.tenant.database.together() as connection:
            found.append(_Stage(ctx, connection, decide).play(object_name, record_id, approval, submitter, chosen))
            connection.afterwards.clear()
            raise TakeBack
    except TakeBack:
        return found[0]


def need_decisions(decide: Mapping[str, str]) -> None:
    fix = f"one of {', '.join(DECISIONS)}"
    wrong = [InputProblem(f"decide.{node}", "value.unknown", f"'{how}' is no decision", fix)
             for node, how in decide.items() if how not in DECISIONS]  # fmt: skip
    if wrong:
        raise BadInput(wrong[0].message, code="value.unknown", problems=wrong)


class _Stage:
    """One rehearsal, within its transaction."""

    def __init__(self, ctx: Context, connection: Connection, decide: Mapping[str, str]) -> None:
        self.ctx, self.connection, self.decide = replace(ctx, is_tried=True), connection, dict(decide)
        system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot)
        self.system = replace(system, origin=ctx.origin, reader=self.ctx, is_tried=True)
        self.visits: dict[str, Visit] = {}
        self.users: set[str] = set()

    def play(
        self, object_name: str, record_id: str, approval: str, submitter: str, chosen: Mapping[str, Sequence[str]]
    ) -> Rehearsal:
        if not self.ctx.actor.is_system:
            Records(self.ctx).get(object_name, record_id, ("id",))
        before = marks(self.system, self.connection)
        person = self.person(self.submitter_of(object_name, record_id, submitter))
        done = submit_in(
            person, self.connection, object_name, record_id, approval, chosen=chosen, comment=WORDS, is_tried=True
        )
        root, reason = done.instance, ""
        for _ in range(MOST_STEPS):
            states = self.running(root)
            for state in states:
                self.look(state)
            if not states or not any(self.go_on(state) for state in reversed(states)):
                break
        else:
            reason = f"it has not ended after {MOST_STEPS} steps"
        return self.told(root, reason, before)

    def submitter_of(self, object_name: str, record_id: str, submitter: str) -> str:
        if submitter or self.ctx.actor.id:
            return submitter or self.ctx.actor.id
        if object_name not in self.ctx.snapshot.definitions.objects:
            raise NotFound(f"no object '{object_name}'", code="object.unknown")
        return Inquiry(self.system, self.connection, object_name, record_id, "").owner or ""

    def person(self, user: str) -> Context:
        if user == self.ctx.actor.id:
            return self.ctx
        if not user:
            return self.system
        return replace(standing_of(self.system, user).context, reader=self.ctx, is_tried=True)

    def running(self, root: str) -> list[State]:
        """The approval and those that it called, as long as they run."""
        table = system_approvals.approval.c
        wanted = sa.select(table.id).where(table.root == root).order_by(table.started_at, table.id)
        states = [kept.load(self.connection, str(one)) for one in self.connection.sa.scalars(wanted)]
        return [state for state in states if state is not None]

    # -- what is seen on the way

    def look(self, state: State) -> None:
        """Nodes that were entered since."""
        w = self.work(state)
        for run in sorted(state.runs.values(), key=lambda run: run.entered):
            if run.id not in self.visits:
                node = w.node_of(run)
                visit = self.visits[run.id] = Visit(state.instance.approval, node.name, node.type, node.label)
                if node.type in ("condition", "inclusive"):
                    visit.read = self.values_read(w, node)
                if node.type in ("approve", "handle"):
                    visit.asked = self.asked(w, run, node)
                elif node.type == "cc":
                    users = [one.user for one in state.participants.values() if one.run == run.id and one.kind == "cc"]
                    visit.asked = [Asked(user, user, "") for user in users]
                    self.users |= set(users)
            self.note(state, run)

    def note(self, state: State, run: Run) -> None:
        """How it stands by now."""
        visit, tasks = self.visits[run.id], state.tasks_of(run.id)
        visit.state, visit.reason = run.state, run.reason
        visit.until = run.data.get("until", "")
        if visit.type == "condition":
            visit.branches, visit.reason = ([run.reason] if run.reason else []), ""
        elif visit.type in ("parallel", "inclusive"):
            visit.branches = run.data.get("branches", [])
        visit.due = next((task.due_at for task in tasks if task.due_at is not None), None)

    def asked(self, w: Work, run: Run, node: Node) -> list[Asked]:
        """Whom it asks, with the sources that named them, and those whom it did not ask."""
        slots = asking.slots_for(w, node)
        if not any(not slot.skipped for slot in slots):
            tasks = [task for task in w.state.tasks_of(run.id) if task.kind == "slot"]  # those of `empty: admin`
            extra = [Asked(task.user, task.user, "empty", task.queue) for task in tasks]
        else:
            extra = []
        self.users |= {user for slot in slots for user in (slot.user, slot.instead_of, *slot.queue) if user}
        self.users |= {user for one in extra for user in (one.user, *one.queue) if user}
        return [Asked(one.user, one.user, one.source, one.queue, one.instead_of, one.skipped) for one in slots] + extra

    def values_read(self, w: Work, node: Node) -> dict[str, Any]:
        """What the conditions of its branches ask of the record, and what stands there."""
        paths: dict[str, None] = {}
        for branch in node.branches:
            if branch.when:
                try:
                    tree = formula_of(w.then.snapshot, w.object_then, branch.when, is_condition=True).node
                except FormulaError:
                    continue
                paths |= dict.fromkeys(path.key for path in paths_in(tree))
        if not paths:
            return {}
        rows = values_of(w.then.snapshot, self.connection, actor_params(w.then), w.object_then, tuple(paths), "id",
                         [w.instance.record])  # fmt: skip
        held, record = rows[0] if rows else {}, w.instance.record
        return {path: value_shown(self.ctx, w.object, record, path, held.get(path)) for path in paths if held}

    # -- what is done

    def work(self, state: State, said: str = "timer") -> Work:
        return door.open_work(self.system, self.connection, state, Said(said))

    def go_on(self, state: State) -> bool:
        """One decision, or one delay that is over; whether there was any."""
        if state.instance.state != "RUNNING":
            return False
        w = self.work(state)
        for run in sorted(state.active(), key=lambda run: run.entered):
            node = w.node_of(run)
            if node.type == "delay":
                flow.go_on(w, w.set_run(run, "complete", "APPROVED"))
                door.finish(w, Given())
                return True
            if node.type in ("approve", "handle"):
                task = next((one for one in state.tasks_of(run.id) if one.state == "PENDING"), None)
                if task is not None:
                    return self.decide_task(state, run, node, task)
        return False

    def decide_task(self, state: State, run: Run, node: Node, task: Task) -> bool:
        """As the person who is asked. What is refused to them is told, and forced; whether that could be."""
        visit = self.visits[run.id]
        how = self.decide.get(node.name, "approve")
        action = "complete" if node.type == "handle" and how == "approve" else how
        user = task.user or next(iter(task.queue), "")
        given = Given(task=task.id, comment=WORDS, is_signed=True, target="start" if how == "return" else "")
        visit.decision = action
        if how == "return":
            self.decide.pop(node.name, None)
        try:
            self.act(self.person(user), state, action, given)
            visit.decided_by = [*visit.decided_by, user]
            self.users.add(user)
            return True
        except EngineError as error:
            visit.problem = str(error_told(self.ctx, object_at(self.ctx.snapshot, state.instance.object), error))
        try:
            forced = "rejected" if how == "reject" else "approved"
            self.act(self.system, state, "force", Given(comment=WORDS, target=node.name, decision=forced))
            return True
        except EngineError as error:
            visit.problem = str(error_told(self.ctx, object_at(self.ctx.snapshot, state.instance.object), error))
            return False

    def act(self, ctx: Context, state: State, action: str, given: Given) -> None:
        with savepoint(self.connection):
            act(ctx, self.connection, state.instance.id, ACTIONS[action].name, given)

    def told(self, root: str, reason: str, before: Marks) -> Rehearsal:
        states = self.running(root)
        for state in states:
            self.look(state)
        first = next(state for state in states if state.instance.id == root)
        sent, notices, changes = before.since()
        self.users |= {notice.user for notice in notices}
        names = people.names_of(self.system, self.connection, sorted(self.users))
        for visit in self.visits.values():
            visit.asked = [
                replace(one, name=names.get(one.name, ""), queue=[names.get(user, user) for user in one.queue],
                        instead_of=names.get(one.instead_of, ""))
                for one in visit.asked
            ]  # fmt: skip
            visit.decided_by = [names.get(user, user) for user in visit.decided_by]
        told = [replace(notice, name=names.get(notice.user, "")) for notice in notices]
        changes = [self.shown(one) for one in changes if is_seen(self.ctx, one.object, one.record)]
        return Rehearsal(
            first.instance.approval, first.instance.state.lower(), reason or first.instance.reason,
            list(self.visits.values()), changes, sent, told,
        )  # fmt: skip

    def shown(self, one: Change) -> Change:
        return replace(one, fields=values_shown(self.ctx, one.object, one.fields))
