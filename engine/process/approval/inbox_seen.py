"""What the rows of a box show of their records: by the person's own rights, else through the step that a row is of.

A few statements for all rows, also where the person has no right of their own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.context import SYSTEM, Context, context_of
from engine.errors import EngineError
from engine.process.agents import agents_of
from engine.process.approval import kept
from engine.process.approval.inbox import Found
from engine.process.approval.showing import approval_of, titles, titles_of
from engine.process.approval.views import FieldValue
from engine.process.approval.work import object_at
from engine.process.reading import hidden_from, hidden_now, nodes_of
from engine.process.visible import mask_value, visible_fields
from engine.process.waiting import reading_of_new
from engine.store.database import Connection
from engine.store.query import Query, find
from metadata.model import Field, say
from metadata.processes import Node, nodes_in

__all__ = ["Seen", "matching", "seen"]

PIECE = 500


@dataclass(frozen=True, slots=True)
class Seen:
    title: str = ""
    summary: tuple[FieldValue, ...] = ()  # of all approvals of the object, or what the step of the row shows


def seen(ctx: Context, connection: Connection, rows: Sequence[Found]) -> dict[str, Seen]:
    """By the rows' own ids."""
    found: dict[str, Seen] = {}
    through: dict[tuple[str, str, int, str], list[Found]] = {}
    for table, group in by_object(rows).items():
        object_name, ids = object_at(ctx.snapshot, table), list(dict.fromkeys(one.record for one in group))
        own = {record: title for piece in pieces(ids)
               for record, title in titles(ctx, connection, object_name, piece).items()}  # fmt: skip
        summaries = {record: values for piece in pieces([one for one in ids if one in own])
                     for record, values in summaries_of(ctx, connection, object_name, piece).items()}  # fmt: skip
        others = []
        for one in group:
            if one.record in own:
                found[one.row] = Seen(own[one.record], summaries.get(one.record, ()))
            elif one.through and may_look(ctx, connection, one):
                through.setdefault((one.object, one.approval, one.version, one.through), []).append(one)
            else:
                others.append(one)
        sent = {record: title for piece in pieces([one.record for one in others])
                for record, title in titles_of(ctx, connection, object_name, piece).items()}  # fmt: skip
        found |= {one.row: Seen(sent.get(one.record, "")) for one in others}
    for group in through.values():
        found |= seen_through(ctx, connection, group)
    return found


def by_object(rows: Sequence[Found]) -> dict[str, list[Found]]:
    found: dict[str, list[Found]] = {}
    for one in rows:
        found.setdefault(one.object, []).append(one)
    return found


def pieces(ids: Sequence[str]) -> Iterator[list[str]]:
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), PIECE):
        yield wanted[start : start + PIECE]


def may_look(ctx: Context, connection: Connection, one: Found) -> bool:
    """For somebody else as long as that one is away."""
    if not one.task or one.user in ("", ctx.actor.id):
        return True
    return ctx.actor.id in agents_of(connection, [one.user], ctx.now, one.approval, one.object).get(one.user, ())


def seen_through(ctx: Context, connection: Connection, rows: Sequence[Found]) -> dict[str, Seen]:
    """Of rows of one step of one version: its title and summary, as far as the step and masks show them."""
    first = rows[0]
    object_name, node = object_at(ctx.snapshot, first.object), node_then(ctx, first)
    approval = approval_of(ctx, first.approval, first.version, first.through)
    if node is None or approval is None:
        return {one.row: Seen() for one in rows}
    visible = visible_fields(ctx, object_name, hidden_now(ctx, first.version, first.object, node.hidden))
    definition = ctx.snapshot.definitions.objects[object_name]
    wanted = [definition.title, *(name for name in approval.summary if name in definition.fields)]
    names = tuple(dict.fromkeys(name for name in wanted if name in visible))
    system = replace(context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot), language=ctx.language)
    records: dict[str, Mapping[str, Any]] = {}
    for piece in pieces([one.record for one in rows]) if names else ():
        found = find(system, connection, Query(object_name, ("id", *names), ids=tuple(piece), limit=len(piece)))
        for record in found.reader.records(found.rows):
            shown = {name: mask_value(ctx, object_name, name, record.get(name)) for name in names}
            records[record["id"]] = shown
    for one in rows if names else ():
        if one.record not in records:
            records[one.record] = shown_of_new(ctx, connection, one, names)
    return {one.row: made(ctx, definition.title, definition.fields, approval.summary, records.get(one.record, {}))
            for one in rows}  # fmt: skip


def shown_of_new(ctx: Context, connection: Connection, one: Found, names: Sequence[str]) -> Mapping[str, Any]:
    """Of a record that is made when it is approved, as the person's steps show it."""
    state = kept.load(connection, one.instance)
    nodes = nodes_of(ctx, connection, state) if state is not None else []
    if state is None or not nodes:
        return {}
    new = reading_of_new(ctx, connection, state, sorted(hidden_from(ctx, state, nodes)))
    return {name: new.values[name] for name in names if name in new.values} if new is not None else {}


def made(
    ctx: Context, title: str, fields: Mapping[str, Field], summary: Iterable[str], record: Mapping[str, Any]
) -> Seen:  # fmt: skip
    values = tuple(FieldValue(name, say(fields[name].label, ctx.language), record[name])
                   for name in summary if name in record)  # fmt: skip
    named = record.get(title)
    return Seen("" if named is None else str(named), values)


def node_then(ctx: Context, one: Found) -> Node | None:
    """As the version of the approval has it: what it hides holds."""
    approval = ctx.tenant.at(one.version).definitions.processes.approvals.get(one.approval)
    return next((node for node in nodes_in(approval.flow) if node.name == one.through), None) if approval else None


def summaries_of(
    ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]
) -> dict[str, tuple[FieldValue, ...]]:
    """Of the fields that approvals of the object show in the inbox, for those who may read the record."""
    approvals = ctx.snapshot.definitions.processes.approvals.values()
    wanted = dict.fromkeys(name for one in approvals if one.object == object_name for name in one.summary)
    if not wanted or not ids or not ctx.scope.can("read", object_name):
        return {}
    readable = ctx.scope.readable(object_name)
    names = tuple(name for name in wanted if name.partition(".")[0] in readable)
    if not names:
        return {}
    try:
        found = find(ctx, connection, Query(object_name, names, ids=tuple(ids), limit=len(ids)))
    except EngineError:  # a path that leads to what this person may not read
        names = tuple(name for name in names if name in readable)
        found = find(ctx, connection, Query(object_name, names, ids=tuple(ids), limit=len(ids)))
    fields = ctx.snapshot.definitions.objects[object_name].fields
    made: dict[str, tuple[FieldValue, ...]] = {}
    for record in found.reader.records(found.rows):
        made[record["id"]] = tuple(
            FieldValue(name, say(fields[name].label, ctx.language) if name in fields else name, record.get(name))
            for name in names
        )
    return made


# -- looked for by a text


def matching(
    ctx: Context, connection: Connection, rows: Sequence[Found], shown: Mapping[str, Iterable[str]], text: str
) -> list[Found]:  # fmt: skip
    """Those that show the text, or whose record's search fields hold it. `shown`: row -> the texts that it shows."""
    wanted, hits = text.strip().casefold(), set[str]()
    for table, group in by_object(rows).items():
        object_name = object_at(ctx.snapshot, table)
        if not ctx.scope.can("read", object_name):
            continue
        for piece in pieces([one.record for one in group]):
            query = Query(object_name, ("id",), ids=tuple(piece), limit=len(piece), search=text.strip())
            hits |= {str(row[0]) for row in find(ctx, connection, query).rows}
    return [one for one in rows
            if one.record in hits or any(wanted in each.casefold() for each in shown.get(one.row, ()))]  # fmt: skip
