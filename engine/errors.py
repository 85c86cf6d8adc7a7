"""What can be refused, and why: a small family built from values. HTTP statuses stand in engine/api/errors.py."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "BadInput", "BadValue", "Busy", "Candidate", "Conflict", "EngineError", "Forbidden", "InputProblem", "InputWarning",
    "Locked", "NeedsConfirmation", "NotFound", "Stale", "Unauthenticated", "bad_at",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another record that is pointed out to somebody who may see it."""

    object: str
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class InputProblem:
    """One thing wrong with what was sent. `path` is a field name, or "operations.3.values.amount"; "" is the whole."""

    path: str
    code: str  # "value.required"
    message: str  # English; `code` and `values` are what a screen translates from
    fix: str = ""
    values: tuple[tuple[str, object], ...] = ()  # what the message quotes: (("max", 80),)
    candidates: tuple[Candidate, ...] = ()
    is_worded: bool = False  # the message is the definition's own, in the person's language: a screen shows it as it is


@dataclass(frozen=True, slots=True)
class InputWarning:
    """What speaks against saving a record, but does not stop who wants it all the same. As of an InputProblem."""

    path: str
    code: str
    message: str
    values: tuple[tuple[str, object], ...] = ()
    candidates: tuple[Candidate, ...] = ()
    is_worded: bool = False
    record: str = ""  # the id of the record that is written


class EngineError(Exception):
    """Base of all refusals. `code` is stable; the message says what, where and how to mend it."""

    code = "error"

    def __init__(self, message: str, *, code: str = "", fix: str = "", problems: Sequence[InputProblem] = ()) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.fix = fix
        self.problems = tuple(problems)


class BadInput(EngineError):
    """The request cannot be understood or breaks a rule; `problems` says where."""

    code = "input.bad"


def bad_at(path: str, code: str, message: str, fix: str = "") -> BadInput:
    """Of one thing that is wrong, and its place."""
    return BadInput(message, code=code, fix=fix, problems=[InputProblem(path, code, message, fix)])


class Unauthenticated(EngineError):
    code = "auth.required"


class Forbidden(EngineError):
    """The person may not do this. Never raised where it would tell that something hidden exists: that is NotFound."""

    code = "forbidden"


class NotFound(EngineError):
    code = "not_found"


class Conflict(EngineError):
    """It would break a uniqueness or a reference, or the same key was used for another request."""

    code = "conflict"


class Locked(Conflict):
    """The record stays as it is while an approval of it runs."""

    code = "record.locked"


class NeedsConfirmation(EngineError):
    """Nothing is wrong, but there are warnings, and whoever writes wanted to be asked first: nothing was written."""

    code = "confirm"

    def __init__(self, warnings: Sequence[InputWarning]) -> None:
        super().__init__(warnings[0].message, fix="save it again and confirm")
        self.warnings = tuple(warnings)


class Stale(EngineError):
    """The record has changed since it was read (If-Match)."""

    code = "record.stale"


class Busy(EngineError):
    """Others hold the database; the same request may do in a moment."""

    code = "busy"


class WrongTenant(RuntimeError):
    """SQL for one tenant on a connection that is bound to another: a fault of ours, never of who asks."""


class BadValue(ValueError):
    """A field type's refusal of one value; the record service turns it into an InputProblem."""

    def __init__(self, code: str, message: str, fix: str = "", **values: object) -> None:
        super().__init__(message)
        self.code, self.message, self.fix, self.values = code, message, fix, tuple(values.items())
