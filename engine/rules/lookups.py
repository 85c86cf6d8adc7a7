"""Filters of references: which records a reference may lead to, asked of the record that it leads to."""

from collections.abc import Iterator

from engine.context import Context
from engine.errors import InputProblem
from engine.rules.conditions import Rulebook, broken
from engine.rules.draft import Draft
from engine.rules.reach import Behind, Reach, ids_in
from metadata.model import say

__all__ = ["judge"]


def judge(ctx: Context, book: Rulebook, draft: Draft, reach: Reach) -> Iterator[InputProblem]:
    """Only where the reference changes, or what its filter reads of the record: an old one may stay."""
    for one in book.filters:
        name = one.field.name
        if draft.record[name] is None or (one.reads | {name}) & draft.refused:
            continue
        if not draft.changes(name) and not any(draft.changes(other) for other in one.reads if other in draft.record):
            continue
        try:
            view = reach.view(draft.record)
            passes = all(
                one.condition.holds(reach.here, Behind(view, name, target), None)
                for target in ids_in(draft.record[name])
            )
        except Exception:
            yield broken(ctx, book, one.condition, name)
            continue
        if not passes:
            label = say(one.field.label, ctx.language) or name
            message = f"'{name}': this record cannot be chosen here"
            yield InputProblem(name, "reference.filter", message, "choose another", (("name", name), ("label", label)))
