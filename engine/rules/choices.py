"""Choices that depend on the record's type or on another choice. Reads no record but the one at hand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.context import Context
from engine.errors import InputProblem
from engine.rules.conditions import Choosing, Rulebook
from engine.rules.draft import Draft
from metadata.build.objects import RECORD_TYPE

__all__ = ["judge", "leave_out", "offered"]

SHOWN = 20


def offered(choosing: Choosing, record: Mapping[str, Any]) -> list[str]:
    """The choices of a field that this record may have, in order; none that is retired."""
    living = (choice.value for choice in choosing.field.choices if not choice.is_retired)
    return [one for one in living if fits(choosing, record, one)]


def fits(choosing: Choosing, record: Mapping[str, Any], value: str) -> bool:
    return by_type(choosing, record, value) and by_governor(choosing, record, value)


def by_type(choosing: Choosing, record: Mapping[str, Any], value: str) -> bool:
    allowed = choosing.by_type.get(record.get(RECORD_TYPE) or "")
    return allowed is None or value in allowed


def by_governor(choosing: Choosing, record: Mapping[str, Any], value: str) -> bool:
    wanted = choosing.only_for.get(value)
    return wanted is None or any(one in wanted for one in values_in(record.get(choosing.governor)))


def values_in(value: Any) -> Sequence[str]:
    return () if value is None else (value,) if isinstance(value, str) else value


def leave_out(book: Rulebook, drafts: Sequence[Draft]) -> None:
    """A default that a new record may not have is no default: the first that it may have, if there must be one."""
    for choosing in book.choosing:
        name = choosing.field.name
        for draft in drafts:
            held = values_in(draft.record[name])
            if name in draft.sent or all(fits(choosing, draft.record, one) for one in held):
                continue
            instead = offered(choosing, draft.record) if choosing.field.is_required else []
            is_list = not isinstance(draft.record[name], str)
            draft.put(name, (instead[:1] if is_list else instead[0]) if instead else None)


def judge(ctx: Context, book: Rulebook, draft: Draft) -> Iterator[InputProblem]:
    """What stood there before may stay as long as nothing that it depends on changes."""
    refused = draft.refused
    for choosing in book.choosing:
        name = choosing.field.name
        governors = [one for one in (RECORD_TYPE if choosing.by_type else "", choosing.governor) if one]
        if name in refused or draft.record[name] is None or not any(map(draft.changes, (name, *governors))):
            continue
        for one in values_in(draft.record[name]):
            problem = _problem(ctx, book.object, choosing, draft.record, one, refused)
            if problem is not None:
                yield problem
                break


def _problem(
    ctx: Context, of_object: str, choosing: Choosing, record: Mapping[str, Any], value: str, refused: frozenset[str]
) -> InputProblem | None:  # fmt: skip
    name = choosing.field.name
    if RECORD_TYPE not in refused and not by_type(choosing, record, value):
        code, of = "value.choice.record_type", f"records of the type '{record[RECORD_TYPE]}'"
    elif choosing.governor not in refused and not by_governor(choosing, record, value):
        governing = " and ".join(f"'{one}'" for one in values_in(record.get(choosing.governor))) or "blank"
        code, of = "value.choice.dependent", f"'{choosing.governor}' being {governing}"
    else:
        return None
    if not is_seen(ctx.told, of_object, RECORD_TYPE if code == "value.choice.record_type" else choosing.governor):
        message = f"'{name}': '{value}' is no choice here"
        return InputProblem(name, code, message, "choose another", (("value", value), ("choices", "")))
    left = offered(choosing, record)
    shown = ", ".join(left[:SHOWN]) + (f" and {len(left) - SHOWN} more" if len(left) > SHOWN else "")
    message = f"'{name}': '{value}' is no choice with {of}"
    if code == "value.choice.record_type":
        message = f"'{name}': '{value}' is no choice of {of}"
    fix = f"write one of {shown}" if left else "leave it blank"
    return InputProblem(name, code, message, fix, (("value", value), ("choices", shown)))


def is_seen(ctx: Context, object_name: str, governor: str) -> bool:
    """Whether the person sees what decides about the choices: which there are tells it."""
    if not ctx.scope.can("read", object_name):
        return True
    field = ctx.scope.readable(object_name).get(governor)
    return field is not None and not field.is_masked
