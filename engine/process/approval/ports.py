"""What other rooms do for approvals, in one place."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError
from engine.jobs.port import enqueue
from engine.people.chain import manager_chain
from engine.process.agents import agents_of
from engine.process.approvers import Choice, Slot, choices_of, people_named, slots_of
from engine.process.business_time import day_begins, moment_after, reckoner, worked_between
from engine.process.events import announce
from engine.process.locks import exempted, is_holding, lock, unlock
from engine.process.notices import notify
from engine.process.requests import own_writing
from engine.process.status import set_status
from engine.process.steps import run_steps
from engine.service import Records
from metadata.processes import Node, Part, Span

if TYPE_CHECKING:
    from engine.process.approval.state import Task
    from engine.process.approval.work import Work

__all__ = [
    "Choice", "Slot", "announce", "chosen_for", "day_begins", "enqueue", "is_holding", "lock", "managers_of",
    "moment_after", "moment_later", "named_by", "notify", "record_for", "record_of", "run_steps", "set_status",
    "slots_of", "stand_ins", "unlock", "writing",
]  # fmt: skip


@contextmanager
def writing(w: "Work", fields: Sequence[str] | None = None) -> Iterator[None]:
    """What the instance itself writes: its own lock does not hold it up, nor those of what called it."""
    instances = [one for one in dict.fromkeys((w.instance.id, w.instance.parent, w.instance.root)) if one]
    with ExitStack() as stack:
        stack.enter_context(own_writing(w, instances))
        for one in instances:
            stack.enter_context(exempted(w.connection, one, fields))
        yield


def stand_ins(w: "Work", task: "Task") -> Sequence[str]:
    """Who may act for the person of a task while they are away, now; not who submitted it."""
    found = agents_of(w.connection, [task.user], w.now, w.instance.approval, w.instance.object)
    return tuple(one for one in found.get(task.user, ()) if not w.is_barred(one, task.node))


def managers_of(w: "Work", task: "Task") -> Sequence[str]:
    """Above the person of a task, the nearest first."""
    return manager_chain(w.connection, w.ctx.snapshot, task.user) if task.user else ()


def named_by(w: "Work", parts: Sequence[Part]) -> Sequence[str]:
    """Whom approver sources name now."""
    return people_named(w.then, w.connection, parts, w.object_then, w.instance.record, w.instance.submitter)


def moment_later(w: "Work", due: datetime, since: datetime, span: Span, calendar: str) -> datetime:
    """When something is due whose clock stood still from `since` until now: in hours of work, as many of them after now
    as it was after `since`."""
    if due <= since:
        return w.now
    if span.unit.startswith("work"):
        left = worked_between(w.snapshot, since, due, calendar)
        return reckoner(w.snapshot, calendar).hours_after(w.now, left, is_back=False)
    return w.now + (due - since)


def chosen_for(w: "Work", node: Node) -> Sequence[Choice]:
    """What is to be chosen for a node, and by whom."""
    return choices_of(w.then, w.connection, node, w.object_then, w.instance.record, w.instance.submitter)


def record_of(w: "Work") -> Mapping[str, Any]:
    """The record's JSON values as the person reads it; {} where they may not."""
    try:
        return Records(w.ctx).get(w.object, w.instance.record)
    except EngineError:
        return {}


def record_for(w: "Work", task: "Task") -> Mapping[str, Any]:
    """The same for who is asked: what the node lets them see, whatever their own rights."""
    from engine.process.reading import reading_of  # it reads what runs, as all that imports this module does

    found = reading_of(w.ctx, w.connection, w.state)
    if found is not None:
        return found.record()
    hidden = w.chart.node(task.node).hidden
    return {name: value for name, value in record_of(w).items() if name not in hidden}
