"""Run the actions that definitions list."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engine.context import Context
from engine.errors import EngineError, InputProblem
from engine.process.step import Doing, Occasion, Refusal, Waits
from engine.process.subject import Subject, record_of
from engine.store.database import Connection
from engine.store.failures import is_passing
from metadata.processes import Part

__all__ = ["Broken", "as_step", "carry_out", "run_steps"]

Json = dict[str, Any]
LOG = logging.getLogger("fieldstone.automation")


class Broken(EngineError):
    """A step, or a condition, that cannot be evaluated: never taken for "no"."""

    code = "automation.broken"


def run_steps(
    ctx: Context, connection: Connection, parts: Sequence[Part], object_name: str, record_id: str | None, *,
    cause: str, key: str, details: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:  # fmt: skip
    """One after the other, in the caller's transaction, as `ctx`; results by the names of the parts. `cause` is what
    the run's history shows: "approval quote_discount: approve". `key`: stable for this occasion, of which outbox ids
    are made. Raises EngineError, which undoes all of it."""
    record = record_of(ctx, connection, object_name, record_id) if record_id else None
    subject = Subject(ctx, connection, object_name, record or {}, record, body=dict(details) if details else None)
    return carry_out(subject, parts, Occasion(cause, key, name=cause))


def carry_out(subject: Subject, parts: Sequence[Part], occasion: Occasion) -> dict[str, Json]:
    """From the occasion's step on. Raises Waits where one waits: the occasion's index is that of the next step then."""
    results = occasion.results
    actions = subject.ctx.snapshot.plugins.actions
    while occasion.index < len(parts):
        part = parts[occasion.index]
        action = actions[part.kind]
        options = action.kind().given(part.options)
        doing = Doing(subject, part, options, occasion)
        with as_step(occasion, part):
            if not subject.holds(part.when):
                name_result(subject, part, options, action.about, None)
                occasion.index += 1
                continue
            found = action.run(doing, options)
        name_result(subject, part, options, action.about, doing.made)
        results[part.name or str(occasion.index)] = dict(found or {})
        occasion.index += 1
        if action.writes and occasion.index < len(parts):
            doing.refresh()
    return results


@contextmanager
def as_step(occasion: Occasion, part: Part) -> Iterator[None]:
    """What goes wrong in it is told as the step's, but where others are in the way, or a publish was: another try may
    do."""
    try:
        yield
    except Waits:
        occasion.index += 1
        raise
    except EngineError as error:
        raise told(occasion, part, error) from error
    except Exception as error:
        if is_passing(error):
            raise
        raise broken(occasion, part, error) from error


def told(occasion: Occasion, part: Part, error: EngineError) -> EngineError:
    """Which automation it was. What it set of the record itself, and what it refuses, stands where it stands. `within`
    are the problems themselves: screens say these, and the automation's label, in the language of who reads."""
    if occasion.draft is not None or isinstance(error, Refusal) or not occasion.name:
        return error
    message = f"'{occasion.name}' could not {part.kind}: {error}"
    if part.kind in ("set", "assign") and error.problems:
        problems = [
            replace(
                one, message=f"'{occasion.name}': {one.message}",
                values=(*one.values, ("automation", occasion.name), ("within", (one,))),
            )
            for one in error.problems
        ]  # fmt: skip
    else:
        within = error.problems or (InputProblem("", error.code, str(error), error.fix),)
        values = (("automation", occasion.name), ("reason", str(error)), ("within", within))
        problems = [InputProblem("", "automation.step", message, error.fix, values)]
    try:
        return type(error)(message, code=error.code, fix=error.fix, problems=problems)
    except TypeError:  # of another shape
        return error


def name_result(
    subject: Subject, part: Part, options: Mapping[str, Any], option: str, made: tuple[str, str] | None
) -> None:  # fmt: skip
    """What later steps read by the step's name: blank where it made or found no record."""
    if part.name and option and options.get(option):
        subject.results[part.name] = made or (str(options[option]), "")


def broken(occasion: Occasion, part: Part, error: Exception) -> Broken:
    LOG.exception("%s: step %d, '%s', cannot be carried out", occasion.cause, occasion.index + 1, part.kind)
    message = f"step {occasion.index + 1} of '{occasion.name}', '{part.kind}', cannot be carried out: {error}"
    return Broken(message[:500], fix="ask an administrator to mend it")
