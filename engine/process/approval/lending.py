"""What an approval called about its own record may lie with who submitted it, to be mended: who called it, at every
depth, does not keep the record either for as long."""

from collections.abc import Iterator
from dataclasses import replace

import sqlalchemy as sa

from engine.process.approval import kept, ports, record
from engine.process.approval.work import MACHINE, Said, Work, chart_at
from engine.store.system_approvals import approval

__all__ = ["lend", "take_back", "work_of"]


def lend(w: Work) -> None:
    """It was returned to who submitted it."""
    for one in callers(w):
        record.free(one)


def take_back(w: Work, *, itself: bool = False) -> None:
    """It lies with them no more; `itself`: or what it called does not. Nothing where another one of the whole does."""
    if not (itself or w.instance.parent):
        return
    c = approval.c
    lent = (c.root == w.instance.root, c.record == w.instance.record, c.state == "RETURNED", c.id != w.instance.id)
    if w.connection.sa.scalar(sa.select(c.id).where(*lent).limit(1)) is not None:
        return
    for one in (w, *callers(w)) if itself else callers(w):
        if one.instance.state in ("RUNNING", "SUSPENDED") and not ports.is_holding(w.connection, one.instance.id):
            by = replace(one.as_actor.actor, id=one.instance.submitter)
            record.hold(one, replace(one.as_actor, actor=by))


def callers(w: Work) -> Iterator[Work]:
    """Who called it about the same record, who called those, and so on."""
    parent = w.instance.parent
    while parent:
        instance = kept.instance_of(w.connection, parent)
        if instance is None or instance.record != w.instance.record or instance.ended_at is not None:
            return
        one = work_of(w, parent)
        assert one is not None
        yield one
        parent = instance.parent


def work_of(w: Work, instance: str, action: str = "") -> Work | None:
    """Another instance, on the same connection; None where there is none."""
    state = kept.load(w.connection, instance)
    if state is None:
        return None
    snapshot = w.ctx.snapshot
    if snapshot.version != state.instance.version:
        snapshot = w.ctx.tenant.at(state.instance.version)
    chart = chart_at(snapshot, state.instance.approval)
    return Work(w.ctx, w.connection, state, chart, snapshot, Said(action), MACHINE)
