"""One action on an instance under way: its state, the events that it makes, and whom and what it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from engine.access.scope import full_scope, scope_of
from engine.context import SYSTEM, Context, context_of
from engine.errors import Conflict, NotFound
from engine.people.standing import standing_of
from engine.process.approval import kept
from engine.process.approval.chart import Chart, chart_of
from engine.process.approval.people import actor_of
from engine.process.approval.state import ENDED, Event, Instance, Run, State, Subject, Task, step
from engine.process.proposals import of_work
from engine.process.requests import Request
from engine.snapshot import Snapshot
from engine.store.database import Connection, new_id
from engine.store.rows import versions_of
from metadata.processes import Approval, Node

__all__ = ["MACHINE", "OVERRIDE", "TIMER", "Said", "Work", "chart_at", "nobody", "object_at"]

TIMER, OVERRIDE, MACHINE = "system:timer", "system:override", "system"
MOST_STEPS = 1000  # nodes that are entered by one action


@dataclass(frozen=True, slots=True)
class Said:
    """What comes with an action."""

    action: str
    comment: str = ""
    attachments: tuple[str, ...] = ()
    key: str = ""
    is_override: bool = False
    via: str = "self"


@dataclass
class Work:
    """Made for one action, within its transaction. `ctx` is of who acts, on the version that runs."""

    ctx: Context
    connection: Connection
    state: State
    chart: Chart
    snapshot: Snapshot  # of the version that the instance is on
    said: Said
    actor: str
    on_behalf_of: str = ""
    is_strict: bool = False  # what cannot go on is refused instead of suspended
    events: list[Event] = field(default_factory=list)
    touched: dict[str, list[str]] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)  # rows that are new
    waiting: list[tuple[str, str, str]] = field(default_factory=list)  # (node, within, branch) to enter
    cancelled_children: list[str] = field(default_factory=list)
    has_ended: bool = False  # by this action
    steps: int = 0

    # -- who and what

    @property
    def instance(self) -> Instance:
        return self.state.instance

    @property
    def approval(self) -> Approval:
        return self.chart.approval

    @property
    def now(self) -> datetime:
        return self.ctx.now

    @property
    def is_over(self) -> bool:
        return self.instance.state in ENDED

    @cached_property
    def system(self) -> Context:
        """The system on the version that runs: for what is written."""
        return replace(context_of(self.ctx.tenant, SYSTEM, self.now, self.ctx.snapshot), origin=self.ctx.origin)

    @cached_property
    def then(self) -> Context:
        """The system on the version of the instance: for what its definition says."""
        if self.snapshot.version == self.ctx.snapshot.version:
            return self.system
        return context_of(self.ctx.tenant, SYSTEM, self.now, self.snapshot)

    @cached_property
    def as_actor(self) -> Context:
        """Everything may be written, and who acts has written it."""
        return replace(self.system, actor=self.ctx.actor)

    @property
    def as_step(self) -> Context:
        """The system carries steps out. Who asked for it reads why that is refused; where it suspends the approval
        instead all who see that do, so that it tells nobody's values."""
        is_told, tried = self.is_strict or self.ctx.is_tried, self.ctx.is_tried
        return replace(self.system, reader=self.ctx.told if is_told else nobody(self.ctx), is_tried=tried)

    @cached_property
    def as_submitter(self) -> Context:
        """Formulas ask who asks: the submitter. They see everything."""
        actor = actor_of(self.ctx, self.connection, self.snapshot, self.instance.submitter)
        return self.then if actor is None else replace(self.then, actor=actor, time_zone=actor.time_zone)

    @cached_property
    def as_submitter_now(self) -> Context:
        """The same on the version that runs: for what is submitted in their name."""
        try:
            found = standing_of(self.ctx, self.instance.submitter).context
        except NotFound:
            return self.system
        return replace(found, scope=full_scope(self.ctx.snapshot), origin=self.ctx.origin)

    @cached_property
    def object(self) -> str:
        """The record's object, as it is called now. Raises Conflict where there is none any more."""
        return object_at(self.ctx.snapshot, self.instance.object)

    @cached_property
    def object_then(self) -> str:
        return object_at(self.snapshot, self.instance.object)

    def node_of(self, run: Run) -> Node:
        """One that a version before had is of a type that does nothing."""
        site = self.chart.sites.get(run.node)
        return site.node if site is not None else Node(run.node, "end", {})

    def is_barred(self, user: str, node: str) -> bool:
        """Whether somebody may not decide at a node because they submitted it."""
        said = self.chart.sites.get(node)
        return bool(user) and user == self.instance.submitter and (said is None or said.node.self_approval != "self")

    def run_of(self, task: Task) -> Run:
        return self.state.runs[task.run]

    @cached_property
    def proposal(self) -> Request | None:
        """The new record that this is about, until it is made."""
        return of_work(self)

    def forget_proposal(self) -> None:
        """It is not what it was."""
        self.__dict__.pop("proposal", None)

    # -- events

    def note(
        self, subject: Subject, row: str, action: str, source: str, target: str, node: str = "", task: str = "",
        *, actor: str = "", details: dict[str, Any] | None = None, changes: dict[str, Any] | None = None,
    ) -> Event:  # fmt: skip
        """One event; `changes`: of the row. What was said goes with the first."""
        is_first = not self.events
        data: dict[str, Any] = {"set": jsonable(changes)} if changes else {}
        if details:
            data |= details
        if self.said.is_override:
            data["override"] = True
        if is_first and self.said.via != "self":
            data["via"] = self.said.via
        event = Event(
            self.instance.id, self.instance.seq + 1, subject, row, action, actor or self.actor, self.now,
            self.instance.version, source, target, self.on_behalf_of, node, task,
            self.said.comment if is_first else "", self.said.attachments if is_first else (), None,
            self.said.key if is_first else "", data,
        )  # fmt: skip
        self.events.append(event)
        step(self.state, event)
        return event

    def set_instance(self, action: str, target: str = "", **changes: Any) -> Event:
        state = self.instance.state
        return self.note("instance", self.instance.id, action, state, target or state, changes=changes)

    def set_run(self, run: Run, action: str, target: str, **changes: Any) -> Run:
        if target != "ACTIVE" and run.ended is None:
            changes |= {"ended": self.instance.seq + 1, "ended_at": self.now}
        self.note("node", run.id, action, run.state, target, run.node, changes=changes)
        self._touch("runs", run.id)
        return self.state.runs[run.id]

    def new_run(self, node: Node, within: str, branch: str) -> Run:
        row = new_id(self.now)
        made = {
            "node": node.name, "round": self.instance.round, "entered": self.instance.seq + 1, "entered_at": self.now,
            "within": within, "branch": branch,
        }  # fmt: skip
        self.fresh.add(row)
        self.note("node", row, "enter", "PENDING", "ACTIVE", node.name, changes=made)
        self._touch("runs", row)
        return self.state.runs[row]

    def set_task(
        self, task: Task, action: str, target: str, *, details: dict[str, Any] | None = None, **changes: Any
    ) -> Task:
        self.note("task", task.id, action, task.state, target, task.node, task.id, details=details, changes=changes)
        self._touch("tasks", task.id)
        return self.state.tasks[task.id]

    def new_task(self, run: Run, action: str, **values: Any) -> Task:
        row = new_id(self.now)
        made = {"run": run.id, "node": run.node, "round": self.instance.round, "created_at": self.now, **values}
        self.fresh.add(row)
        self.note("task", row, action, "", "WAITING", run.node, row, changes=made)
        self._touch("tasks", row)
        return self.state.tasks[row]

    def add_participant(
        self, action: str, user: str, kind: str, *, task: str = "", run: str = "", by: str = ""
    ) -> None:
        row = new_id(self.now)
        made = {"user": user, "kind": kind, "at": self.now, "task": task, "run": run, "by": by or self.actor}
        node = self.state.runs[run].node if run else ""
        self.fresh.add(row)
        self.note("participant", row, action, "", "OPEN", node, task, changes=made)
        self._touch("participants", row)

    def set_participant(self, row: str, action: str, target: str, **changes: Any) -> None:
        one = self.state.participants[row]
        self.note("participant", row, action, one.state, target, "", one.task, changes=changes)
        self._touch("participants", row)

    def _touch(self, rows: str, row: str) -> None:
        self.touched.setdefault(rows, []).append(row)

    def remember(self) -> tuple[Any, ...]:
        """What `go_back` takes to make what happened since undone, as a savepoint does with the database."""
        state = self.state
        rows = (dict(state.runs), dict(state.tasks), dict(state.participants))
        touched = {name: list(ids) for name, ids in self.touched.items()}
        return len(self.events), state.instance, rows, touched, list(self.waiting), list(self.cancelled_children)

    def go_back(self, before: tuple[Any, ...]) -> None:
        count, instance, (runs, tasks, participants), self.touched, waiting, self.cancelled_children = before
        del self.events[count:]
        self.state.instance, self.state.runs, self.state.tasks = instance, runs, tasks
        self.state.participants, self.waiting = participants, waiting

    def put_words(self) -> None:
        """What was said stands with the event of the action itself, where another one came before it."""
        of_it = (self.said.action, "end") if self.said.action == "withdraw" else (self.said.action,)
        at = next((at for at, one in enumerate(self.events) if one.action in of_it), 0)
        if at:
            first = self.events[0]
            self.events[at] = replace(self.events[at], comment=first.comment, attachments=first.attachments)
            self.events[0] = replace(first, comment="", attachments=())

    def save(self) -> None:
        """Write what happened, with the version that the record has by now."""
        if not self.events:
            return
        version = record_version(self)
        events = [replace(one, record_version=version) for one in self.events]
        kept.save(self.connection, self.state, events, self.touched, self.fresh)
        self.events, self.touched, self.fresh = [], {}, set()


def record_version(work: Work) -> int | None:
    found = versions_of(work.ctx.snapshot, work.connection, work.object, [work.instance.record])
    return found.get(work.instance.record)


def jsonable(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def chart_at(snapshot: Snapshot, approval: str) -> Chart:
    """Raises Conflict where that version has no such approval."""
    key = ("approval chart", approval)
    found: Chart | None = snapshot.cache.get(key)
    if found is None:
        definition = snapshot.definitions.processes.approvals.get(approval)
        if definition is None:
            raise Conflict(f"version {snapshot.version} has no approval '{approval}'", code="approval.unknown")
        found = snapshot.cache[key] = chart_of(definition)
    return found


def nobody(ctx: Context) -> Context:
    """A reader who sees no field of any record."""
    return replace(ctx, scope=scope_of(ctx.snapshot, frozenset()), reader=None)


def object_at(snapshot: Snapshot, table: str) -> str:
    """The object that is stored in the table of this physical name."""
    name = snapshot.physical.names.objects.get(table)
    if name is None or name not in snapshot.definitions.objects:
        raise Conflict("the object of this approval is there no more", code="approval.object")
    return name


def people(users: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(one for one in users if one))
