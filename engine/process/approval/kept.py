"""Instances in the database: found, locked, and written together with their events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa

from engine.process.approval.state import Event, Instance, Participant, Run, State, Task, made, plain
from engine.store import system_approvals as tables
from engine.store import types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query_rows import loaders

__all__ = [
    "ended_of_record", "event_of_key", "events_of", "instance_of", "load", "lock", "of_key", "of_record", "of_records",
    "row_of_task", "running_on", "save",
]  # fmt: skip

KINDS: Sequence[tuple[sa.Table, type[Any], str]] = (
    (tables.approval_node, Run, "runs"), (tables.approval_task, Task, "tasks"),
    (tables.approval_participant, Participant, "participants"),
)  # fmt: skip
EVENT_NAMES = {"source": "from", "target": "to"}  # of an event: its column


def lock(connection: Connection, instance_id: str) -> State | None:
    """The state, kept from change by others until the transaction ends: that of the instance that called it, too."""
    if not types.is_id(instance_id):
        return None
    if connection.dialect == "postgresql":  # on SQLite there is one writer
        connection.rows(LOCK, (instance_id,))
    return load(connection, instance_id)


LOCK = "SELECT id FROM fs_approval WHERE id = (SELECT root FROM fs_approval WHERE id = %s) FOR UPDATE"


def load(connection: Connection, instance_id: str) -> State | None:
    instance = instance_of(connection, instance_id)
    if instance is None:
        return None
    state = State(instance)
    for table, kind, name in KINDS:
        getattr(state, name).update(
            (row.id, row) for row in read_rows(connection, kind, table, "instance", instance_id)
        )
    return state


def instance_of(connection: Connection, instance_id: str) -> Instance | None:
    if not types.is_id(instance_id):
        return None
    return next(iter(read_rows(connection, Instance, tables.approval, "id", instance_id)), None)


def of_key(connection: Connection, record: str, key: str) -> Instance | None:
    """What was submitted with this key."""
    table = tables.approval
    return first_of(connection, sa.select(table).where(table.c.record == record, table.c.key == key))


def of_record(connection: Connection, object_table: str, record: str) -> list[Instance]:
    """Newest first."""
    table = tables.approval
    wanted = sa.select(table).where(table.c.record == record, table.c.object == object_table)
    rows = connection.sa.execute(wanted.order_by(table.c.started_at.desc(), table.c.id.desc())).mappings()
    return [from_row(Instance, row) for row in rows]


def ended_of_record(
    connection: Connection, object_table: str, record: str, limit: int, before: tuple[datetime, str] | None = None
) -> list[Instance]:
    """Newest first; `before`: only those that began before this one, by its time and id."""
    c = tables.approval.c
    wanted = sa.select(tables.approval).where(c.record == record, c.object == object_table, c.ended_at.is_not(None))
    if before is not None:
        at = sa.literal(before[0], types.DateTime())
        wanted = wanted.where(sa.or_(c.started_at < at, sa.and_(c.started_at == at, c.id < before[1])))
    rows = connection.sa.execute(wanted.order_by(c.started_at.desc(), c.id.desc()).limit(limit)).mappings()
    return [from_row(Instance, row) for row in rows]


def of_records(connection: Connection, records: Sequence[str]) -> list[Instance]:
    """Of all these records, newest first."""
    table = tables.approval
    wanted = sa.select(table).where(table.c.record.in_(list(records))).order_by(table.c.started_at.desc())
    return [from_row(Instance, row) for row in connection.sa.execute(wanted).mappings()]


def running_on(connection: Connection, record: str, group: str = "") -> list[Instance]:
    table = tables.approval
    wanted = sa.select(table).where(table.c.record == record, table.c.ended_at.is_(None))
    if group:
        wanted = wanted.where(table.c.group == group)
    return [from_row(Instance, row) for row in connection.sa.execute(wanted).mappings()]


def row_of_task(connection: Connection, task: str) -> tuple[str, str] | None:
    """(its instance, the task's state) of a task."""
    if not types.is_id(task):
        return None
    table = tables.approval_task
    found = connection.sa.execute(sa.select(table.c.instance, table.c.state).where(table.c.id == task)).first()
    return (found[0], found[1]) if found else None


def events_of(connection: Connection, instance_id: str) -> list[Event]:
    table = tables.approval_event
    wanted = sa.select(table).where(table.c.instance == instance_id).order_by(table.c.seq)
    return [event_from(row) for row in connection.sa.execute(wanted).mappings()]


def event_of_key(connection: Connection, instance_id: str, key: str) -> Event | None:
    table = tables.approval_event
    wanted = sa.select(table).where(table.c.instance == instance_id, table.c.key == key)
    found = connection.sa.execute(wanted).mappings().first()
    return event_from(found) if found else None


def save(
    connection: Connection, state: State, events: Sequence[Event], touched: Mapping[str, Iterable[str]],
    fresh: Collection[str],
) -> None:  # fmt: skip
    """The events, and the rows that they changed. `touched`: "runs", "tasks", "participants" -> ids; `fresh`: those of
    them that are new."""
    if not events:
        return
    instance = state.instance
    write_rows(connection, tables.approval, [to_row(tables.approval, plain(instance))], is_new=events[0].seq == 1)
    for table, _, name in KINDS:
        rows = [getattr(state, name)[one] for one in dict.fromkeys(touched.get(name, ()))]
        for is_new in (True, False):
            values = [to_row(table, {**plain(row), "instance": instance.id}) for row in rows
                      if (row.id in fresh) is is_new]  # fmt: skip
            write_rows(connection, table, values, is_new=is_new)
    write_rows(connection, tables.approval_event, [event_row(event) for event in events], is_new=True)


# -- statements, each compiled once


@cache
def reading(dialect: str, table: sa.Table, column: str) -> tuple[Compiled, tuple[tuple[int, Any], ...]]:
    """Rows by one column, in the order in which they were made, and what makes Python values of the driver's."""
    order = (table.c.entered,) if "entered" in table.c else ()
    wanted = sa.select(table).where(table.c[column] == sa.bindparam("_of", type_=table.c[column].type))
    columns = [one.type for one in table.columns]
    return compile_sql(wanted.order_by(*order, table.c.id), dialect), loaders(columns, dialect, "loader")


def read_rows(connection: Connection, kind: type[Any], table: sa.Table, column: str, value: str) -> list[Any]:
    compiled, loads = reading(connection.dialect, table, column)
    names = table.columns.keys()
    found = []
    for row in connection.rows(compiled.sql, compiled.bind({"_of": value})):
        values = list(row)
        for place, load in loads:
            if values[place] is not None:
                values[place] = load(values[place])
        found.append(from_row(kind, dict(zip(names, values, strict=True))))
    return found


@cache
def writing(dialect: str, table: sa.Table, is_new: bool) -> Compiled:
    bound = {one: sa.bindparam(f"_{one.name}", type_=one.type) for one in table.columns}
    if is_new:
        return compile_sql(sa.insert(table).values(bound), dialect)
    key = sa.bindparam("_id", type_=table.c.id.type)
    rest = {one: value for one, value in bound.items() if one.name != "id"}
    return compile_sql(sa.update(table).where(table.c.id == key).values(rest), dialect)


def write_rows(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, is_new: bool) -> None:
    if rows:
        compiled = writing(connection.dialect, table, is_new)
        bound = [compiled.bind({f"_{name}": value for name, value in row.items()}) for row in rows]
        if len(bound) == 1:
            connection.run(compiled.sql, bound[0])
        else:
            connection.run_many(compiled.sql, bound)


def first_of(connection: Connection, wanted: sa.Select[Any]) -> Instance | None:
    found = connection.sa.execute(wanted).mappings().first()
    return from_row(Instance, found) if found else None


def from_row(kind: type[Any], row: Mapping[Any, Any]) -> Any:
    return made(kind, {**row, "data": orjson.loads(row["data"])} if "data" in row else row)


def to_row(table: sa.Table, values: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for column in table.columns:
        value = values.get(column.name)
        if column.name == "data":
            value = orjson.dumps(value or {}).decode()
        found[column.name] = None if value == "" and column.nullable else value
    return found


def event_row(event: Event) -> dict[str, Any]:
    values = {EVENT_NAMES.get(name, name): getattr(event, name) for name in Event.__slots__}
    values["attachments"] = orjson.dumps(event.attachments).decode() if event.attachments else None
    return to_row(tables.approval_event, values)


def event_from(row: Mapping[Any, Any]) -> Event:
    values = {name: row[EVENT_NAMES.get(name, name)] for name in Event.__slots__}
    values["data"] = orjson.loads(values["data"])
    values["attachments"] = tuple(orjson.loads(values["attachments"] or "[]"))
    nothing = {name: "" for name in ("on_behalf_of", "comment", "key") if values[name] is None}
    return Event(**{**values, **nothing})
