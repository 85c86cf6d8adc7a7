"""What a record must meet: fields that must have a value, and the rules that its object states.

A rule is asked at every save, whatever was changed: a record meets it or does not. One that cannot be evaluated refuses
the save. Rules that read lines, roll-ups or numbers given in turn are asked when these are written, in the same
transaction.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.context import Context
from engine.errors import InputProblem, InputWarning
from engine.rules import messages
from engine.rules.conditions import Demand, Rule, Rulebook, broken, rulebook_of
from engine.rules.draft import Draft
from engine.rules.reach import Reach, values_of
from engine.snapshot import Snapshot
from engine.store.database import Connection
from engine.store.query import actor_params
from engine.store.rows import columns_of
from metadata.build.objects import POSITION

__all__ = ["demanded", "judge", "judge_written", "watchers"]

Values = Mapping[str, Any]


def demanded(ctx: Context, book: Rulebook, draft: Draft, reach: Reach) -> Iterator[InputProblem]:
    refused = draft.refused
    for demand in book.demands:
        if not demand.is_late and demand.field not in refused:
            yield from _demanded(ctx, book, demand, reach, draft.record, draft.before, refused)


def _demanded(
    ctx: Context, book: Rulebook, demand: Demand, reach: Reach, record: Values, before: Values | None,
    refused: frozenset[str] = frozenset(),
) -> Iterator[InputProblem]:  # fmt: skip
    if record[demand.field] is not None:
        return
    name, seen = demand.field, reach.view(record)
    prior = reach.view(before) if before is not None else None
    for condition in (demand.shown, demand.when):
        if condition is None:
            continue
        if condition.reads & refused:
            return
        try:
            if not condition.holds(reach.here, seen, prior):
                return
        except Exception:
            yield broken(ctx, book, condition, name)
            return
    yield InputProblem(name, "value.required", f"'{name}' must have a value", "give it one", (("name", name),))


def judge(ctx: Context, book: Rulebook, draft: Draft, reach: Reach) -> Iterator[InputProblem]:
    refused = draft.refused
    for rule in book.rules:
        if not rule.is_late and not rule.reads & refused:
            path = rule.validation.field
            id_ = draft.stored.get("id") or ""
            yield from _asked(ctx, book, rule, reach, draft.record, draft.before, path, id_, draft.path)


def _asked(
    ctx: Context, book: Rulebook, rule: Rule, reach: Reach, record: Values, before: Values | None, path: str, id_: str,
    place: str = "",
) -> Iterator[InputProblem]:  # fmt: skip
    """`place`: of a line where it stands in its record, for warnings; who gathers problems puts those there."""
    said = rule.validation
    if said.level == "warning" and ctx.actor.is_system:
        return  # nobody reads it
    seen = reach.view(record)
    prior = reach.view(before) if before is not None else None
    asked = rule.error_if
    try:
        is_wrong = asked.holds(reach.here, seen, prior)
        if is_wrong and rule.unless is not None:
            asked = rule.unless
            is_wrong = not asked.holds(reach.here, seen, prior)
    except Exception:
        yield broken(ctx, book, asked, path)
        return
    if not is_wrong:
        return
    message = messages.said(ctx, said, rule.message, reach, seen, prior)
    values = (("rule", said.name),)
    if said.level == "warning":
        record_id = id_ or str(record.get("id") or "")
        path = ".".join(filter(None, (place, path)))
        ctx.warn(InputWarning(path, "validation.warning", message, values, is_worded=True, record=record_id))
    else:
        yield InputProblem(path, "validation.failed", message, "", values, is_worded=True)


def judge_written(
    ctx: Context, connection: Connection, object_name: str, ids: Iterable[str],
    befores: Mapping[str, Values | None] = {}, paths: Mapping[str, str] = {},
) -> Iterator[tuple[str, InputProblem]]:  # fmt: skip
    """(record, problem) of records as they now stand in the table, with lines and roll-ups. `paths`: where lines stand.

    `befores`: what records held before, None for new ones; a record that is not among them has not changed itself.
    """
    book = rulebook_of(ctx.snapshot, object_name)
    if book is None or not (book.late_rules or book.late_demands):
        return
    found = values_of(ctx.snapshot, connection, actor_params(ctx), object_name, book.names, "id", ids)
    if not found:
        return
    reach = Reach(ctx, connection, object_name, book.late_needs)
    before_of = {row["id"]: befores.get(row["id"], row) for row in found}
    reach.fill(found)
    reach.fill(before for before in before_of.values() if before is not None)
    for row in found:
        before = before_of[row["id"]]
        for demand in book.late_demands:
            for problem in _demanded(ctx, book, demand, reach, row, before):
                yield row["id"], problem
        for rule in book.late_rules:
            if not rule.lines:
                path, place = rule.validation.field, paths.get(row["id"], "")
                for problem in _asked(ctx, book, rule, reach, row, before, path, row["id"], place):
                    yield row["id"], problem
    for rule in book.late_rules:
        if rule.lines:
            yield from _lines(ctx, connection, book, rule, [row["id"] for row in found])


def _lines(
    ctx: Context, connection: Connection, book: Rulebook, rule: Rule, ids: Sequence[str]
) -> Iterator[tuple[str, InputProblem]]:  # fmt: skip
    field = ctx.snapshot.definitions.objects[book.object].fields[rule.validation.each]
    rows = values_of(
        ctx.snapshot, connection, actor_params(ctx), rule.lines, columns_of(ctx.snapshot, rule.lines), field.by, ids
    )
    reach = Reach(ctx, connection, rule.lines, rule.line_needs)
    reach.fill(rows)
    by_owner: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_owner.setdefault(row[field.by], []).append(row)
    for owner, own in by_owner.items():
        own.sort(key=lambda row: (row.get(POSITION) is None, row.get(POSITION)))
        for index, row in enumerate(own):
            path = ".".join(filter(None, (field.name, str(index), rule.validation.field)))
            for problem in _asked(ctx, book, rule, reach, row, row, path, owner):
                yield owner, problem


def watchers(snapshot: Snapshot, object_name: str) -> tuple[tuple[str, str], ...]:
    """(object, reference to it) of those whose rules read the records of this object as their lines."""
    key = "rules over lines"
    if key not in snapshot.cache:
        found: dict[str, dict[tuple[str, str], None]] = {}
        for name in snapshot.definitions.objects:
            if (book := rulebook_of(snapshot, name)) is not None:
                for lines, by in _lines_read(snapshot, book):
                    found.setdefault(lines, {})[name, by] = None
        snapshot.cache[key] = {lines: tuple(places) for lines, places in found.items()}
    by_object: dict[str, tuple[tuple[str, str], ...]] = snapshot.cache[key]
    return by_object.get(object_name, ())


def _lines_read(snapshot: Snapshot, book: Rulebook) -> Iterator[tuple[str, str]]:
    yield from ((lines.object, lines.by) for lines in book.late_needs.lines.values() if lines.owner == "id")
    for rule in book.late_rules:
        if rule.lines:
            yield rule.lines, snapshot.definitions.objects[book.object].fields[rule.validation.each].by
