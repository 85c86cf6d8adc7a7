"""What a refusal tells whom: nothing of fields that do not exist for the person who is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engine.context import Context
from engine.errors import EngineError, InputProblem

__all__ = ["as_told", "error_told", "is_hidden", "is_known", "neutral"]

CODE = "record.refused"
WITHIN = "within"  # the value that holds the problems which a step of an automation met


@contextmanager
def as_told(ctx: Context, object_name: str) -> Iterator[None]:
    """Refusals in here, in words that name no hidden field."""
    try:
        yield
    except EngineError as error:
        told = error_told(ctx, object_name, error)
        if told is error:
            raise
        raise told from None
    finally:
        ctx.warnings[:] = [one for one in ctx.warnings if not is_hidden(ctx, object_name, one.path)]


def error_told(ctx: Context, object_name: str, error: EngineError) -> EngineError:
    """The same error, unless a problem of it stands at a hidden field that the person did not name, or a step of an
    automation met it at what they may not see."""
    hidden = {
        one.message for one in error.problems if one.code == "value.unique" and is_told_of(ctx, object_name, one)
    }  # which names all fields that are unique together
    told = [
        neutral(object_name, one) if one.message in hidden else problem_told(ctx, object_name, one)
        for one in error.problems
    ]
    if all(one is before for one, before in zip(told, error.problems, strict=True)):
        return error
    problems = list(dict.fromkeys(told))
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return type(error)(f"{first.message}{more}", code=first.code, fix=first.fix, problems=problems)


def problem_told(ctx: Context, object_name: str, problem: InputProblem) -> InputProblem:
    if is_told_of(ctx, object_name, problem):
        return neutral(object_name, problem)
    values = dict(problem.values)
    before: Any = values.get(WITHIN, ())
    within = tuple(of_step(ctx, object_name, one) for one in before)
    if within == before:
        return problem
    reason = " ".join(dict.fromkeys(one.message for one in within))
    said = str(values.get("reason", before[0].message))
    message = problem.message.replace(said, reason) if said in problem.message else reason
    values |= {WITHIN: within, **({"reason": reason} if "reason" in values else {})}
    return replace(problem, message=message, fix=within[0].fix, values=tuple(values.items()))


def of_step(ctx: Context, object_name: str, problem: InputProblem) -> InputProblem:
    """Of what a step met: at records of `object` among the values, else at the record itself."""
    there = str(dict(problem.values).get("object", object_name))
    if there != object_name and not is_known(ctx, there):
        return neutral("record", problem)
    return problem_told(ctx, there, problem)


def is_known(ctx: Context, object_name: str) -> bool:
    """Whether there is such an object for the person."""
    return ctx.scope.can("read", object_name) or ctx.scope.can("create", object_name)


def is_told_of(ctx: Context, object_name: str, problem: InputProblem) -> bool:
    return problem.code != "field.unknown" and is_hidden(ctx, object_name, problem.path)


def is_hidden(ctx: Context, object_name: str, path: str) -> bool:
    """Whether a path of a problem, such as operations.3.values.lines.0.cost, leads to what the person may not know."""
    objects = ctx.snapshot.definitions.objects
    here = object_name
    for step in path.split("."):
        field = objects[here].fields.get(step) if here in objects else None
        if field is None:
            if step == "owner" and here in objects and ctx.scope.can("read", here):
                return step not in ctx.scope.readable(here)
            continue
        if ctx.scope.can("read", here) and step not in ctx.scope.readable(here):
            return True
        if field.is_list_of_records:
            here = field.of
    return False


def neutral(object_name: str, problem: InputProblem) -> InputProblem:
    message = f"this {object_name} cannot be saved like this: what you may not see does not allow it"
    return replace(
        problem, path="", code=CODE, message=message, fix="ask an administrator", values=(), candidates=(),
        is_worded=False,
    )  # fmt: skip
