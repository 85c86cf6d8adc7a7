"""What a record was when it was submitted and at each decision, in the words of that time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import SYSTEM, Context, context_of
from engine.process.reading import Reading, read_for
from engine.process.visible import is_masked, mask_value, visible_fields
from engine.snapshot import Snapshot
from engine.store import rows_files
from engine.store.database import Connection
from engine.store.lasting import name_now
from engine.store.system_approvals import approval, approval_event
from engine.store.system_locks import approval_snapshot as table
from engine.store.system_locks import change_request
from metadata.model import SYSTEM_FIELDS
from metadata.processes import APPROVAL_STATUS, Approval, Node

__all__ = [
    "WHOLE", "Kept", "data_of", "fields_between", "forget", "keep", "kept_of", "reading_of_kept", "seen_data",
    "seen_of", "take", "taken",
]  # fmt: skip

Json = dict[str, Any]
WHOLE = Node("", "approve", {})  # hides nothing
NOT_KEPT = frozenset((APPROVAL_STATUS, "created_at", "created_by", "modified_at", "modified_by"))


@dataclass(frozen=True, slots=True)
class Kept:
    """One snapshot. `data`: {"title", "values": column -> JSON value, "reckoned": field without a column -> value,
    "choices": column -> {value: {language: label}}, "titles": id -> title, "lines": field -> [the same, with "id"],
    "cut": the lines of which there were more than a snapshot holds, if any}."""

    instance: str
    seq: int
    object: str
    record: str
    record_version: int
    version: int
    at: datetime
    by: str
    task: str
    node: str
    data: Json


def take(
    ctx: Context, connection: Connection, instance: str, seq: int, object_name: str, record_id: str, *, task: str = "",
    node: str = "",
) -> None:  # fmt: skip
    """Within the transaction of the event `seq`. Says it once where nothing has changed since the snapshot before."""
    keep(ctx, connection, instance, seq, object_name, record_id, *taken(ctx, connection, object_name, record_id),
         task=task, node=node)  # fmt: skip


def taken(ctx: Context, connection: Connection, object_name: str, record_id: str) -> tuple[Json, int]:
    """What a snapshot would hold now, JSON-ready, and the record's version. Raises NotFound."""
    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot)
    found = read_for(system, connection, Approval("", {}, object_name, ()), WHOLE, object_name, record_id)
    made: Json = orjson.loads(orjson.dumps(data_of(system, found), default=str))
    return made, found.version


def fields_between(before: Json, after: Json) -> list[str]:
    """Columns, fields without one and fields of lines that differ between two snapshots."""
    parts = ("values", "reckoned", "lines")
    return [name for part in parts for name in after[part] if before[part].get(name) != after[part][name]]


def keep(
    ctx: Context, connection: Connection, instance: str, seq: int, object_name: str, record_id: str, found: Json,
    record_version: int, *, task: str = "", node: str = "",
) -> None:  # fmt: skip
    data = orjson.dumps(found, option=orjson.OPT_SORT_KEYS, default=str).decode()
    c = table.c
    last = sa.select(c.seq, c.data).where(c.instance == instance, c.data.is_not(None)).order_by(c.seq.desc()).limit(1)
    before = connection.sa.execute(last).first()
    same = before.seq if before is not None and before.data == data else None
    connection.sa.execute(sa.insert(table).values({
        "instance": instance, "seq": seq, "object": ctx.snapshot.physical.names.tables[object_name],
        "record": record_id, "record_version": record_version, "version": ctx.snapshot.version, "at": ctx.now,
        "by": ctx.actor.id or None, "task": task, "node": node, "same": same, "data": None if same else data,
    }))  # fmt: skip


def data_of(ctx: Context, reading: Reading) -> Json:
    fields = {**ctx.snapshot.definitions.objects[reading.object].fields, **SYSTEM_FIELDS}
    columns = ctx.snapshot.physical.names.columns[reading.object]
    choices: Json = {}
    values: Json = {}
    reckoned: Json = {}
    for name, value in reading.values.items():
        if name in NOT_KEPT:
            continue
        if name not in columns and name not in SYSTEM_FIELDS:
            reckoned[name] = value
            continue
        values[columns.get(name, name)] = value
        held = _texts_in(value)
        if labels := {one.value: dict(one.label) for one in fields[name].choices if one.value in held}:
            choices[columns.get(name, name)] = labels
    lines = {name: [{"id": one.id, **data_of(ctx, one)} for one in found] for name, found in reading.lines.items()}
    return {
        "title": reading.title, "values": values, "reckoned": reckoned, "choices": choices, "titles": reading.titles,
        "lines": lines, **({"cut": sorted(reading.cut)} if reading.cut else {}),
    }  # fmt: skip


def _texts_in(value: Any) -> set[str]:
    return {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}


def kept_of(connection: Connection, ctx: Context, instance: str) -> list[Kept]:
    """All of an instance, the oldest first."""
    found: dict[int, Kept] = {}
    objects = ctx.snapshot.physical.names.objects
    for row in connection.sa.execute(sa.select(table).where(table.c.instance == instance).order_by(table.c.seq)):
        data = found[row.same].data if row.same in found else {}
        if row.data is not None:
            data = _called_now(ctx, row.version, row.object, orjson.loads(row.data))
        found[row.seq] = Kept(
            row.instance, row.seq, objects.get(row.object, ""), row.record, row.record_version, row.version, row.at,
            row.by or "", row.task, row.node, data,
        )  # fmt: skip
    return list(found.values())


def _called_now(ctx: Context, version: int, table: str, data: Json) -> Json:
    """With lines, and what is worked out, under the names that these have now."""
    objects = ctx.snapshot.physical.names.objects
    if not data or version == ctx.snapshot.version or table not in objects:
        return data
    fields = ctx.snapshot.definitions.objects[objects[table]].fields
    names = {name: name for name in (*data["reckoned"], *data["lines"])}
    if names.keys() - fields.keys():
        then = ctx.tenant.at(version)
        former = then.physical.names.objects[table]
        names = {name: name_now(then, former, ctx.snapshot, objects[table], name) or name for name in names}
    tables = ctx.snapshot.physical.names.tables
    lines = {names[name]: held for name, held in data["lines"].items()}
    return {
        **data, "reckoned": {names[name]: value for name, value in data["reckoned"].items()},
        "lines": {
            name: [_called_now(ctx, version, tables[fields[name].of], one) for one in held] if name in fields else held
            for name, held in lines.items()
        },
        **({"cut": [names.get(name, name) for name in data["cut"]]} if "cut" in data else {}),
    }  # fmt: skip


def seen_of(ctx: Context, kept: Kept, hidden: Sequence[str]) -> Kept:
    """As somebody sees it to whom `hidden` is hidden: without those fields, and masked like the record itself."""
    return replace(kept, data=seen_data(ctx, kept.object, kept.data, hidden, ""))


def seen_data(ctx: Context, object_name: str, data: Json, hidden: Sequence[str], prefix: str) -> Json:
    if object_name not in ctx.snapshot.definitions.objects or not data:
        return {}
    names = frozenset(visible_fields(ctx, object_name, hidden, prefix))
    now = _names(ctx.snapshot, object_name)
    shown = {
        column: mask_value(ctx, object_name, now[column], value)
        for column, value in data["values"].items() if now.get(column) in names
    }  # fmt: skip
    fields = ctx.snapshot.definitions.objects[object_name].fields
    held = {one.rpartition("/")[2] for value in shown.values() for one in _texts_in(value)}
    title = ctx.snapshot.definitions.objects[object_name].title
    return {
        **({"id": data["id"]} if "id" in data else {}),
        "title": str(mask_value(ctx, object_name, title, data["title"])) if title in names else "",
        "values": shown,
        "reckoned": {name: mask_value(ctx, object_name, name, one) for name, one in data["reckoned"].items()
                     if name in names},
        "choices": {column: labels for column, labels in data["choices"].items() if column in shown},
        "titles": {one: text for one, text in data["titles"].items() if one in held},
        "lines": {
            name: [seen_data(ctx, fields[name].of, line, hidden, f"{prefix}{name}.") for line in lines]
            for name, lines in data["lines"].items() if name in names and name in fields
        },
        **({"cut": [name for name in data["cut"] if name in names]} if "cut" in data else {}),
    }  # fmt: skip


def reading_of_kept(ctx: Context, kept: Kept) -> Reading:
    """A snapshot, as `seen_of` leaves it, by the names that the fields have now."""
    return replace(_reading_of(ctx, kept.object, kept.record, kept.data), version=kept.record_version)


def _reading_of(ctx: Context, object_name: str, record_id: str, data: Json) -> Reading:
    names = _names(ctx.snapshot, object_name)
    values = {names[column]: value for column, value in data["values"].items()} | data["reckoned"]
    fields = ctx.snapshot.definitions.objects[object_name].fields
    ordered = tuple(name for name in (*fields, *SYSTEM_FIELDS) if name in values or name in data["lines"])
    masked = frozenset(name for name in values if is_masked(ctx, object_name, name))
    made = Reading(object_name, record_id, 0, data["title"], ordered, values, dict(data["titles"]), masked)
    for name, lines in data["lines"].items():
        made.lines[name] = [_reading_of(ctx, fields[name].of, line["id"], line) for line in lines]
        made.files |= {file for line in made.lines[name] for file in line.files}
    for name in rows_files.attachments(ctx.snapshot, object_name):
        if name in values and name not in masked:
            held = values[name] if isinstance(values[name], list) else [values[name]]
            made.files |= {str(one["id"]) for one in held if isinstance(one, dict) and "id" in one}
    return made


def _names(snapshot: Snapshot, object_name: str) -> Mapping[str, str]:
    """Column -> field."""
    found = {column: name for name, column in snapshot.physical.names.columns[object_name].items()}
    return {**found, **{name: name for name in SYSTEM_FIELDS}}


def forget(
    connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str], fields: Sequence[str]
) -> None:
    """What these fields of these records held, wherever approvals keep it: in what was submitted and decided on, of the
    records themselves, of lines, and as the titles of what others refer to."""
    columns = frozenset(snapshot.physical.names.columns[object_name][name] for name in fields)
    for one in ids:
        holding = sa.or_(table.c.record == one, table.c.data.contains(one))
        for row in connection.sa.execute(sa.select(table).where(holding, table.c.data.is_not(None))).all():
            data = _without(orjson.loads(row.data), one, columns, row.record == one)
            here = sa.and_(table.c.instance == row.instance, table.c.seq == row.seq)
            connection.sa.execute(sa.update(table).where(here).values(data=orjson.dumps(data).decode()))
        for row in connection.sa.execute(sa.select(change_request).where(change_request.c.record == one)).all():
            values = orjson.loads(row._mapping["values"])
            left = {column: value for column, value in values.items() if column not in columns}
            change = sa.update(change_request).where(change_request.c.id == row.id)
            connection.sa.execute(change.values({"values": orjson.dumps(left).decode()}))
        c = change_request.c
        drafts = sa.select(change_request).where(sa.or_(c.record == one, c.draft.contains(one)), c.draft.is_not(None))
        for row in connection.sa.execute(drafts).all():
            draft = orjson.loads(row.draft)
            is_it = row.record == one
            if "shown" in draft:
                draft["shown"] = _without(draft["shown"], one, columns, is_it)
            if is_it:
                for part in (draft.get("stored", {}), *(edit["values"] for edit in draft.get("edits", ()))):
                    for column in columns & part.keys():
                        part[column] = None
            change = sa.update(change_request).where(change_request.c.id == row.id)
            connection.sa.execute(change.values(draft=orjson.dumps(draft).decode()))
        for mine in connection.sa.execute(sa.select(approval).where(approval.c.record == one)).all():
            data = _unsent(orjson.loads(mine.data), columns)
            change = sa.update(approval).where(approval.c.id == mine.id)
            connection.sa.execute(change.values(data=orjson.dumps(data).decode()))
            events = sa.select(approval_event).where(approval_event.c.instance == mine.id)
            for event in connection.sa.execute(events).all():
                said = orjson.loads(event.data)
                inner = (said.get("set") or {}).get("data")
                if inner and "sent" in inner:  # alike, so that what is folded from the events is what is stored
                    said["set"]["data"] = _unsent(inner, columns)
                    here = sa.and_(approval_event.c.instance == mine.id, approval_event.c.seq == event.seq)
                    change = sa.update(approval_event).where(here)
                    connection.sa.execute(change.values(data=orjson.dumps(said).decode()))


def _unsent(data: Json, columns: frozenset[str]) -> Json:
    if "sent" not in data:
        return data
    return {**data, "sent": {name: value for name, value in data["sent"].items() if name not in columns}}


def _without(data: Json, record: str, columns: frozenset[str], is_it: bool) -> Json:
    is_it = is_it or data.get("id") == record
    if is_it:
        data["values"] = {column: value for column, value in data["values"].items() if column not in columns}
        data["choices"] = {column: value for column, value in data["choices"].items() if column not in columns}
        data["title"] = ""
    data["reckoned"] = {}  # may be worked out from it
    data["titles"].pop(record, None)
    data["lines"] = {
        name: [_without(line, record, columns, is_it=False) for line in lines] for name, lines in data["lines"].items()
    }  # fmt: skip
    return data
