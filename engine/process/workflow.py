"""Workflows: which changes of a record's state may happen, and what a change asks and brings."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.context import Context
from engine.errors import InputProblem
from engine.process.automation.book import book_of
from engine.process.automation.saving import saving_of
from engine.process.subject import Subject
from engine.rules.draft import Draft
from engine.store.database import Connection
from metadata.build.objects import RECORD_TYPE
from metadata.model import say
from metadata.moves import moves_from, transitions_between, ways_of
from metadata.processes import State, Transition, Workflow

__all__ = ["Way", "flow_of", "judge", "ways"]

LOG = logging.getLogger("fieldstone.automation")
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """How a record may get from one state to another: by a transition, or by `moves` alone. With `problems` it cannot
    as it is: what stands in the way, each at its field."""

    target: str
    transition: Transition | None
    problems: tuple[InputProblem, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that have to be filled in."""
        return tuple(one.path for one in self.problems if one.code == "workflow.required")

    @property
    def is_open(self) -> bool:
        """Whether nothing but values of the record is missing."""
        return all(one.code == "workflow.required" for one in self.problems)


def flow_of(ctx: Context, object_name: str, record: Values) -> Workflow | None:
    """The workflow of the record's type, else the one of the object."""
    book = book_of(ctx.snapshot, object_name)
    if book is None or not book.workflows:
        return None
    own = record.get(RECORD_TYPE)
    typed = next((one for one in book.workflows if own is not None and own in one.record_types), None)
    return typed or next((one for one in book.workflows if not one.record_types), None)


def judge(ctx: Context, connection: Connection, object_name: str, drafts: Sequence[Draft]) -> None:
    """Of records on their way into the table. A new one begins at the initial state. The system may set any state, as
    an import of what is elsewhere does; what hangs on entering one follows all the same."""
    book = book_of(ctx.snapshot, object_name)
    for draft in drafts if book is not None and book.workflows else ():
        flow = flow_of(ctx, object_name, draft.record)
        if flow is None or not flow.states or flow.field in draft.refused:
            continue
        first = flow.initial or flow.states[0].value
        if draft.before is None and draft.record.get(flow.field) is None:
            draft.put(flow.field, first)
        target = draft.record.get(flow.field)
        source = first if draft.before is None else draft.before.get(flow.field)
        if target == source or target is None or ctx.actor.is_system:
            if target is None and draft.before is not None and source is not None and not ctx.actor.is_system:
                draft.problems.append(no_way(ctx, flow, source, None))
            elif target == source and draft.before is None and not ctx.actor.is_system:
                draft.problems += demanded(ctx, flow, draft.record, state_of(flow, first), None)
            continue
        subject = Subject(ctx, connection, object_name, draft.record, draft.before)
        way = way_to(ctx, flow, subject, source, target)
        draft.problems += way.problems
        if way.transition is not None:
            saving_of(connection).moved[str(draft.record["id"])] = way.transition.name


def ways(ctx: Context, connection: Connection, object_name: str, record: Values) -> list[Way]:
    """Where this record may go now, in the order of the path."""
    flow = flow_of(ctx, object_name, record)
    if flow is None:
        return []
    source = record.get(flow.field)
    known = ways_of(flow)
    targets = known.get(source or "", {state.value for state in flow.states})
    subject = Subject(ctx, connection, object_name, record, record)
    found = [
        way_to(ctx, flow, subject, source, state.value) for state in flow.states if state.value in targets
    ]  # fmt: skip
    return [one for one in found if one.transition is None or not one.transition.is_automatic]


def way_to(ctx: Context, flow: Workflow, subject: Subject, source: str | None, target: str) -> Way:
    """The first way that is open, else the one with the least in its way."""
    state = state_of(flow, target)
    is_known = source is not None and any(one.value == source for one in flow.states)
    taken = transitions_between(flow, source, target) if source is not None else []
    tried = [
        Way(target, one, (*refused(ctx, subject, one), *demanded(ctx, flow, subject.record, state, one)))
        for one in taken
    ]
    # A record without a state, or in one that there is not any more, may go anywhere.
    if not is_known or target in moves_from(flow, source or ""):
        tried.append(Way(target, None, tuple(demanded(ctx, flow, subject.record, state, None))))
    if not tried:
        return Way(target, None, (no_way(ctx, flow, source, target),))
    return min(tried, key=lambda way: (not way.is_open, len(way.problems)))


def refused(ctx: Context, subject: Subject, one: Transition) -> Iterator[InputProblem]:
    values = (("transition", one.name),)
    if one.roles and not (ctx.actor.roles & set(one.roles) or ctx.actor.is_system):
        message = f"'{say(one.label, ctx.language)}' is for others: you need the role {' or '.join(one.roles)}"
        yield InputProblem("", "workflow.role", message, "ask one of them", values)
        return
    try:
        holds = subject.holds(one.when)
    except Exception:
        LOG.exception("the condition of the transition '%s' cannot be evaluated", one.name)
        message = f"the condition of '{one.name}' cannot be evaluated, so the record cannot be saved"
        yield InputProblem("", "automation.broken", message, "ask an administrator to mend it", values)
        return
    if not holds:
        said = say(one.message, ctx.told.language)
        message = subject.told(said) if said else f"'{say(one.label, ctx.language)}' is not possible for this record"
        yield InputProblem("", "workflow.guard", message, values=values, is_worded=bool(said))


def demanded(
    ctx: Context, flow: Workflow, record: Values, state: State | None, one: Transition | None
) -> Iterator[InputProblem]:  # fmt: skip
    """Fields that must have a value for this."""
    names = [*(state.required if state is not None else ()), *(one.required if one is not None else ())]
    fields = ctx.snapshot.definitions.objects[flow.object].fields
    for name in dict.fromkeys(names):
        if record.get(name) in (None, "", []) and name in fields and fields[name].is_written:
            there = say(label_of(ctx, flow, state.value), ctx.language) if state is not None else ""
            shown = say(fields[name].label, ctx.language)
            message = f"'{shown}' must have a value for '{there}'"
            quoted = (("name", name), ("state", state.value if state is not None else ""))
            yield InputProblem(name, "workflow.required", message, "give it one", quoted)


def no_way(ctx: Context, flow: Workflow, source: str | None, target: str | None) -> InputProblem:
    known = ways_of(flow).get(source or "", set())
    order = [state.value for state in flow.states if state.value in known]
    there = say(label_of(ctx, flow, target), ctx.language) if target else "blank"
    here = say(label_of(ctx, flow, source), ctx.language) if source else "blank"
    message = f"this goes not from '{here}' to '{there}'"
    fix = f"it can go to {', '.join(order)}" if order else "it is at its end"
    return InputProblem(flow.field, "workflow.move", message, fix, (("from", source or ""), ("to", target or "")))


def label_of(ctx: Context, flow: Workflow, value: str | None) -> Mapping[str, str]:
    field = ctx.snapshot.definitions.objects[flow.object].fields[flow.field]
    return next((choice.label for choice in field.choices if choice.value == value), {"en": value or ""})


def state_of(flow: Workflow, value: str) -> State | None:
    return next((state for state in flow.states if state.value == value), None)
