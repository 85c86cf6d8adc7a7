"""What waits for an approval, as somebody may see it: what is to change, or what a new record would be.

Through the steps by which the person takes part, else by their own rights; hidden stays hidden, masked stays masked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.process import requests
from engine.process.approval.state import ENDED, State
from engine.process.comparing import Difference, differences
from engine.process.reading import Reading, hidden_from, nodes_of
from engine.process.requests import Request
from engine.process.snapshots import seen_data, taken
from engine.process.visible import is_masked, visible_fields
from engine.rules.values import rules_of
from engine.store import rows, rows_files
from engine.store.database import Connection
from engine.store.query_paths import field_of
from engine.store.system_locks import change_request as table
from metadata.model import SYSTEM_FIELDS

__all__ = ["Waiting", "open_request", "own_reading", "reading_of_new", "waiting_of"]

Json = dict[str, Any]
BLANK: Mapping[str, Any] = {"values": {}, "reckoned": {}, "lines": {}, "choices": {}, "titles": {}}


@dataclass(frozen=True, slots=True)
class Waiting:
    """`action`: create, update or delete. `fields`: what the person sees of it; `is_own`: by their own rights, where
    titles of what it refers to are theirs to look up."""

    action: str
    by: str
    at: datetime | None
    is_conflict: bool
    is_own: bool
    fields: tuple[Difference, ...] = ()


def open_request(ctx: Context, connection: Connection, state: State) -> Request | None:
    """What an instance that has not ended is about, where that waits."""
    if state.instance.state in ENDED:
        return None
    c = table.c
    wanted = sa.select(table).where(c.instance == state.instance.id, c.state.in_(("waiting", "conflict")))
    row = connection.sa.execute(wanted.order_by(c.id.desc()).limit(1)).first()
    return None if row is None else requests.request_of(ctx, row)


def waiting_of(ctx: Context, connection: Connection, state: State) -> Waiting | None:
    """None where nothing waits. Whether the person may see the instance is for the caller to know."""
    request = open_request(ctx, connection, state)
    if request is None:
        return None
    nodes = nodes_of(ctx, connection, state)
    told = Waiting(request.action, request.by, request.at, request.state == "conflict", not nodes)
    if request.action == "delete" or not request.draft:
        return told
    hidden = sorted(hidden_from(ctx, state, nodes)) if nodes else _unreadable(ctx, connection, state, request)
    if hidden is None:
        return told
    before = BLANK
    if request.action == "update":
        before = seen_data(ctx, request.object, taken(ctx, connection, request.object, request.record)[0], hidden, "")
    after = seen_data(ctx, request.object, request.draft["shown"], hidden, "")
    if not nodes:
        before, after = ({**one, "titles": {}} for one in (before, after))
    columns = {column: name for name, column in ctx.snapshot.physical.names.columns[request.object].items()}
    names = {columns.get(one, one) for one in request.draft["fields"]}
    found = (
        one for one in differences(ctx, request.object, dict(before), dict(after))
        if one.field.partition(".")[0] in names
    )  # fmt: skip
    return replace(told, fields=tuple(found))


def _unreadable(ctx: Context, connection: Connection, state: State, request: Request) -> Sequence[str] | None:
    """What the person's own rights do not show; None where these show nothing of it."""
    if not ctx.scope.can("read", request.object):
        return None
    if request.action == "create":
        return _hidden(ctx, request.object) if state.instance.submitter == ctx.actor.id else None
    current = rows.current(ctx, connection, request.object, request.record, "read")
    return None if current is None else _hidden(ctx, request.object)


def _hidden(ctx: Context, object_name: str) -> list[str]:
    return list(_hidden_in(ctx, object_name, ""))


def _hidden_in(ctx: Context, object_name: str, prefix: str) -> Iterator[str]:
    readable = ctx.scope.readable(object_name)
    for name, field in ctx.snapshot.definitions.objects[object_name].fields.items():
        if field.source == "lines":
            if ctx.scope.can("read", field.of):
                yield from _hidden_in(ctx, field.of, f"{prefix}{name}.") if prefix.count(".") < 5 else ()
            else:
                yield f"{prefix}{name}"
        elif name not in readable:
            yield f"{prefix}{name}"
    yield from (f"{prefix}{name}" for name in SYSTEM_FIELDS if name not in readable)


# -- a new record, read as if it were there


def reading_of_new(ctx: Context, connection: Connection, state: State, hidden: Sequence[str]) -> Reading | None:
    """None where the instance is about a record that is there, or was."""
    request = open_request(ctx, connection, state)
    if request is None or request.action != "create":
        return None
    return _reading_of(ctx, request, hidden)


def _reading_of(ctx: Context, request: Request, hidden: Sequence[str]) -> Reading:
    data = seen_data(ctx, request.object, request.draft["shown"], hidden, "")
    return _reading(ctx, request.object, request.record, data, hidden, "")


def own_reading(ctx: Context, connection: Connection, state: State) -> Reading | None:
    """For who entered it, by their own rights, also when it was not approved; titles of what it refers to are theirs to
    look up."""
    request = requests.of_instance(ctx, connection, state.instance.id)
    if request is None or request.action != "create" or request.state == "applied":
        return None
    hidden = _unreadable(ctx, connection, state, request)
    return None if hidden is None else _reading_of(ctx, request, hidden)


def _reading(
    ctx: Context, object_name: str, record_id: str, data: Json, hidden: Sequence[str], prefix: str
) -> Reading:  # fmt: skip
    names = visible_fields(ctx, object_name, hidden, prefix)
    fields = {name: field_of(ctx.snapshot, object_name, name) for name in names}
    columns = ctx.snapshot.physical.names.columns[object_name]
    values = {
        name: data["values"].get(columns.get(name, name), data["reckoned"].get(name))
        for name, field in fields.items() if field.source != "lines"
    }  # fmt: skip
    masked = frozenset(name for name in values if is_masked(ctx, object_name, name))
    made = Reading(object_name, record_id, 0, data["title"], names, values, dict(data["titles"]), masked)
    rules = rules_of(ctx.snapshot, object_name).fields
    for name, files_of in rows_files.attachments(ctx.snapshot, object_name).items():
        if values.get(name) is not None and name not in masked:
            made.files |= set(files_of(rules[name].parse(values[name])))
    for name, field in fields.items():
        if field.source == "lines":
            inner = f"{prefix}{name}."
            made.lines[name] = [
                _reading(ctx, field.of, line["id"], line, hidden, inner) for line in data["lines"].get(name, ())
            ]
            made.files |= {file for line in made.lines[name] for file in line.files}
    return made
