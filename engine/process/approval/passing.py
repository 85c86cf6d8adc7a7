"""What waits for its submitter, who has left: it goes to somebody who may change the record."""

from collections.abc import Sequence

from engine.errors import NotFound
from engine.people.chain import manager_chain
from engine.people.standing import standing_of
from engine.process.approval.work import Work
from engine.process.asked import active_among
from engine.process.subject import record_of
from engine.store import rows

__all__ = ["has_left", "heirs", "may_take", "pass_on"]


def has_left(w: Work) -> bool:
    submitter = w.instance.submitter
    return bool(submitter) and not active_among(w.ctx, w.connection, [submitter]).get(submitter)


def heirs(w: Work) -> Sequence[str]:
    """Who may take it: the owner of the record, then the submitter's managers, the nearest first."""
    record = record_of(w.system, w.connection, w.object, w.instance.record) if w.proposal is None else None
    owner = str(record["owner"] or "") if record is not None else ""
    return [*([owner] if owner else []), *manager_chain(w.connection, w.ctx.snapshot, w.instance.submitter)]


def pass_on(w: Work, people: Sequence[str]) -> str:
    """The first of them who may take it is the submitter since, and may not decide it; "" where nobody may."""
    taker = next((one for one in dict.fromkeys(people) if one != w.instance.submitter and may_take(w, one)), "")
    if taker:
        w.set_instance("pass_on", submitter=taker)
        for known in ("as_submitter", "as_submitter_now"):
            w.__dict__.pop(known, None)
    return taker


def may_take(w: Work, user: str) -> bool:
    """Active, and with the right to change the record, or to make the one that is proposed."""
    try:
        standing = standing_of(w.ctx, user)
    except NotFound:
        return False
    if not standing.is_active or w.proposal is not None:
        return standing.is_active and standing.context.scope.can("create", w.object)
    if not standing.context.scope.can("update", w.object):
        return False
    found = rows.current(standing.context, w.connection, w.object, w.instance.record, "update")
    return found is not None and found.is_allowed
