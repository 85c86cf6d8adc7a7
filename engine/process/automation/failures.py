"""What kept a run from its work, as the run keeps it beside its message: a screen says it in its reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from engine.errors import BadValue, EngineError, InputProblem

__all__ = ["PROBLEMS", "kept_problems", "problems_kept"]

PROBLEMS = "failed_problems"  # among the outputs of a run
LONGEST = 4_000  # characters of JSON; above it the message alone is kept

Json = dict[str, Any]


def kept_problems(error: Exception) -> Json:
    """For a run's outputs; {} of what has its message alone, and of what says too much."""
    problems = error.problems if isinstance(error, EngineError) else ()
    if not problems and isinstance(cause := error.__cause__, BadValue):
        problems = (InputProblem("", cause.code, cause.message, values=cause.values),)
    found = [_plain(one) for one in problems]
    return {PROBLEMS: found} if found and len(orjson.dumps(found, default=str)) <= LONGEST else {}


def _plain(one: InputProblem) -> Json:
    values: Json = {}
    for name, said in one.values:
        if name == "within" and isinstance(said, tuple):
            values[name] = [_plain(each) for each in said]
        elif isinstance(said, str | int | float):
            values[name] = said
    return {"path": one.path, "code": one.code, "message": one.message, "worded": one.is_worded, "values": values}


def problems_kept(outputs: Mapping[str, Any]) -> tuple[InputProblem, ...]:
    found = outputs.get(PROBLEMS)
    return tuple(_problem(one) for one in found) if isinstance(found, Sequence) else ()


def _problem(one: Json) -> InputProblem:
    values = {
        name: tuple(_problem(each) for each in said) if name == "within" else said
        for name, said in one["values"].items()
    }  # fmt: skip
    return InputProblem(one["path"], one["code"], one["message"], values=tuple(values.items()), is_worded=one["worded"])
