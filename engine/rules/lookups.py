"""Filters of references: which records a reference may lead to, asked of the record that it leads to."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from engine.context import Context
from engine.errors import BadValue, InputProblem
from engine.rules.conditions import Rulebook, broken, rulebook_of
from engine.rules.draft import Draft
from engine.rules.reach import Behind, Reach, ids_in
from engine.rules.reading import needs_of
from engine.rules.references import missing_targets
from engine.rules.values import rules_of
from engine.store import rows
from engine.store.database import Connection
from metadata.formula import Node, bound
from metadata.model import say

__all__ = ["judge", "rule_of"]


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


def rule_of(
    ctx: Context, connection: Connection, object_name: str, name: str, values: Mapping[str, object]
) -> Node | None:  # fmt: skip
    """Which records a reference may lead to while its record holds these values, as the API takes them; None is all.

    `id` among them is a record that is there: it holds what they leave out. Values that cannot be read, or that refer
    to what this person may not see, count as blank.
    """
    book = rulebook_of(ctx.snapshot, object_name)
    found = next((one for one in book.filters if one.field.name == name), None) if book is not None else None
    if book is None or found is None:
        return None
    rules = rules_of(ctx.snapshot, object_name)
    held = rows.current(ctx, connection, object_name, str(values.get("id") or ""), "read")
    record: dict[str, Any] = held.stored(book.names) if held else dict.fromkeys(book.names)
    for one in found.reads & rules.fields.keys() & values.keys():
        record[one] = None
        with suppress(BadValue):
            sent = values[one]
            record[one] = None if sent is None else rules.fields[one].parse(sent)
    for _, problem in missing_targets(ctx, connection, rules, [record], [record]):
        record[problem.path] = None
    record[name] = None  # the filter chooses what it will be
    reach = Reach(ctx, connection, object_name, needs_of(ctx.snapshot, object_name, [(found.condition.node, name)]))
    reach.fill([record])
    return bound(found.condition.node, Behind(reach.view(record), name, ""))
