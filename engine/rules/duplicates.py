"""Records that may be the same thing as one that is written: looked for by the object's rules, refused or warned of.

What is told of them is what the person may see. A record that they may not see stops a rule that blocks, without a
word of it; a rule that warns says nothing of it at all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.access.fields import read_by
from engine.context import Context
from engine.errors import Candidate, Conflict, InputProblem, InputWarning
from engine.rules.matchers import Matcher, matchers_of, touched
from engine.snapshot import Snapshot
from engine.store import rows_duplicates
from engine.store.database import Connection
from engine.store.query import Query
from engine.store.query import find as find_records
from engine.store.rows_duplicates import Found, Search
from metadata.model import say

__all__ = [
    "Likely", "check", "check_stored", "compared", "has_rules", "keep", "likely", "renew", "renew_stored",
]  # fmt: skip

MOST_SCORED = 200  # candidates of one record under one rule
MOST_TOLD = 10

Row = Mapping[str, Any]
NOWHERE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Likely:
    """A record that may be the same as another one."""

    matcher: Matcher
    record: str
    score: int
    is_visible: bool


def has_rules(snapshot: Snapshot, object_name: str) -> bool:
    return bool(matchers_of(snapshot, object_name))


def compared(snapshot: Snapshot, object_name: str, changed: Iterable[str]) -> tuple[str, ...]:
    """The fields that rules read which compare one of those that changed; () where no rule does."""
    return fields_of(touched(matchers_of(snapshot, object_name), changed))


def fields_of(matchers: Iterable[Matcher]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for matcher in matchers for name in matcher.fields))


def keep(ctx: Context, connection: Connection, object_name: str, rows: Iterable[Row]) -> None:
    """The keys of new records: whole rows of stored values."""
    if matchers := matchers_of(ctx.snapshot, object_name):
        rows_duplicates.put(connection, ctx.snapshot, keys_of(object_name, matchers, rows))


def keys_of(object_name: str, matchers: Iterable[Matcher], rows: Iterable[Row]) -> set[tuple[str, str, str, str]]:
    return {
        (key, row["id"], matcher.id, object_name)
        for row in rows for matcher in matchers for key in matcher.keys(row)[0]
    }  # fmt: skip


def renew(ctx: Context, connection: Connection, object_name: str, rows: Sequence[Row], changed: Iterable[str]) -> None:
    """The keys of records some of whose fields have changed."""
    if matchers := touched(matchers_of(ctx.snapshot, object_name), changed):
        ids = [row["id"] for row in rows]
        rows_duplicates.drop(connection, ctx.snapshot, ids, (matcher.id for matcher in matchers))
        rows_duplicates.put(connection, ctx.snapshot, keys_of(object_name, matchers, rows))


def renew_stored(
    ctx: Context, connection: Connection, object_name: str, ids: Sequence[str], changed: Iterable[str]
) -> None:
    """The same for records as they are stored."""
    if matchers := touched(matchers_of(ctx.snapshot, object_name), changed):
        renew(ctx, connection, object_name, values_of(ctx, connection, object_name, matchers, ids), changed)


def check(
    ctx: Context, connection: Connection, object_name: str, rows: Sequence[Row], changed: Iterable[str] | None = None,
    paths: Mapping[str, str] = NOWHERE,
) -> None:  # fmt: skip
    """Look for others like these records, whose keys are written. Raises Conflict `duplicate.found`; warns.

    `changed`: only rules that compare one of these fields. A record that was like another one before may be changed
    otherwise. `paths`: where records stand in what was sent, by their ids: "lines.0".
    """
    matchers = matchers_of(ctx.snapshot, object_name)
    if changed is not None:
        matchers = touched(matchers, changed)
    if ctx.actor.is_system:  # nobody reads its warnings
        matchers = tuple(matcher for matcher in matchers if matcher.is_blocking)
    if not matchers:
        return
    if connection.dialect == "postgresql":
        blocking = [matcher for matcher in matchers if matcher.is_blocking]
        rows_duplicates.lock(
            connection, {key for one in blocking for row in rows for key in set().union(*one.keys(row))}
        )
    for row, found in zip(rows, candidates(ctx, connection, object_name, matchers, rows), strict=True):
        if found:
            judge(ctx, connection, object_name, row["id"], matchers, found, paths.get(row["id"], ""))


def check_stored(
    ctx: Context, connection: Connection, object_name: str, ids: Sequence[str], changed: Iterable[str] | None = None,
    paths: Mapping[str, str] = NOWHERE,
) -> None:  # fmt: skip
    """The same for records as they are stored."""
    if matchers := matchers_of(ctx.snapshot, object_name):
        rows = values_of(ctx, connection, object_name, matchers, ids)
        check(ctx, connection, object_name, rows, changed, paths)


def likely(ctx: Context, connection: Connection, object_name: str, record_id: str) -> list[Likely]:
    """Records like this one that the person may see, each once, under the rule by which it is most alike."""
    matchers = matchers_of(ctx.snapshot, object_name)
    rows = values_of(ctx, connection, object_name, matchers, [record_id]) if matchers else []
    best: dict[str, Likely] = {}
    for one in (one for found in candidates(ctx, connection, object_name, matchers, rows) for one in found):
        is_told = one.is_visible and sees_all(ctx, object_name, one.matcher)
        if is_told and (one.record not in best or best[one.record].score < one.score):
            best[one.record] = one
    return sorted(best.values(), key=lambda one: -one.score)


def sees_all(ctx: Context, object_name: str, matcher: Matcher) -> bool:
    """Whether the person sees all that a rule compares and filters by: else a likeness would tell what they may not
    know. Of another object all records, too, as the filter sees them all."""
    scope, read = ctx.scope, {(object_name, name) for name in matcher.fields}
    if matcher.filter is not None:
        read |= set(read_by(matcher.filter, object_name))
    return all(
        scope.can("read", name) and (field := scope.readable(name).get(field_name)) and not field.is_masked
        and (name == object_name or not scope.rows("read", name))
        for name, field_name in read
    )  # fmt: skip


def values_of(
    ctx: Context, connection: Connection, object_name: str, matchers: Iterable[Matcher], ids: Sequence[str]
) -> list[Row]:
    found = rows_duplicates.stored(connection, ctx.snapshot, object_name, fields_of(matchers), ids)
    return [{"id": one, **found[one]} for one in ids if one in found]


def candidates(
    ctx: Context, connection: Connection, object_name: str, matchers: Sequence[Matcher], rows: Sequence[Row]
) -> list[list[Likely]]:
    """For each row the records like it, the likest first: one look-up for all rows and rules."""
    asked = [[(matcher, matcher.keys(row)[1]) for matcher in matchers] for row in rows]
    wanted = {key for one in asked for _, keys in one for key in keys}
    if not wanted:
        return [[] for _ in rows]
    search = search_of(ctx.snapshot, object_name)
    by_key: dict[str, list[Found]] = {}
    own = {key for row in rows for matcher in matchers for key in matcher.keys(row)[0]}
    for found in rows_duplicates.find(ctx.told, connection, object_name, wanted, search, own):
        by_key.setdefault(found.key, []).append(found)
    return [
        [one for matcher, keys in own for one in scored(matcher, row, keys, by_key, search)]
        for row, own in zip(rows, asked, strict=True)
    ]


def scored(
    matcher: Matcher, row: Row, keys: Iterable[str], by_key: Mapping[str, Sequence[Found]], search: Search
) -> list[Likely]:
    """Records that share most keys come first, and only so many of them are compared."""
    shared: Counter[str] = Counter()
    others: dict[str, Found] = {}
    place = next((i for i, (_, node) in enumerate(search.conditions) if node is matcher.filter), None)
    for found in (found for key in keys for found in by_key.get(key, ())):
        if found.record != row["id"] and (place is None or found.meets[place]):
            shared[found.record] += 1
            others[found.record] = found
    alike = [(matcher.score(row, others[one].values), others[one]) for one, _ in shared.most_common(MOST_SCORED)]
    ordered = sorted((pair for pair in alike if pair[0]), key=lambda pair: (-pair[0], pair[1].record))
    return [Likely(matcher, found.record, score, found.is_visible) for score, found in ordered]


def search_of(snapshot: Snapshot, object_name: str) -> Search:
    key = ("duplicate search", object_name)
    if key not in snapshot.cache:
        matchers = matchers_of(snapshot, object_name)
        snapshot.cache[key] = Search(
            conditions=tuple((one.id, one.filter) for one in matchers if one.filter is not None),
            free=frozenset(one.id for one in matchers if one.filter is None),
            fields=tuple(dict.fromkeys(match.field for one in matchers for match in one.fuzzy)),
        )
    search: Search = snapshot.cache[key]
    return search


def judge(
    ctx: Context, connection: Connection, object_name: str, record_id: str, matchers: Sequence[Matcher],
    found: Sequence[Likely], path: str,
) -> None:  # fmt: skip
    found_by = [matcher for matcher in matchers if any(one.matcher is matcher for one in found)]
    open_ = {matcher.id for matcher in found_by if sees_all(ctx.told, object_name, matcher)}
    told = list(dict.fromkeys(one.record for one in found if one.is_visible and one.matcher.id in open_))[:MOST_TOLD]
    titles = titles_of(ctx.told, connection, object_name, told)
    problems: list[InputProblem] = []
    for matcher in matchers:
        own = [one for one in found if one.matcher is matcher]
        shown = tuple(
            Candidate(object_name, one.record, titles[one.record])
            for one in own
            if one.record in titles and matcher.id in open_
        )
        if own and matcher.is_blocking:
            problems += refusals(ctx.told, matcher, shown, path)
        elif shown:
            ctx.warn(warning(ctx.told, record_id, matcher, shown, path))
    if problems:
        raise Conflict(problems[0].message, code="duplicate.found", fix=problems[0].fix, problems=problems)


def refusals(ctx: Context, matcher: Matcher, shown: tuple[Candidate, ...], path: str) -> Iterable[InputProblem]:
    """One at each field that the rule compares; the first brings the candidates."""
    if shown:
        code, own = "duplicate.found", say(matcher.rule.message, ctx.language)
        message = own or f"there is already such a record: {quoted(shown)}"
        fix = "use that record, or change what is the same"
    else:
        code, own = "duplicate.hidden", ""
        message, fix = "there may already be such a record", "ask an administrator"
    values = (("rule", matcher.rule.name),)
    for place, name in enumerate(matcher.fields):
        yield InputProblem(
            within(path, name), code, message, fix, values, shown if place == 0 else (), is_worded=bool(own)
        )


def warning(ctx: Context, record_id: str, matcher: Matcher, shown: tuple[Candidate, ...], path: str) -> InputWarning:
    own = say(matcher.rule.message, ctx.language)
    message = own or f"there may already be such a record: {quoted(shown)}"
    values = (("rule", matcher.rule.name), ("compared", ",".join(matcher.fields)))
    at = within(path, matcher.fields[0])
    return InputWarning(at, "duplicate.possible", message, values, shown, bool(own), record_id)


def within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def quoted(shown: Sequence[Candidate]) -> str:
    return ", ".join(f"'{one.title}'" for one in shown[:3]) + (", …" if len(shown) > 3 else "")


def titles_of(ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]) -> dict[str, str]:
    if not ids:
        return {}
    title = ctx.scope.title(object_name)
    found = find_records(ctx, connection, Query(object_name, (title,), ids=tuple(ids), limit=len(ids)))
    rows = found.reader.values(found.rows)
    return {row[0]: "" if own[0] is None else str(own[0]) for row, own in zip(found.rows, rows, strict=True)}
