"""Records on their way into the table: one pipeline for single writes, batches, upserts, imports and sample data.

What was sent is read (values.py), its references are looked for, then `settle` works out what the definitions give and
asks what they demand, in the order that docs/definitions.md tells. All that is wrong with a record is found at once: a
rule that reads a value which was refused says nothing. An object without rules pays for none of this.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from engine.access.scope import full_scope
from engine.context import Context
from engine.errors import BadValue, InputProblem
from engine.process import workflow
from engine.process.automation import saves
from engine.process.automation.book import has_before
from engine.rules import choices, lookups, validations
from engine.rules.conditions import Rulebook, broken, rulebook_of
from engine.rules.draft import Draft
from engine.rules.masters import give_owner
from engine.rules.reach import Reach, View
from engine.rules.references import missing_targets
from engine.rules.validations import watchers
from engine.rules.values import Rules, Values, missing, read_values, taken
from engine.store.database import Connection
from metadata.model import SYSTEM_FIELDS, Field

__all__ = ["automate", "derive", "draft_of", "judge", "names_before", "settle"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


def draft_of(ctx: Context, rules: Rules, values: Values, before: Mapping[str, Any] | None) -> Draft:
    """`before` of an object with rules holds all stored fields; else those that are sent will do."""
    stored, problems = read_values(ctx, rules, values, before)
    return Draft(values, stored, problems, before)


def names_before(ctx: Context, rules: Rules, sent: Values) -> Sequence[str]:
    """The fields whose stored values a change of a record needs."""
    if not rules.is_plain and (book := rulebook_of(ctx.snapshot, rules.object)) is not None:
        return book.names
    names = [name for name in sent if name in rules.fields]
    return [*names, *(by for _, by in watching)] if (watching := watchers(ctx.snapshot, rules.object)) else names


def settle(
    ctx: Context, connection: Connection, rules: Rules, drafts: Sequence[Draft], known: Collection[str] = (),
    held: Mapping[str, Mapping[str, Any]] = NOTHING,
) -> None:  # fmt: skip
    """Everything between reading what was sent and writing it. What is wrong stands in the drafts' problems. `known`:
    references whose targets need no look. `held`: what records were that this request has written by now."""
    sent = [draft.stored if draft.before is None else draft.changed for draft in drafts]
    if known:
        sent = [{**values, **dict.fromkeys(known)} for values in sent]
    for index, problem in missing_targets(ctx, connection, rules, sent, [draft.before for draft in drafts]):
        drafts[index].problems.append(problem)
    for rule in rules.attaching:
        name = rule.field.name
        for draft, values in zip(drafts, sent, strict=True):
            if name in values:
                draft.stored[name] = values[name]  # what is known of its files is there by now
    if rules.is_plain:
        return
    give_owner(ctx, connection, rules, [draft.stored for draft in drafts if draft.before is None])
    reach = derive(ctx, connection, rules, drafts)
    automate(ctx, connection, rules, drafts, reach)
    workflow.judge(ctx, connection, rules.object, drafts)
    judge(ctx, connection, rules, drafts, reach, held)


def automate(ctx: Context, connection: Connection, rules: Rules, drafts: Sequence[Draft], reach: Reach) -> None:
    """Automations before the save. What they make a record refer to is fetched from, and looked for."""
    held = [dict(draft.record) for draft in drafts] if has_before(ctx.snapshot, rules.object) else []
    if not held or not saves.before(ctx, connection, rules, drafts):
        return
    names = [one.name for one in rules.references]
    moved = []
    for draft, was in zip(drafts, held, strict=True):
        if values := {name: draft.record[name] for name in names if was[name] != draft.record[name]}:
            moved.append((draft, values))
    befores = [draft.before for draft, _ in moved]
    trusted = replace(ctx, scope=full_scope(ctx.snapshot))  # the definitions choose them, not the person
    for index, problem in missing_targets(trusted, connection, rules, [values for _, values in moved], befores):
        moved[index][0].problems.append(problem)
    book = rulebook_of(ctx.snapshot, rules.object)
    assert book is not None
    reach.fill(draft.record for draft, _ in moved)
    for draft, values in moved:
        fetches = tuple(one for one in book.fetches if one[1] in values)
        if fetches:
            _fetch(ctx, rules, replace(book, fetches=fetches), [draft], reach)


def derive(ctx: Context, connection: Connection, rules: Rules, drafts: Sequence[Draft]) -> Reach:
    """Default formulas, then values that are fetched through references. Of an object with rules."""
    book = rulebook_of(ctx.snapshot, rules.object)
    assert book is not None
    reach = Reach(ctx, connection, rules.object, book.needs)
    blank = dict.fromkeys(book.names)
    for draft in drafts:
        draft.record = {**blank, **(draft.before or {}), **draft.stored}
        if draft.before is not None:
            draft.record |= {"modified_at": ctx.now, "modified_by": ctx.actor.id or None}
    reach.fill(draft.before for draft in drafts if draft.before is not None)
    reach.fill(draft.record for draft in drafts)
    _default(ctx, rules, book, drafts, reach)
    choices.leave_out(book, [draft for draft in drafts if draft.before is None])
    _fetch(ctx, rules, book, drafts, reach)
    return reach


def _default(ctx: Context, rules: Rules, book: Rulebook, drafts: Sequence[Draft], reach: Reach) -> None:
    new = [draft for draft in drafts if draft.before is None]
    for name, condition in book.defaults if new else ():
        for draft in new:
            if name in draft.sent or condition.reads & draft.refused:
                continue
            try:
                value = condition.value(reach.here, reach.view(draft.record), None)
                draft.put(name, taken(ctx, rules, name, value))
            except BadValue as bad:
                draft.problems.append(InputProblem(name, bad.code, bad.message, bad.fix, bad.values))
            except Exception:
                draft.problems.append(broken(ctx, book, condition, name))
        if name in reach.needs.paths:
            reach.fill(draft.record for draft in new)


def _fetch(ctx: Context, rules: Rules, book: Rulebook, drafts: Sequence[Draft], reach: Reach) -> None:
    for target, reference, rest in book.fetches:
        name = target.name
        for draft in drafts:
            if reference in draft.refused or not draft.changes(reference):
                continue
            if name in draft.refused or not _is_fetched(ctx, draft, target, reference):
                continue
            held = draft.record[reference]
            value = View(reach, draft.record)[f"{reference}.{rest}"] if held is not None else None
            try:
                draft.put(name, taken(ctx, rules, name, value))
            except BadValue as bad:
                draft.problems.append(InputProblem(name, bad.code, bad.message, bad.fix, bad.values))
        if name in reach.needs.paths:
            reach.fill(draft.record for draft in drafts)


def _is_fetched(ctx: Context, draft: Draft, target: Field, reference: str) -> bool:
    """Whether the value behind a reference that was set or changed takes the place of what is there."""
    name, held = target.name, draft.record[reference]
    if name in draft.sent and (not target.is_read_only or ctx.actor.is_system):
        is_blank = draft.sent[name] is None or draft.sent[name] == ""
        return target.fetches_if_blank and is_blank and held is not None
    if target.fetches_if_blank or draft.before is None:
        return held is not None and (draft.record[name] is None or not target.fetches_if_blank)
    return not (target.is_set_once and draft.before[name] is not None)


def judge(
    ctx: Context, connection: Connection, rules: Rules, drafts: Sequence[Draft], known: Reach | None = None,
    held: Mapping[str, Mapping[str, Any]] = NOTHING,
) -> None:  # fmt: skip
    """What is asked before records are written; the rest is asked by validations.judge_written. `known`: what was read
    for them up to now, if that still holds."""
    book = rulebook_of(ctx.snapshot, rules.object)
    assert book is not None
    reach = known or Reach(ctx, connection, rules.object, book.needs)
    reach.fill(draft.before for draft in drafts if draft.before is not None)
    reach.fill(draft.record for draft in drafts)
    for draft in drafts:
        problems = draft.problems
        problems += _once(book, draft)
        problems += _locked(ctx, rules, book, draft, reach, held)
        problems += choices.judge(ctx, book, draft)
        problems += lookups.judge(ctx, book, draft, reach)
        problems += missing(rules, draft.stored, draft.before, draft.refused)
        problems += validations.demanded(ctx, book, draft, reach)
        problems += validations.judge(ctx, book, draft, reach)


def _once(book: Rulebook, draft: Draft) -> Iterator[InputProblem]:
    for name in book.once if draft.before is not None else ():
        assert draft.before is not None
        if draft.before[name] is not None and draft.record[name] != draft.before[name] and name not in draft.refused:
            message = f"'{name}' has a value, which cannot be changed any more"
            yield InputProblem(name, "value.set_once", message, "leave it out", (("name", name),))


def _locked(
    ctx: Context, rules: Rules, book: Rulebook, draft: Draft, reach: Reach, held: Mapping[str, Mapping[str, Any]]
) -> Iterator[InputProblem]:
    """Asked of the record, and of its master, as they were; of a new one as it would be if nothing had been sent."""
    sent = (
        []
        if ctx.actor.is_system
        else [one for one in book.locks if one[0] in draft.sent and one[0] not in draft.refused]
    )
    if not sent:
        return
    before = draft.before if draft.before is not None else _untouched(ctx, rules, book, draft, reach)
    for name, condition in sent:
        if draft.record[name] == before[name]:
            continue
        try:
            seen = reach.former_view(before, held)
            is_locked = condition.holds(reach.here, seen, seen if draft.before is not None else None)
        except Exception:
            yield broken(ctx, book, condition, name)
            continue
        if is_locked:
            yield InputProblem(
                name, "value.locked", f"'{name}' cannot be changed now", "leave it out", (("name", name),)
            )


def _untouched(ctx: Context, rules: Rules, book: Rulebook, draft: Draft, reach: Reach) -> Mapping[str, Any]:
    """A new record with its defaults only."""
    own = {name: draft.record[name] for name in SYSTEM_FIELDS}
    plain = Draft({}, {name: default(ctx) for name, default in rules.defaults}, [])
    plain.record = {**dict.fromkeys(book.names), **own, **plain.stored}
    reach.fill([plain.record])
    _default(ctx, rules, book, [plain], reach)
    choices.leave_out(book, [plain])
    return plain.record
