"""The record that an approval is about: kept as it is, its status, what was sent, and what approvers change of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import BadInput, EngineError, InputProblem
from engine.process import proposals, snapshots
from engine.process.approval import ports
from engine.process.approval.work import Work
from engine.process.reading import hidden_now
from engine.rules.told import neutral
from engine.service_writes import update_in
from engine.store import rows
from engine.store.lasting import name_now
from metadata.model import Field
from metadata.processes import APPROVAL_STATUS, Node

__all__ = ["edit", "free", "hold", "keep", "need_values", "now_called", "sent_now", "set_status", "values_now"]


def hold(w: Work, by: Context | None = None) -> None:
    """`by`: who submitted it, unless it is who acts."""
    if w.approval.lock == "record" and w.proposal is None:
        exempt = now_called(w, w.approval.lock_exempt)
        ports.lock(
            by or w.as_actor, w.connection, w.object, w.instance.record, w.instance.id, exempt, approval=w.approval.name
        )


def free(w: Work) -> None:
    ports.unlock(w.as_actor, w.connection, w.instance.id)


def set_status(w: Work, status: str) -> None:
    if w.proposal is not None:
        return
    with ports.writing(w):
        ports.set_status(w.as_actor, w.connection, w.object, w.instance.record, status)


def keep(w: Work, task: str = "", node: str = "") -> None:
    """What the record is with the event that was made last, or would be."""
    if w.proposal is not None:
        snapshots.keep(
            w.as_actor, w.connection, w.instance.id, w.instance.seq, w.object, w.instance.record,
            w.proposal.draft["shown"], 0, task=task, node=node,
        )  # fmt: skip
        return
    snapshots.take(
        w.as_actor, w.connection, w.instance.id, w.instance.seq, w.object, w.instance.record, task=task, node=node
    )


def now_called(w: Work, names: Sequence[str]) -> list[str]:
    """Fields of the instance's version by the names that they have now; those that are there no more are left out."""
    if w.snapshot.version == w.ctx.snapshot.version:
        return list(names)
    found = (name_now(w.snapshot, w.object_then, w.ctx.snapshot, w.object, name) for name in names)
    return [name for name in found if name]


def values_now(w: Work, names: Sequence[str]) -> dict[str, Any]:
    """Stored Python values of fields that have a column, as they are called now."""
    if w.proposal is not None:
        held = proposals.stored_of(w.ctx.snapshot, w.object, w.proposal.draft["stored"])
        return {name: held[name] for name in names if name in held}
    table = w.ctx.snapshot.physical.table(w.object)
    columns = [table.c[name] for name in names if name in table.c]
    if not columns:
        return {}
    found = w.connection.sa.execute(sa.select(*columns).where(table.c.id == w.instance.record)).first()
    return dict(zip([column.key for column in columns], found, strict=True)) if found else {}


def sent_now(w: Work) -> dict[str, Any]:
    """Column -> JSON value of all that the record holds: kept with a submission, to tell later what has changed."""
    fields = w.ctx.snapshot.definitions.objects[w.object].fields
    names = [
        name for name, one in fields.items() if one.is_stored and name != APPROVAL_STATUS and not is_secret(w, one)
    ]
    columns = w.ctx.snapshot.physical.names.columns[w.object]
    if w.proposal is not None:
        stored = w.proposal.draft["stored"]
        return {columns[name]: stored[columns[name]] for name in names if stored.get(columns[name]) is not None}
    current = rows.current(w.system, w.connection, w.object, w.instance.record, "read")
    known = current.record() if current is not None else {}
    return {columns[name]: known[name] for name in names if known.get(name) is not None}


def is_secret(w: Work, one: Field) -> bool:
    return bool(w.ctx.snapshot.plugins.fields[one.type].is_secret)


def edit(w: Work, node: Node, values: Mapping[str, Any]) -> set[str]:
    """What an approver changes: the node allows it, whatever rights the person has otherwise. The fields that hold
    something else since."""
    if not values:
        return set()
    allowed = now_called(w, node.editable)
    wrong = [name for name in values if name not in allowed]
    if wrong:
        raise BadInput(
            f"'{wrong[0]}' may not be changed here", code="approval.not_editable",
            problems=[InputProblem(f"values.{one}", "approval.not_editable", f"'{one}' may not be changed here",
                                   values=(("field", one),)) for one in wrong],
        )  # fmt: skip
    before = values_now(w, list(values))
    with through_step(w, node):
        if w.proposal is not None:
            proposals.edit(w, w.proposal, values)
        else:
            ctx = replace(
                w.system, actor=w.ctx.actor, language=w.ctx.language, time_zone=w.ctx.time_zone, reader=w.ctx.told
            )  # fmt: skip
            with ports.writing(w, allowed):
                update_in(ctx, w.connection, w.object, w.instance.record, values, None)
    now = values_now(w, list(values))
    return {name for name in now if now[name] != before.get(name)}


@contextmanager
def through_step(w: Work, node: Node) -> Iterator[None]:
    """What is refused in here says nothing of what the step hides."""
    try:
        yield
    except EngineError as error:
        hidden = hidden_now(w.ctx, w.instance.version, w.instance.object, node.hidden)
        problems = list(dict.fromkeys(
            neutral(w.object, one) if is_within(one.path, hidden) else one for one in error.problems
        ))  # fmt: skip
        if problems == list(error.problems):
            raise
        first = problems[0]
        raise type(error)(first.message, code=first.code, fix=first.fix, problems=problems) from None


def is_within(path: str, hidden: Collection[str]) -> bool:
    """Whether a path such as items.0.cost leads to what is hidden, such as items, or items.cost."""
    steps = [step for step in path.split(".") if not step.isdecimal()]
    return any(".".join(steps[:count]) in hidden for count in range(1, len(steps) + 1))


def need_values(w: Work, node: Node) -> None:
    """Raises BadInput, a problem for each field that must have a value when the node is approved."""
    wanted = now_called(w, node.required)
    values = values_now(w, wanted)
    missing = [name for name in wanted if name in values and values[name] in (None, "", [], ())]
    if missing:
        raise BadInput(
            f"'{missing[0]}' must have a value", code="approval.required",
            fix="send it in values" if missing[0] in node.editable else "ask who may write it",
            problems=[InputProblem(f"values.{one}", "value.required", f"'{one}' must have a value") for one in missing],
        )  # fmt: skip
