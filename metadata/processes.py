"""What definitions say about work that runs over time, as frozen data: approvals, workflows, automations, and the
templates and calendars that they use."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from metadata.problem import Place

__all__ = [
    "ADMIN_PERMISSION", "APPROVAL_STATES", "APPROVAL_STATUS", "EVENTS", "EVENTS_OF_NO_RECORD", "Approval", "Automation",
    "Branch", "Calendar", "Holiday",
    "Node", "Part", "PartKind", "Parts", "Processes", "Resubmission", "Signature", "Span", "State", "Template", "Timer",
    "Transition", "Workflow", "nodes_in",
]  # fmt: skip

NOWHERE = Place("")
Text = Mapping[str, str]  # as metadata.model says

ADMIN_PERMISSION = "manage_processes"  # a system permission: who may jump, reassign, cancel, suspend, force, replay
APPROVAL_STATUS = "approval_status"  # the field that an approval gives its object; the engine alone writes it
APPROVAL_STATES = ("none", "pending", "approved", "rejected", "returned", "withdrawn")


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: `2 workdays`, `4 hours`, `30 minutes`. Workdays and workhours are reckoned in a calendar."""

    amount: int = 0
    unit: Literal["minutes", "hours", "days", "workhours", "workdays"] = "days"


@dataclass(frozen=True, slots=True)
class PartKind:
    """What definitions must know of an approver source or an action. Registries hand these in as plain data."""

    name: str
    schema: Mapping[str, object]  # JSON Schema of what stands below its name
    formulas: tuple[str, ...] = ()  # options that are formulas over the record
    paths: tuple[str, ...] = ()  # options that are paths of the record
    is_outside: bool = False  # what it does leaves the system, and is not taken back
    phases: tuple[str, ...] = ()  # of an action: the automation phases that it may stand in; () is all
    doc: str = ""
    short: str = ""  # the option that a lone value is: "name" makes `{role: finance}` mean `{role: {name: finance}}`
    refers: Mapping[str, str] = field(default_factory=dict)
    """Options that name something: option -> "role", "object", "template", "calendar", "approval", …"""
    values: str = ""  # of an action: the option that holds field -> a literal or `=formula`; "*" is all of them
    about: str = ""  # ... and the option that names the object whose fields and filters these are; "" is the record's
    filters: tuple[str, ...] = ()  # ... options that are formulas over that object, in which `record.` is the record
    over: Mapping[str, str] = field(default_factory=dict)  # ... the same over an object that is known: option -> object
    texts: tuple[str, ...] = ()  # ... texts with {paths} of the record
    fields: tuple[str, ...] = ()  # ... options that name fields of the record
    people: tuple[str, ...] = ()  # ... options that are lists of approver sources
    template: str = ""  # ... the option that names a template
    writes: str = ""  # ... what it does to records: "record" (itself), "create", "update", "delete"
    asks: Literal["", "submitter", "owner", "previous"] = ""  # of an approver: who it is, or who chooses, always
    most: Callable[[Mapping[str, object]], int | None] | None = None  # how many people at most; None: any number
    lacks: Callable[[Mapping[str, object]], str] | None = None  # when there may be nobody: "nobody has the role"
    is_chosen: bool = False  # somebody chooses them: the submitter, unless it `asks` for who did before
    led_by: str = ""  # the option that is a path to who is asked: nobody where it is blank
    is_of_record: bool = False  # of an action: it is about the record that set it off

    @property
    def needs_record(self) -> bool:
        return self.is_of_record or self.writes == "record"

    def given(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """What was written, with a lone value under its option."""
        if self.short and options.keys() == {"value"}:
            return {self.short: options["value"]}
        return options


@dataclass(frozen=True, slots=True)
class Parts:
    """Which approver sources and actions there are, by name."""

    approvers: Mapping[str, PartKind] = field(default_factory=dict)
    actions: Mapping[str, PartKind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One use of an approver source or an action: `{manager_chain: {level: 2}}`, `{set: {status: won}}`."""

    kind: str  # the plugin's name
    options: Mapping[str, object] = field(default_factory=dict)  # as written, as JSON; texts stay as they are written
    name: str = ""  # of an action: what later steps call its results
    label: Text = field(default_factory=dict)
    when: str = ""  # a formula over the record: whether it counts now
    group: str = ""  # of an approver in mode per_group
    weight: int = 1  # of an approver in mode vote
    place: Place = field(default=NOWHERE, compare=False)


# -- calendars and templates ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holiday:
    date: str  # ISO: the first day
    until: str = ""  # the last day; "" is the same
    label: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work."""

    name: str
    label: Text
    zone: str = "UTC"  # IANA
    hours: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """"mon" ... "sun" -> (("09:00", "12:00"), ("13:00", "18:00")); a day that is missing is free."""
    holidays: tuple[Holiday, ...] = ()
    workdays: tuple[str, ...] = ()  # ISO dates: days of work all the same; they have the hours of a Monday
    is_default: bool = False  # what is reckoned in where no calendar is named
    package: str = ""
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Template:
    """Words of a mail or a notification, in Jinja2: `{{ record.name }}`, `{{ user.name }}`, `{{ link }}`."""

    name: str
    label: Text
    object: str = ""
    subject: Text = field(default_factory=dict)
    body: Text = field(default_factory=dict)
    is_html: bool = False
    package: str = ""
    place: Place = field(default=NOWHERE, compare=False)


# -- approvals --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timer:
    """What happens to a task that waits."""

    after: Span
    do: Literal["remind", "escalate", "transfer", "auto_approve", "auto_reject", "close"] = "remind"
    repeat: int = 1  # of remind: how many times, `after` apart
    how: Literal["parallel", "replace"] = "parallel"  # of escalate: beside the person who waits, or in their place
    to: tuple[Part, ...] = ()  # of escalate and transfer: approver sources; () is the manager of who waits
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Branch:
    name: str
    label: Text
    flow: tuple["Node", ...]
    when: str = ""
    is_else: bool = False


NodeType = Literal[
    "approve", "handle", "cc", "condition", "inclusive", "parallel", "subprocess", "delay", "action", "end"
]


@dataclass(frozen=True, slots=True)
class Node:
    """One step of an approval. After it comes the next one of its flow, then the one after what that flow is part of;
    after the last of all, the approval is approved."""

    name: str
    type: NodeType
    label: Text
    next: str = ""  # a node to go on with instead, within the same branch of any parallel
    # approve, handle, cc
    approvers: tuple[Part, ...] = ()
    mode: Literal["any", "all", "sequence", "vote", "per_group"] = "any"
    threshold: str = ""  # of vote: "60%", "2/3" or a number of weights
    groups: Mapping[str, int] = field(default_factory=dict)  # of per_group: group -> how many must approve
    reject: Literal["veto", "all_must_reject", "wait"] = "veto"  # of any: "veto" is that the first decision wins
    self_approval: Literal["superior", "self", "skip", "department_head", "forbid"] = "superior"
    duplicate: Literal["keep", "skip_if_approved", "skip_consecutive"] = "keep"
    empty: Literal["refuse", "admin", "skip", "auto_approve"] = "refuse"
    editable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    required: tuple[str, ...] = ()  # when it is approved
    actions: tuple[str, ...] | None = None  # what those who are asked may do besides deciding; None is everything
    comment: tuple[str, ...] = ()  # the actions with which a comment is needed: ("reject", "return")
    signature: bool = False  # the person types their password again
    due: Span | None = None
    calendar: str = ""
    timers: tuple[Timer, ...] = ()
    may_return_to: tuple[str, ...] = ("start",)  # "start", "previous", "any", names of nodes
    on_return: Literal["restart", "returning", "target"] = "restart"  # where it goes on when it is submitted again
    reset_on_change: tuple[str, ...] = ()  # fields: a change of one while it runs asks this node again
    may_reclaim: bool = False
    # condition, inclusive, parallel
    branches: tuple[Branch, ...] = ()
    join: Literal["all", "first"] = "all"
    on_reject: Literal["reject", "continue"] = "reject"  # of a parallel: a branch that is rejected rejects all, or ends
    # subprocess
    process: str = ""
    record: str = ""  # a path to the record that it is about; "" is the same
    waits: bool = True
    # delay
    span: Span | None = None
    until: str = ""  # a path to a date or moment
    # action
    steps: tuple[Part, ...] = ()
    # end
    result: Literal["approved", "rejected"] = "approved"
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Resubmission:
    material: tuple[str, ...] = ()  # fields, lines or "items.amount": see resubmission
    material_if: str = ""  # a formula with PRIOR: the same for what is more than a list
    most_rounds: int = 0  # then it is rejected; 0 is without end


@dataclass(frozen=True, slots=True)
class Approval:
    name: str
    label: Text
    object: str
    flow: tuple[Node, ...]
    description: Text = field(default_factory=dict)
    group: str = ""  # at most one of a group runs for a record; "" is the object's name
    priority: int = 100  # the lowest that fits is taken
    is_active: bool = True
    when: str = ""  # which records
    submit_by: tuple[str, ...] = ()  # roles; () is whoever may update the record
    submit_if: str = ""  # ... and a formula over the record
    trigger: Literal["button", "create", "update", "delete"] = "button"
    trigger_if: str = ""  # of update: it becomes true
    storage: Literal["after_save", "before_save"] = "after_save"
    lock: Literal["record", "none"] = "record"  # with all lines
    lock_exempt: tuple[str, ...] = ()  # fields that may be written all the same
    unlock: tuple[str, ...] = ("approved", "rejected", "withdrawn", "cancelled")  # with which ends the record is free
    withdraw: Literal["before_first", "before_final", "never"] = "before_first"
    resubmission: Resubmission = Resubmission()
    history: tuple[str, ...] = ()  # roles that see the approval's history besides who may read the record
    summary: tuple[str, ...] = ()  # fields that the inbox shows of the record
    calendar: str = ""
    on: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    """Steps at submit, approve, reject, return, withdraw, cancel: in the same transaction."""
    notify: Mapping[str, str] = field(default_factory=dict)  # event -> template, or "none": asked, decided, cc, urged
    package: str = ""
    place: Place = field(default=NOWHERE, compare=False)


def nodes_in(flow: tuple[Node, ...]) -> Iterator[Node]:
    """All nodes of a flow, also those of its branches, in their order."""
    for node in flow:
        yield node
        for branch in node.branches:
            yield from nodes_in(branch.flow)


# -- workflows --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """What being in a state asks; its name and label are a choice of the workflow's field."""

    value: str
    required: tuple[str, ...] = ()  # fields that must have a value to enter it
    guidance: Text = field(default_factory=dict)  # what to do here, on the stage path
    steps: tuple[Part, ...] = ()  # on entry, in the same transaction
    is_final: bool = False
    is_won: bool | None = None  # of a final one: how the path shows it
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Transition:
    name: str
    label: Text
    sources: tuple[str, ...]  # values; "*" is every state
    target: str
    when: str = ""  # a formula: which records may take it
    message: Text = field(default_factory=dict)  # what to tell where `when` does not hold
    roles: tuple[str, ...] = ()  # () is whoever may update the record
    required: tuple[str, ...] = ()
    steps: tuple[Part, ...] = ()
    is_automatic: bool = False  # not offered as a button
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Workflow:
    """The states of a record. `moves`: what may be done besides the transitions that are listed."""

    name: str
    label: Text
    object: str
    field: str
    states: tuple[State, ...]  # in the order of the path
    transitions: tuple[Transition, ...] = ()
    moves: tuple[str, ...] = ()  # "forward", "skip", "back", "reopen" (out of a final state)
    record_types: tuple[str, ...] = ()  # those it is for; () is all that have no workflow of their own
    initial: str = ""  # "" is the first state
    package: str = ""
    place: Place = dataclasses.field(default=NOWHERE, compare=False)


# -- automations ------------------------------------------------------------------------------------------------------

EVENTS = (
    "approval.submitted", "approval.approved", "approval.rejected", "approval.returned", "approval.withdrawn",
    "approval.cancelled", "import.finished", "metadata.published",
)  # fmt: skip
EVENTS_OF_NO_RECORD = ("import.finished", "metadata.published")  # what happened is told in `body`
Phase = Literal["before_save", "after_save", "after_commit", "schedule", "date", "webhook", "button", "event"]


@dataclass(frozen=True, slots=True)
class Signature:
    """How who calls a webhook signs: over the body, `timestamp.body` or `id.timestamp.body`, in hex or base64."""

    header: str
    algorithm: Literal["sha256", "sha512"] = "sha256"
    timestamp: str = ""  # a header, in seconds since 1970; the same as `header`: its `t=`
    tolerance: Span = Span(5, "minutes")
    id: str = ""  # a header with the delivery's id


@dataclass(frozen=True, slots=True)
class Automation:
    name: str
    label: Text
    object: str = ""
    phase: Phase = "after_save"
    on: tuple[str, ...] = ()  # of a save: create, update, delete; of event: "approval.approved", "import.finished", ...
    when: str = ""  # a formula over the record, with PRIOR
    becomes: bool = False  # only where it did not hold before
    changed: tuple[str, ...] = ()  # ... and one of these fields changed
    steps: tuple[Part, ...] = ()
    run_as: str = "user"  # or a user name: a service identity
    log: Literal["failures", "all", "none"] = "failures"  # which runs within a save are kept
    reentry: bool = False  # it may run again for a record within one transaction
    order: int = 100
    is_active: bool = True
    schedule: str = ""  # of schedule: cron, five fields
    zone: str = ""  # of schedule and date: IANA; "" is the default calendar's
    date: str = ""  # of date: a path to a date or moment
    offset: Span | None = None  # ... how long after it; a negative amount is before
    at: str = ""  # ... and at which time of that day: "09:00"
    calendar: str = ""
    missed: Literal["catch_up_all", "catch_up_last", "skip"] = "catch_up_last"
    roles: tuple[str, ...] = ()  # of button: who sees it; () is whoever may update the record
    button: Text = field(default_factory=dict)  # ... and what stands on it; {} is the label
    key: str = ""  # of webhook: a path of the body to what makes a delivery the same as one before
    signature: Signature | None = None  # ... which takes signed calls, and no others
    most: int = 10_000  # records that one scheduled run may touch
    description: Text = field(default_factory=dict)
    package: str = ""
    place: Place = field(default=NOWHERE, compare=False)

    @property
    def has_body(self) -> bool:
        """Whether its formulas and texts read `body`: what a webhook brought, or what an event says of itself."""
        return self.phase == "webhook" or (self.phase == "event" and any(one in EVENTS_OF_NO_RECORD for one in self.on))


@dataclass(frozen=True, slots=True)
class Processes:
    """All of them that a tenant has, by name."""

    approvals: Mapping[str, Approval] = field(default_factory=dict)
    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    automations: Mapping[str, Automation] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
