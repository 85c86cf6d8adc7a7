"""What carries out a job, by its kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.context import Context
from engine.errors import EngineError
from engine.store.database import Connection

if TYPE_CHECKING:
    from engine.api.site import Site

__all__ = ["INSIDE", "OUTSIDE", "GivenUp", "Job", "inside", "outside"]


class GivenUp(EngineError):
    """Raised by a handler: no later try would succeed, so the job is parked at once."""

    code = "job.given_up"
    may_succeed_later = False


@dataclass(frozen=True, slots=True)
class Job:
    """One try of a job. `id` stays the same from try to try: receivers tell by it what they have had."""

    id: str
    kind: str
    payload: Mapping[str, Any]
    due_at: datetime
    tries: int  # this one included
    now: datetime
    ctx: Context  # as the system, on the version that runs
    site: "Site"  # settings, mailer, outbound client
    by: str = ""  # the id of the user whose transaction left it


Inside = Callable[[Job, Connection], None]
"""Writes to the database only, in the transaction that also marks the job as done: once, whatever is killed when."""
Outside = Callable[[Job], Callable[[Connection], None] | None]
"""Has an effect elsewhere, outside any transaction: at least once. What it returns runs in the transaction that marks
the job as done. Whatever it raises, the job is tried again later, unless the error has a `may_succeed_later` that is
false, as GivenUp has."""

INSIDE: dict[str, Inside] = {}
OUTSIDE: dict[str, Outside] = {}


def inside(kind: str) -> Callable[[Inside], Inside]:
    def add(handler: Inside) -> Inside:
        INSIDE[kind] = handler
        return handler

    return add


def outside(kind: str) -> Callable[[Outside], Outside]:
    def add(handler: Outside) -> Outside:
        OUTSIDE[kind] = handler
        return handler

    return add
