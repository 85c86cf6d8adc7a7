"""How approvals refuse: one place for codes and words."""

from engine.errors import BadInput, Conflict, Forbidden, InputProblem, NotFound
from metadata.processes import Node

__all__ = ["bad", "key_used", "no_choice", "no_such", "not_yours", "state_refused", "task_refused"]

STATES = {
    "RUNNING": "runs", "RETURNED": "was returned to who submitted it", "SUSPENDED": "is suspended",
    "APPROVED": "is approved", "REJECTED": "is rejected", "WITHDRAWN": "was withdrawn", "CANCELLED": "was cancelled",
}  # fmt: skip


def no_such(what: str) -> NotFound:
    """The same for what is not there and for what is somebody else's."""
    return NotFound(f"there is no such {what}", code=f"{what}.unknown")


def not_yours(message: str = "this task is somebody else's") -> Forbidden:
    return Forbidden(message, code="approval.not_yours", fix="ask who has the task")


def state_refused(action: str, state: str) -> Conflict:
    message = f"'{action}' is not possible: the approval {STATES.get(state, state)}"
    return Conflict(message, code="approval.state", fix="look at it again")


def task_refused(state: str) -> Conflict:
    if state == "WAITING":
        return Conflict("it is not this task's turn yet", code="approval.task_waiting", fix="wait for those before it")
    return Conflict("this task is no longer open", code="approval.task_closed", fix="look at the approval again")


def key_used() -> Conflict:
    return Conflict("this key stands for another action", code="approval.key", fix="send a new key")


def no_choice(node: Node) -> BadInput:
    label = node.label.get("en") or node.name
    return bad("approval.choose", f"who is asked at '{label}' is to be chosen", f"chosen.{node.name}", "say whom")


def bad(code: str, message: str, path: str = "", fix: str = "") -> BadInput:
    return BadInput(message, code=code, fix=fix, problems=[InputProblem(path, code, message, fix)])
