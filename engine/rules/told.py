"""What a refusal tells whom: nothing of fields that do not exist for the person who is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from engine.context import Context
from engine.errors import EngineError, InputProblem

__all__ = ["as_told", "error_told"]

CODE = "record.refused"


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
    """The same error, unless a problem of it stands at a hidden field that the person did not name."""
    if not any(is_told_of(ctx, object_name, problem) for problem in error.problems):
        return error
    problems = list(
        dict.fromkeys(neutral(object_name, one) if is_told_of(ctx, object_name, one) else one for one in error.problems)
    )
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return type(error)(f"{first.message}{more}", code=first.code, fix=first.fix, problems=problems)


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
