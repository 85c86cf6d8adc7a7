"""Writes that cannot wait for an approval: of lines within their record, of merges, and of the system itself.

A person's is refused where an approval would come before it; the system's is made, and the audit log tells.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from engine.access.scope import full_scope
from engine.audit.log import note
from engine.context import Context
from engine.errors import Conflict, InputProblem
from engine.process import requests
from engine.process.subject import Subject
from engine.store.database import Connection
from engine.store.system_approvals import approval
from metadata.model import say
from metadata.processes import Approval

__all__ = ["by_system", "tell_gone", "tell_new", "tell_reckoned", "watched"]

Hit = tuple[str, Approval]  # (record, the approval that would come before it)


def watched(
    ctx: Context, connection: Connection, object_name: str, ids: Sequence[str], action: str
) -> AbstractContextManager[None]:  # fmt: skip
    """Around the statements that change (`update`) or remove (`delete`) these records. Raises Conflict."""
    approvals = requests.approvals_of(ctx, object_name, action)
    left = _uncovered(ctx, connection, ids) if approvals else ()
    return _watched(ctx, connection, approvals, left) if left else nullcontext()


@contextmanager
def _watched(
    ctx: Context, connection: Connection, approvals: Sequence[Approval], ids: Sequence[str]
) -> Iterator[None]:  # fmt: skip
    from engine.process.approval.conditions import holds  # it reads records, whose writing asks here

    see_all = replace(ctx, scope=full_scope(ctx.snapshot))

    def does(one: Approval, record: str, text: str) -> bool:
        return holds(see_all, connection, one.object, record, text)

    pairs = [(record, one) for record in ids for one in approvals]
    hits = [(record, one) for record, one in pairs if one.trigger == "delete" and does(one, record, one.when)]
    before = {(record, one.name) for record, one in pairs if one.trigger_if and does(one, record, one.trigger_if)}
    _tell(ctx, connection, hits if not ctx.actor.is_system else ())
    yield
    hits += [
        (record, one) for record, one in pairs
        if one.trigger == "update" and (record, one.name) not in before and does(one, record, one.trigger_if)
        and does(one, record, one.when)
    ]  # fmt: skip
    _tell(ctx, connection, hits)


def tell_gone(ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]) -> None:
    """The same of records that another one is about to take into the trash."""
    _tell_fitting(ctx, connection, object_name, ids, "delete")


def tell_reckoned(
    ctx: Context, connection: Connection, object_name: str, held: Mapping[str, Any], before: Mapping[str, Any]
) -> None:  # fmt: skip
    """The same of a record of which others have changed what is worked out, with what it holds and held."""
    approvals = requests.approvals_of(ctx, object_name, "update")
    if not approvals or not _uncovered(ctx, connection, [str(held["id"])]):
        return
    from engine.process.approval.conditions import holds  # it reads records, whose writing asks here

    see_all = replace(ctx, scope=full_scope(ctx.snapshot))
    subject, record = Subject(see_all, connection, object_name, held, before), str(held["id"])
    _tell(ctx, connection, [
        (record, one) for one in approvals
        if not (one.trigger_if and subject.held_before(one.trigger_if)) and subject.holds(one.trigger_if)
        and holds(see_all, connection, object_name, record, one.when)
    ])  # fmt: skip


def by_system(
    ctx: Context, connection: Connection, object_name: str, record_id: str, action: str
) -> AbstractContextManager[None]:  # fmt: skip
    """The same where nobody is there to be asked in whose name: others were asked, or did not have to be."""
    return watched(ctx, connection, object_name, [record_id], action) if ctx.actor.is_system else nullcontext()


def tell_new(ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]) -> None:
    """The same of records that were written a moment ago."""
    _tell_fitting(ctx, connection, object_name, ids, "create")


def _tell_fitting(ctx: Context, connection: Connection, object_name: str, ids: Sequence[str], action: str) -> None:
    approvals = requests.approvals_of(ctx, object_name, action)
    left = _uncovered(ctx, connection, ids) if approvals else ()
    if not left:
        return
    from engine.process.approval.conditions import holds  # it reads records, whose writing asks here

    see_all = replace(ctx, scope=full_scope(ctx.snapshot))
    _tell(ctx, connection, [(record, one) for record in left for one in approvals
                            if holds(see_all, connection, object_name, record, one.when)])  # fmt: skip


def _uncovered(ctx: Context, connection: Connection, ids: Sequence[str]) -> Sequence[str]:
    """Those that no approval writes that was asked: its author what was asked for, with lines; its steps its record."""
    instances = {one.instance for one in connection.exempt if one.instance}
    if not instances:
        return ids
    if not ctx.actor.is_system:
        return ()
    own = set(connection.sa.scalars(sa.select(approval.c.record).where(approval.c.id.in_(instances))))
    return [one for one in ids if one not in own]


def _tell(ctx: Context, connection: Connection, hits: Sequence[Hit]) -> None:
    if not hits:
        return
    if not ctx.actor.is_system:
        _, one = hits[0]
        label = say(one.label, ctx.language) or one.name
        message = f"'{label}' comes before this change, which cannot wait for it here"
        fix = "change the record by itself first"
        raise Conflict(message, code="approval.unasked", fix=fix, problems=[
            InputProblem("", "approval.unasked", message, fix, (("approval", label),))
        ])  # fmt: skip
    told: dict[str, Hit] = {}
    for record, one in hits:
        told.setdefault(record, (record, one))
    for record, one in told.values():
        note(
            connection, "approval.unasked", actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name=one.object,
            record=record, details={"approval": one.name, "action": one.trigger},
        )  # fmt: skip
