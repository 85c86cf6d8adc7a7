"""Edit what an approval keeps as it is: for administrators of processes, who say why."""

from dataclasses import replace
from typing import Any

from engine.api.operations import LONGEST_REASON
from engine.errors import BadInput, EngineError, Forbidden, InputProblem
from engine.process.locks import LockInfo, locked_by
from metadata.model import Object
from metadata.processes import ADMIN_PERMISSION
from ui.visit import Visit

__all__ = ["anyway_at", "anyway_view", "is_anyway", "lock_text", "with_reason"]

REASON = "_override"  # of the form: why
ANYWAY = "anyway"  # of the address


def lock_text(visit: Visit, lock: LockInfo) -> str:
    """Which approval keeps the record as it is, and since when."""
    when = visit.formats.datetime(lock.since)
    return visit.say("Locked: {approval} runs since {when}.", approval=lock.label or lock.approval, when=when)


def anyway_at(visit: Visit, address: str) -> str:
    """Where a locked record is edited all the same; "" for who may not."""
    return f"{address}/edit?{ANYWAY}=1" if visit.ctx.scope.has(ADMIN_PERMISSION) else ""


def is_anyway(visit: Visit) -> bool:
    return REASON in visit.form or bool(visit.request.query_params.get(ANYWAY))


def anyway_view(
    visit: Visit, definition: Object, record_id: str, refusal: EngineError | None
) -> dict[str, Any] | None:  # fmt: skip
    """What the form asks besides; None where nothing keeps the record as it is, or the person may not."""
    if not record_id or not is_anyway(visit) or not visit.ctx.scope.has(ADMIN_PERMISSION):
        return None
    lock = locked_by(visit.ctx, definition.name, [record_id]).get(record_id)
    if lock is None:
        return None
    error = ""
    if refusal is not None and refusal.code == "override.reason":
        error = visit.say("Say why, in at most {max} characters.", max=LONGEST_REASON)
    return {
        "text": lock_text(visit, lock), "name": REASON, "value": visit.sent(REASON), "error": error,
        "most": LONGEST_REASON,
    }  # fmt: skip


def with_reason(visit: Visit) -> None:
    """From here on the person writes what is locked, for the reason that was sent. Raises Forbidden, and BadInput
    without one. Nothing where the form did not ask."""
    if REASON not in visit.form:
        return
    if not visit.ctx.scope.has(ADMIN_PERMISSION):
        raise Forbidden("you may not write what an approval locks", code="override.forbidden",
                        fix="ask an administrator of processes")  # fmt: skip
    reason = " ".join(visit.sent(REASON).split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        message = f"a reason of 1 to {LONGEST_REASON} characters is needed"
        problem = InputProblem(REASON, "override.reason", message, "say why", (("max", LONGEST_REASON),))
        raise BadInput(message, code=problem.code, fix=problem.fix, problems=[problem])
    visit.ctx = replace(visit.ctx, override=reason)
