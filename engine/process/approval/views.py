"""What the facade answers: frozen, with names and labels beside ids, in the person's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.process.waiting import Waiting

__all__ = [
    "ActionView", "AheadView", "Attachment", "BoxChoices", "Chooses", "Counts", "FieldValue", "Inbox", "InboxRow",
    "InstanceView", "Line", "OpenTask", "Option", "Options", "PastView", "Person", "Target", "TaskView",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """`id` "" is the machine; `name` says then which: "timer", "override", "system"."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Target:
    """A node that something may be returned or moved to; "start" is who submitted it."""

    node: str
    label: str


@dataclass(frozen=True, slots=True)
class Chooses:
    """Somebody must choose who is asked at a node: between `least` and `most` people, any number where that is None."""

    node: str
    label: str
    people: tuple[Person, ...] | None = None  # among whom; None is everybody
    least: int = 1
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """An approval that the record may be submitted to, and what its dialog asks."""

    approval: str
    label: str
    description: str
    chooses: tuple[Chooses, ...] = ()
    ahead: tuple["AheadView", ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """`approvals`: what fits, the one that is taken unless said first. `running`: ids of instances that run."""

    approvals: tuple[Option, ...] = ()
    running: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldValue:
    name: str
    label: str
    value: Any  # JSON


@dataclass(frozen=True, slots=True)
class InboxRow:
    task: str  # "" in the boxes started and cc
    instance: str
    approval: str
    label: str  # of the approval
    object: str
    object_label: str
    record: str
    title: str
    node: str
    node_label: str
    state: str  # of the task, or of the instance
    instance_state: str
    submitter: Person
    submitted_at: datetime
    at: datetime  # asked, decided, submitted or told: what the box is sorted by
    due_at: datetime | None = None
    is_overdue: bool = False
    is_read: bool = False
    via: str = "self"  # "self", "agent" or "queue"
    instead_of: Person | None = None
    round: int = 1
    summary: tuple[FieldValue, ...] = ()
    may_approve: bool = False  # by one press: the step asks for nothing else
    is_urged: bool = False  # since the task was opened
    waits: Waiting | None = None
    is_claimed: bool = False  # by this person, out of a queue


@dataclass(frozen=True, slots=True)
class Inbox:
    rows: tuple[InboxRow, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class BoxChoices:
    """What there is to filter a box by: (name, label), by label, and people by name."""

    approvals: tuple[tuple[str, str], ...] = ()
    objects: tuple[tuple[str, str], ...] = ()
    submitters: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    todo: int = 0
    overdue: int = 0  # of todo
    done: int = 0
    started: int = 0  # that run still
    cc: int = 0  # not looked at


@dataclass(frozen=True, slots=True)
class ActionView:
    """Something that the person may do now. `asks`: comment, attachments, users, target, values, chosen,
    method, password, decision; `needs`: those without which it is refused."""

    name: str
    asks: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    chooses: tuple[Chooses, ...] = ()
    is_override: bool = False


@dataclass(frozen=True, slots=True)
class OpenTask:
    task: str
    node: str
    node_label: str
    person: Person | None  # None: of a queue, not claimed
    state: str
    since: datetime | None
    due_at: datetime | None
    is_overdue: bool
    kind: str  # slot, before, after, delegate; parallel, escalate, transfer, reassign where it came so
    queue: tuple[Person, ...] = ()
    agents: tuple[Person, ...] = ()
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file with what somebody said; one that was erased has an id alone."""

    id: str
    name: str = ""
    type: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    seq: int
    at: datetime
    actor: Person
    action: str
    on_behalf_of: Person | None = None
    node: str = ""
    node_label: str = ""
    task: str = ""
    person: Person | None = None  # whose task it is about
    source: str = ""  # the state before
    target: str = ""
    comment: str = ""
    attachments: tuple[Attachment, ...] = ()
    round: int = 1
    via: str = "self"
    is_override: bool = False
    is_late: bool = False
    record_version: int | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """What was changed of the record with it: field -> (before, after), only of fields that the reader may read."""


@dataclass(frozen=True, slots=True)
class AheadView:
    node: str
    label: str
    type: str
    people: tuple[Person, ...] = ()
    is_chosen: bool = False
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class InstanceView:
    id: str
    approval: str
    label: str
    object: str
    record: str
    title: str
    state: str
    reason: str
    round: int
    version: int
    submitter: Person
    started_at: datetime
    ended_at: datetime | None
    open: tuple[OpenTask, ...] = ()
    history: tuple[Line, ...] = ()
    ahead: tuple[AheadView, ...] = ()
    actions: tuple[ActionView, ...] = ()
    cc: tuple[Person, ...] = ()
    waits: Waiting | None = None  # the change, deletion or new record that it is about, while that waits


@dataclass(frozen=True, slots=True)
class PastView:
    """An approval of a record that has ended, in short."""

    id: str
    label: str
    state: str
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class TaskView:
    """What the person of a task sees."""

    task: str
    state: str
    node: str
    node_label: str
    node_type: str
    instance: InstanceView
    record: Mapping[str, Any]  # JSON values by field: what the node lets them see; {} where it is not theirs to see
    editable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    actions: tuple[ActionView, ...] = ()
    due_at: datetime | None = None
    is_overdue: bool = False
    via: str = "self"
    instead_of: Person | None = None
    record_at: datetime | None = None  # of who has decided and may not read it: as it was then
    opinions: tuple[Line, ...] = ()  # what was said to this task's owner: helpers and signers
