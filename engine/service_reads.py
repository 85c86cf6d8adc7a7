"""Read records: lists, single records, histories, and what lookups ask for."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.context import Context
from engine.errors import BadInput, InputProblem
from engine.rules import lookups
from engine.rules.duplicates import likely
from engine.service_answers import Aggregation, Change, Duplicate, Listing, Page, Recent
from engine.service_lists import attach, check_limit, parted, tables_in
from engine.service_writes import not_found
from engine.store import aggregate as aggregates
from engine.store import rows, rows_history
from engine.store.query import MAX_LIMIT, Query, SortKey, find, one
from engine.store.query_paths import need_object
from metadata.formula import Node
from metadata.model import SYSTEM_FIELDS, Action

__all__ = [
    "aggregate", "allowed", "duplicates", "get", "get_row", "history", "listing", "options", "page", "recent", "titles",
]  # fmt: skip

PERSON = SYSTEM_FIELDS["owner"].target
RECENT_CHANGES, RECENT_STEPS = 200, 3

Json = dict[str, Any]


def page(ctx: Context, query: Query) -> Page:
    with ctx.tenant.database.read() as connection:
        found = find(ctx, connection, query)
    rows_ = found.reader.values(found.rows)
    ids = [row[0] for row in found.rows]
    return Page(found.reader.columns, rows_, ids, found.next, found.count, found.count_is_capped)


def listing(ctx: Context, query: Query) -> Listing:
    fields, lists = parted(ctx, query.object, query.fields)
    check_limit(lists, query.limit)
    with ctx.tenant.database.read() as connection:
        found = find(ctx, connection, replace(query, fields=fields) if lists else query)
        records = found.reader.records(found.rows)
        attach(ctx, connection, query.object, records, lists, is_one=False)
    return Listing(found.reader.columns, records, found.next, found.count, found.count_is_capped)


def aggregate(ctx: Context, query: aggregates.AggregateQuery) -> Aggregation:
    with ctx.tenant.database.read() as connection:
        return aggregates.aggregate(ctx, connection, query)


def get(ctx: Context, object_name: str, record_id: str, fields: Sequence[str]) -> Json:
    """Without fields: all that have a value and are not hidden, and the lines."""
    values, lists = parted(ctx, object_name, fields) if fields else ((), tables_in(ctx, object_name))
    with ctx.tenant.database.read() as connection:
        found = one(ctx, connection, object_name, record_id, values)
        if not found.rows:
            raise not_found(object_name, record_id)
        record = found.reader.record(found.rows[0])
        attach(ctx, connection, object_name, [record], lists, is_one=True)
    return record


def get_row(ctx: Context, object_name: str, record_id: str, fields: Sequence[str]) -> dict[str, Any]:
    with ctx.tenant.database.read() as connection:
        found = one(ctx, connection, object_name, record_id, tuple(fields))
    if not found.rows:
        raise not_found(object_name, record_id)
    return found.reader.row(found.rows[0])


def allowed(ctx: Context, object_name: str, record_id: str, actions: Iterable[Action]) -> frozenset[Action]:
    """Those of the actions that the person may do to this record; none to one that they do not see."""
    asked = [action for action in actions if ctx.scope.can(action, object_name)]
    if all(not ctx.scope.rows(action, object_name) for action in asked):
        return frozenset(asked)
    with ctx.tenant.database.read() as connection:
        found = {action: rows.current(ctx, connection, object_name, record_id, action) for action in asked}
    return frozenset(action for action, one in found.items() if one is not None and one.is_allowed)


def allowed_each(
    ctx: Context, object_name: str, ids: Sequence[str], actions: Iterable[Action]
) -> dict[str, frozenset[Action]]:  # fmt: skip
    """Record -> those of the actions that the person may do to it. `ids` are of records that they see. One statement
    for each action on which more than the object decides."""
    found: dict[Action, Collection[str]] = {}
    for action in actions:
        if not ctx.scope.can(action, object_name):
            found[action] = frozenset()
        elif not ids or not ctx.scope.rows(action, object_name):
            found[action] = ids
        else:
            with ctx.tenant.database.read() as connection:
                found[action] = set(ids) - rows.failing(ctx, connection, object_name, ids, action)
    return {one: frozenset(action for action, those in found.items() if one in those) for one in ids}


def history(ctx: Context, object_name: str, record_id: str) -> list[Change]:
    """Newest first, of a record that is visible, deleted or not; only fields that may be read."""
    need_object(ctx.scope, object_name)
    with ctx.tenant.database.read() as connection:
        if not any(rows.current(ctx, connection, object_name, record_id, "read", trash) for trash in (False, True)):
            raise not_found(object_name, record_id)
        entries = list(rows_history.read(connection, ctx.snapshot, object_name, record_id))
    readable, masks = ctx.scope.readable(object_name), ctx.scope.masks(object_name)
    names = titles(ctx, PERSON, {entry["by"] for entry in entries if entry["by"]})
    return [
        Change(
            at=entry["at"],
            by=entry["by"],
            by_name=names.get(entry["by"], ""),
            action=entry["action"],
            version=entry["version"],
            changes={
                name: tuple(masks[name](one) if name in masks and one is not None else one for one in pair)
                for name, pair in entry["changes"].items()
                if name in readable
            },
            others=entry["others"],
            into=entry["into"],
        )
        for entry in entries
    ]


def duplicates(ctx: Context, object_name: str, record_id: str) -> list[Duplicate]:
    """The likest first. Raises NotFound for a record that this person may not see."""
    need_object(ctx.scope, object_name)
    with ctx.tenant.database.read() as connection:
        if rows.current(ctx, connection, object_name, record_id, "read") is None:
            raise not_found(object_name, record_id)
        found = likely(ctx, connection, object_name, record_id)[:MAX_LIMIT]
    names = titles(ctx, object_name, [one.record for one in found])
    return [
        Duplicate(one.record, names[one.record], one.matcher.rule.name, one.score)
        for one in found
        if one.record in names
    ]


def options(
    ctx: Context, object_name: str, text: str, limit: int, reference: str = "", record: Mapping[str, object] = {}
) -> list[tuple[str, str, str]]:  # fmt: skip
    """(id, title, subtitle) of records that the text is found in, by title."""
    need_object(ctx.scope, object_name)
    rule = _offered(ctx, object_name, reference, record) if reference else None
    definition = ctx.snapshot.definitions.objects[object_name]
    readable, title = ctx.scope.readable(object_name), ctx.scope.title(object_name)
    others = [name for name in definition.search if name != definition.title and not definition.fields[name].target]
    others = [name for name in others if name in readable]
    fields = (title, *others[:1])
    sort = SortKey("id" if readable[title].is_masked else title)
    query = Query(
        object_name, fields, sort=(sort,), limit=min(limit, MAX_LIMIT), search=text.strip(),
        rule=rule,
    )  # fmt: skip
    found = page(ctx, query)
    return [
        (record_id, _shown(row[0]), _shown(row[1]) if others else "")
        for record_id, row in zip(found.ids, found.rows, strict=True)
    ]


def _offered(ctx: Context, object_name: str, reference: str, record: Mapping[str, object]) -> Node | None:
    """What the filter of a reference, `deal.contact`, lets through of the records of the object that it leads to."""
    owner, _, name = reference.partition(".")
    field = ctx.scope.readable(owner).get(name)
    if field is None or object_name not in (field.target, *field.targets):
        message = f"'{reference}' is no reference to '{object_name}'"
        raise BadInput(message, code="field.unknown", problems=[InputProblem("reference", "field.unknown", message)])
    if not field.filter:
        return None
    with ctx.tenant.database.read() as connection:
        return lookups.rule_of(ctx, connection, owner, name, record)


def titles(ctx: Context, object_name: str, ids: Iterable[str], in_trash: bool = False) -> dict[str, str]:
    """id -> title of the records that are visible; {} for an object that may not be read."""
    wanted = list(dict.fromkeys(ids))
    if not wanted or not ctx.scope.can("read", object_name):
        return {}
    title = ctx.scope.title(object_name)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), MAX_LIMIT):
        chunk = tuple(wanted[start : start + MAX_LIMIT])
        part = page(ctx, Query(object_name, (title,), ids=chunk, limit=len(chunk), in_trash=in_trash))
        found.update((record_id, _shown(row[0])) for record_id, row in zip(part.ids, part.rows, strict=True))
    return found


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def recent(ctx: Context, limit: int) -> list[Recent]:
    """What changed last of what this person may see, each record once. Looks at the last few hundred changes only."""
    found: dict[str, Recent] = {}
    for step in range(RECENT_STEPS):
        with ctx.tenant.database.read() as connection:
            changes = rows_history.latest(connection, ctx.snapshot, RECENT_CHANGES, step * RECENT_CHANGES)
        changed: dict[str, tuple[str, datetime]] = {}
        for name, record_id, at in changes:
            if record_id not in found:
                changed.setdefault(record_id, (name, at))
        by_object: dict[str, list[str]] = {}
        for record_id, (name, _) in changed.items():
            by_object.setdefault(name, []).append(record_id)
        named = {key: text for name, ids in by_object.items() for key, text in titles(ctx, name, ids).items()}
        found |= {key: Recent(name, key, named[key], at) for key, (name, at) in changed.items() if key in named}
        if len(found) >= limit or len(changes) < RECENT_CHANGES:
            break
    return list(found.values())[:limit]
