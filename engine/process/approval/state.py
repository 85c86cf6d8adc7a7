"""The state of an instance as frozen data, and events, of which it is the fold. Opens no connection."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

__all__ = [
    "ENDED", "OPEN_TASKS", "Event", "Instance", "Participant", "Run", "State", "Task", "fold", "made", "plain", "step",
]  # fmt: skip

Json = dict[str, Any]
Row = TypeVar("Row", "Instance", "Run", "Task", "Participant")
Subject = Literal["instance", "node", "task", "participant", ""]

ENDED = frozenset({"APPROVED", "REJECTED", "WITHDRAWN", "CANCELLED"})  # of an instance
OPEN_TASKS = frozenset({"WAITING", "PENDING", "DELEGATED"})


@dataclass(frozen=True, slots=True)
class Instance:
    id: str
    approval: str
    group: str
    object: str  # the physical name of its table
    record: str
    version: int
    state: str
    submitter: str
    started_at: datetime
    root: str
    reason: str = ""
    round: int = 1
    parent: str = ""
    parent_run: str = ""
    data: Json = field(default_factory=dict)
    """"chosen": node -> users; "sent": column -> value as of this round; "resume": where it goes on; "urged": when."""
    ended_at: datetime | None = None
    key: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A node, from when it was entered."""

    id: str
    node: str
    state: str  # ACTIVE, APPROVED, REJECTED, RETURNED, SKIPPED or CANCELLED
    round: int
    entered: int
    entered_at: datetime
    within: str = ""
    branch: str = ""
    ended: int | None = None
    ended_at: datetime | None = None
    reason: str = ""
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    run: str
    node: str
    state: str
    slot: str
    round: int
    created_at: datetime
    user: str = ""
    place: int = 0
    group: str = ""
    weight: int = 1
    kind: str = "slot"
    source: str = ""
    set: str = ""
    method: str = ""
    via: str = ""
    opened_at: datetime | None = None
    read_at: datetime | None = None
    due_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str = ""
    data: Json = field(default_factory=dict)

    @property
    def queue(self) -> tuple[str, ...]:
        return tuple(self.data.get("queue", ()))

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_TASKS


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody of a queue or a stand-in, who may decide a task, or who is told."""

    id: str
    user: str
    kind: str  # queue, agent, cc
    at: datetime
    task: str = ""
    run: str = ""
    state: str = "OPEN"
    by: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    instance: str
    seq: int
    subject: Subject
    row: str
    action: str
    actor: str
    at: datetime
    version: int
    source: str = ""  # the state before
    target: str = ""
    on_behalf_of: str = ""
    node: str = ""
    task: str = ""
    comment: str = ""
    attachments: tuple[str, ...] = ()
    record_version: int | None = None
    key: str = ""
    data: Json = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """Changes by `step` only."""

    instance: Instance
    runs: dict[str, Run] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    participants: dict[str, Participant] = field(default_factory=dict)

    def active(self) -> Iterator[Run]:
        return (run for run in self.runs.values() if run.state == "ACTIVE")

    def tasks_of(self, run: str) -> list[Task]:
        return [task for task in self.tasks.values() if task.run == run]


def fold(events: Iterable[Event]) -> State | None:
    """None where there are none."""
    state: State | None = None
    for event in events:
        state = step(state, event)
    return state


def step(state: State | None, event: Event) -> State:
    """The state after one more event."""
    changes = dict(event.data.get("set", {}))
    if event.subject:
        changes["state"] = event.target
    if state is None:
        state = State(made(Instance, {"id": event.instance, **changes}))
    else:
        match event.subject:
            case "instance":
                state.instance = changed(state.instance, changes)
            case "node":
                put(state.runs, Run, event.row, changes)
            case "task":
                put(state.tasks, Task, event.row, changes)
            case "participant":
                put(state.participants, Participant, event.row, changes)
    state.instance = replace(state.instance, seq=event.seq)
    return state


def put(rows: dict[str, Row], kind: type[Row], row: str, changes: Mapping[str, Any]) -> None:
    rows[row] = changed(rows[row], changes) if row in rows else made(kind, {"id": row, **changes})


def made(kind: type[Row], values: Mapping[str, Any]) -> Row:
    """Of values as a row or an event holds them: null is the field's own nothing, times may be texts."""
    return kind(**{name: read(name, values[name]) for name in names_of(kind) if values.get(name) is not None})


def changed(row: Row, changes: Mapping[str, Any]) -> Row:
    return replace(row, **{name: read(name, value) for name, value in changes.items()})


def read(name: str, value: Any) -> Any:
    is_time = isinstance(value, str) and (name == "at" or name.endswith("_at"))
    return datetime.fromisoformat(value) if is_time else value


def names_of(kind: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def plain(row: Instance | Run | Task | Participant) -> Json:
    """A row's values by name."""
    return {name: getattr(row, name) for name in names_of(type(row))}
