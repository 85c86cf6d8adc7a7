"""Instances and tasks as a person sees them: with names, labels and titles."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.context import Context
from engine.errors import EngineError
from engine.process.approval import attachments, foresight, kept, offers, ports
from engine.process.approval.acted import decided_on
from engine.process.approval.people import names_of
from engine.process.approval.sight import own_among
from engine.process.approval.state import Event, Instance, Task
from engine.process.approval.views import (
    ActionView,
    AheadView,
    Attachment,
    Chooses,
    InstanceView,
    Line,
    OpenTask,
    PastView,
    Person,
    TaskView,
)
from engine.process.approval.work import Work
from engine.process.reading import hidden_now
from engine.process.visible import is_masked
from engine.process.waiting import Waiting, waiting_of
from engine.store import rows_history
from engine.store.database import Connection
from engine.store.query import Query, find
from metadata.model import say
from metadata.processes import Approval, nodes_in

__all__ = [
    "Names", "ahead_view", "approval_of", "choices_view", "foreseen_from_start", "instance_view", "past_view",
    "task_view", "titles", "titles_of",
]  # fmt: skip

HIDDEN_ACTIONS = frozenset({"open", "enter", "arrive", "offer", "leave", "clock", "wait", "fork", "child_ended"})
MACHINES = {"system:timer": "timer", "system:override": "override", "system": "system"}


class Names:
    """Ids of people as they come, and their names in one statement when they are looked at."""

    def __init__(self, ctx: Context, connection: Connection, users: Sequence[str]) -> None:
        self.known = names_of(ctx, connection, [one for one in users if one])

    def __call__(self, user: str) -> Person:
        if user in MACHINES or not user:
            return Person("", MACHINES.get(user, "system"))
        return Person(user, self.known.get(user, ""))

    def maybe(self, user: str) -> Person | None:
        return self(user) if user else None


def instance_view(w: Work, *, is_whole: bool = True) -> InstanceView:
    """`is_whole`: with the history and the path ahead."""
    ctx, connection, state = w.ctx, w.connection, w.state
    events = kept.events_of(connection, w.instance.id) if is_whole else []
    ahead = foreseen(w) if is_whole and not w.is_over else []
    users = [w.instance.submitter, *(one.user for one in state.participants.values())]
    users += [user for task in state.tasks.values() for user in (task.user, task.decided_by, *task.queue)]
    users += [user for one in events for user in (one.actor, one.on_behalf_of, passed_to(one))]
    users += [user for one in ahead for user in one.users]
    named = Names(ctx, connection, users)
    changes = changes_of(w) if is_whole else {}
    files = attachments.shown_of(ctx.snapshot, connection, events)
    object_name = w.object
    cc = dict.fromkeys(one.user for one in state.participants.values() if one.kind == "cc")
    return InstanceView(
        w.instance.id, w.approval.name, say(w.approval.label, ctx.language), object_name, w.instance.record,
        titles_of(ctx, connection, object_name, [w.instance.record]).get(w.instance.record, ""), w.instance.state,
        w.instance.reason, w.instance.round, w.instance.version, named(w.instance.submitter), w.instance.started_at,
        w.instance.ended_at, tuple(open_task(w, task, named) for task in state.tasks.values() if task.is_open),
        tuple(lines(w, events, named, changes, files)),
        tuple(ahead_view(w, one, named.known) for one in ahead),
        offers.instance_actions(w), tuple(map(named, cc)), waiting_in(w) if is_whole else None,
    )  # fmt: skip


def waiting_in(w: Work) -> Waiting | None:
    return waiting_of(w.ctx, w.connection, w.state) if w.approval.storage == "before_save" else None


def past_view(ctx: Context, one: Instance) -> PastView:
    approval = approval_of(ctx, one.approval, one.version, "")
    label = say(approval.label, ctx.language) if approval else one.approval
    return PastView(one.id, label, one.state, one.ended_at or one.started_at)


def ahead_view(w: Work, one: foresight.Ahead, named: Mapping[str, str]) -> AheadView:
    people = tuple(Person(user, named.get(user, "")) for user in one.users)
    return AheadView(one.node, offers.label_of(w, one.node), one.type, people, one.is_chosen, one.is_empty)


def choices_view(w: Work, nodes: Sequence[str], who: str) -> tuple[Chooses, ...]:
    """What `who`, the submitter or the previous approver, must choose for these nodes."""
    try:
        found = list(foresight.to_choose(w, nodes, who))
    except EngineError:
        return ()
    named = names_of(w.ctx, w.connection, [user for _, choice in found for user in choice.users or ()])
    return tuple(
        Chooses(
            node, offers.label_of(w, node),
            None if choice.users is None else tuple(Person(user, named.get(user, "")) for user in choice.users),
            choice.least, choice.most,
        )
        for node, choice in found
    )  # fmt: skip


def foreseen_from_start(w: Work) -> list[foresight.Ahead]:
    try:
        return foresight.from_start(w)
    except EngineError:
        return []


def foreseen(w: Work) -> list[foresight.Ahead]:
    try:
        return foresight.ahead(w)
    except EngineError:  # a condition that cannot be asked: the history tells when it is come to
        return []


def open_task(w: Work, task: Task, named: Names) -> OpenTask:
    agents = [one.user for one in w.state.participants.values()
              if one.task == task.id and one.kind == "agent" and one.state == "OPEN"]  # fmt: skip
    how = str(task.data.get("how") or task.kind)
    return OpenTask(
        task.id, task.node, offers.label_of(w, task.node), named.maybe(task.user), task.state, task.opened_at,
        task.due_at, task.due_at is not None and task.due_at < w.now, how, tuple(map(named, task.queue)),
        tuple(map(named, agents)), task.read_at,
    )  # fmt: skip


def lines(
    w: Work, events: Sequence[Event], named: Names, changes: Mapping[int, Mapping[str, tuple[Any, Any]]],
    files: Mapping[str, Attachment],
) -> list[Line]:  # fmt: skip
    """Without what only moves the machine. What was changed of the record stands with the first event after it."""
    found: list[Line] = []
    round_, last = 1, 0
    for one in events:
        round_ = one.data.get("set", {}).get("round", round_) if one.subject == "instance" else round_
        if one.action in HIDDEN_ACTIONS or (one.subject == "task" and one.action == "ask" and not is_extra(w, one)):
            continue
        version = one.record_version or last
        changed: dict[str, tuple[Any, Any]] = {}
        for number in range(last + 1, version + 1) if last else ():
            for name, (before, after) in changes.get(number, {}).items():
                changed[name] = (changed[name][0] if name in changed else before, after)
        last = version
        task = w.state.tasks.get(one.task)
        found.append(Line(
            one.seq, one.at, named(one.actor), one.action, named.maybe(one.on_behalf_of), one.node,
            offers.label_of(w, one.node), one.task, named.maybe(task.user if task else passed_to(one)), one.source,
            one.target, one.comment, tuple(files[file] for file in one.attachments), round_,
            str(one.data.get("via", "self")), bool(one.data.get("override")),
            bool(one.data.get("late")), one.record_version, changed,
        ))  # fmt: skip
    return found


def passed_to(event: Event) -> str:
    """Who is the submitter since."""
    return str(event.data["set"]["submitter"]) if event.action == "pass_on" else ""


def is_extra(w: Work, event: Event) -> bool:
    """Whether somebody added this task, and not the definition."""
    task = w.state.tasks.get(event.task)
    return task is not None and "how" in task.data


def changes_of(w: Work) -> dict[int, Mapping[str, tuple[Any, Any]]]:
    """Version of the record -> what was changed with it, of the fields that the person reads; {} where they may not."""
    ctx = w.ctx
    if not ctx.scope.can("read", w.object) or w.instance.record not in titles(
        ctx, w.connection, w.object, [w.instance.record]
    ):
        return {}
    readable, masks = ctx.scope.readable(w.object), ctx.scope.masks(w.object)
    found: dict[int, Mapping[str, tuple[Any, Any]]] = {}
    for entry in rows_history.read(w.connection, ctx.snapshot, w.object, w.instance.record):
        found[entry["version"]] = {
            name: tuple(masks[name](one) if name in masks and one is not None else one for one in pair)
            for name, pair in entry["changes"].items()
            if name in readable
        }
    return found


def task_view(w: Work, task: Task) -> TaskView:
    node = w.chart.node(task.node)
    how = offers.holds_task(w, task)
    is_open = bool(how) and task.is_open and w.instance.state == "RUNNING"
    is_helping = task.kind == "delegate"
    whole = instance_view(w)
    own = [one for one in whole.history if one.task and (one.comment or one.attachments)
           and w.state.tasks[one.task].source == task.id]  # fmt: skip
    named = Names(w.ctx, w.connection, [task.user, str(task.data.get("instead_of") or "")])
    instead = task.user if how == "agent" else str(task.data.get("instead_of") or "")
    record = ports.record_for(w, task) if is_open or how else ports.record_of(w)
    then = decided_on(w.ctx, w.connection, w.state) if not record else None
    return TaskView(
        task.id, task.state, task.node, offers.label_of(w, task.node), node.type, whole,
        then.reading.record() if then is not None else record,
        () if is_helping or not is_open else tuple(node.editable), () if is_helping else tuple(node.required),
        with_choices(w, task, offers.task_actions(w, task)), task.due_at,
        task.due_at is not None and task.due_at < w.now, how or "self", named.maybe(instead),
        then.at if then is not None else None, tuple(own),
    )  # fmt: skip


def with_choices(w: Work, task: Task, actions: Sequence[ActionView]) -> tuple[ActionView, ...]:
    """Who approves chooses for what comes next."""
    ahead = list(dict.fromkeys(one.node for one in foreseen(w)))
    chooses = choices_view(w, ahead, "previous") if task.kind != "delegate" else ()
    found = []
    for one in actions:
        if "chosen" in one.asks:
            asks = one.asks if chooses else tuple(name for name in one.asks if name != "chosen")
            one = replace(one, asks=asks, chooses=chooses)
        found.append(one)
    return tuple(found)


def titles(ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]) -> dict[str, str]:
    """Of those that the person may read."""
    if not ctx.scope.can("read", object_name):
        return {}
    title = ctx.scope.title(object_name)
    found = find(ctx, connection, Query(object_name, (title,), ids=tuple(ids), limit=max(1, len(ids))))
    known = zip([one[0] for one in found.rows], found.reader.values(found.rows), strict=True)
    return {record: "" if row[0] is None else str(row[0]) for record, row in known}


def titles_of(ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]) -> dict[str, str]:
    """Those that the person may read, and as they were submitted those that they take part in without that: unless a
    step hides the title, now or when it was submitted."""
    known = titles(ctx, connection, object_name, ids)
    missing = [one for one in ids if one not in known]
    if not missing:
        return known
    title = ctx.snapshot.definitions.objects[object_name].title
    column = ctx.snapshot.physical.names.columns[object_name].get(title)
    approvals = ctx.snapshot.definitions.processes.approvals.values()
    if is_masked(ctx, object_name, title) or any(
        title in node.hidden for one in approvals if one.object == object_name for node in nodes_in(one.flow)
    ):
        return known
    instances = kept.of_records(connection, missing)
    own = own_among(ctx, connection, [one.id for one in instances])
    for instance in instances:
        sent = instance.data.get("sent", {}).get(column)
        is_told = instance.id in own and sent is not None and instance.record not in known
        if is_told and title not in hidden_then(ctx, instance):
            known[instance.record] = str(sent)
    return known


def hidden_then(ctx: Context, instance: Instance) -> frozenset[str]:
    """What some step of the approval hides as the instance's version has it."""
    then = ctx.tenant.at(instance.version).definitions.processes.approvals.get(instance.approval)
    names = [name for node in nodes_in(then.flow) for name in node.hidden] if then is not None else ()
    return hidden_now(ctx, instance.version, instance.object, names)


def approval_of(ctx: Context, name: str, version: int, node: str) -> Approval | None:
    """As it is now, unless the node is there no more."""
    found = ctx.snapshot.definitions.processes.approvals.get(name)
    if found is not None and (not node or any(one.name == node for one in nodes_in(found.flow))):
        return found
    return ctx.tenant.at(version).definitions.processes.approvals.get(name)
