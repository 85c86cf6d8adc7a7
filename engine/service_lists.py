"""Lists of records in an answer: the lines of a record, and the ids of records that refer to it."""

from collections.abc import Sequence
from typing import Any

from engine.context import Context
from engine.errors import BadInput, InputProblem
from engine.store.database import Connection
from engine.store.query_lists import Listed, records_of
from engine.store.query_paths import field_of, need_object
from metadata.model import Field

__all__ = [
    "MOST_LINES", "MOST_RECORDS", "POSITION", "attach", "check_limit", "order_of", "parted",
    "tables_in", "with_lines",
]  # fmt: skip

MOST_LINES = 1000  # of one record
MOST_LISTED_LINES = 100  # of each record in a list of records
MOST_REFERRING = 200
MOST_RECORDS = 200  # in a list of records with their lines
POSITION = "position"

Json = dict[str, Any]


def tables_in(ctx: Context, object_name: str) -> tuple[str, ...]:
    """Tables of lines that a record is read with unless fields are named."""
    key = ("tables", ctx.scope.key, object_name)
    if key not in ctx.snapshot.cache:
        readable = ctx.scope.readable(object_name)
        ctx.snapshot.cache[key] = tuple(
            name for name, field in readable.items()
            if field.source == "lines" and not field.is_hidden and ctx.scope.can("read", field.of)
        )  # fmt: skip
    found: tuple[str, ...] = ctx.snapshot.cache[key]
    return found


def parted(ctx: Context, object_name: str, fields: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(fields that have a value, lists of records) among those asked for. Raises as `need_path` for what is unknown."""
    need_object(ctx.scope, object_name)
    readable = ctx.scope.readable(object_name)
    lists = tuple(dict.fromkeys(name for name in fields if (one := readable.get(name)) and one.is_list_of_records))
    if not lists:
        return tuple(fields), ()
    for name in lists:
        if not ctx.scope.can("read", readable[name].of):
            raise unknown(ctx, object_name, name)
    return tuple(name for name in fields if name not in lists) or ("id",), lists


def unknown(ctx: Context, object_name: str, name: str) -> BadInput:
    """As of a field that does not exist: what it lists may not be read."""
    message = f"no field '{name}' in '{object_name}'"
    values = (("name", name), ("object", object_name))
    return BadInput(
        message, code="field.unknown", problems=[InputProblem("fields", "field.unknown", message, "", values)]
    )


def check_limit(lists: Sequence[str], limit: int) -> None:
    if lists and limit > MOST_RECORDS:
        message = f"with '{lists[0]}' a list has at most {MOST_RECORDS} records, not {limit}"
        raise BadInput(
            message, code="query.limit", fix=f"write limit={MOST_RECORDS}",
            problems=[InputProblem("limit", "query.limit", message)],
        )  # fmt: skip


def order_of(ctx: Context, child: str) -> tuple[str, ...]:
    """Lines are in the order of their positions, where they have any."""
    definition = ctx.snapshot.definitions.objects[child]
    field = definition.fields.get(POSITION)
    return (POSITION,) if definition.kind == "child" and field and field.value == "number" and field.is_stored else ()


def listed(
    ctx: Context, connection: Connection, object_name: str, field: Field, ids: Sequence[str], most: int,
    fields: tuple[str, ...] = (),
) -> dict[str, Listed]:  # fmt: skip
    by = field_of(ctx.snapshot, field.of, field.by)
    order = order_of(ctx, field.of) if field.source == "lines" else ()
    return records_of(ctx, connection, object_name, ids, field.of, by, fields, order, most)


def attach(
    ctx: Context, connection: Connection, object_name: str, records: Sequence[Json], lists: Sequence[str], is_one: bool
) -> None:
    """Puts the lists into JSON-ready records, with `lines_is_truncated` where there are more."""
    if not lists or not records:
        return
    ids = [record["id"] for record in records]
    for name in lists:
        field = ctx.scope.readable(object_name)[name]
        if field.source == "lines":
            found = listed(ctx, connection, object_name, field, ids, MOST_LINES if is_one else MOST_LISTED_LINES)
        else:
            found = listed(ctx, connection, object_name, field, ids, MOST_REFERRING, ("id",))
        for record in records:
            one = found[record["id"]]
            record[name] = one.records() if field.source == "lines" else [row[0] for row in one.rows]
            if one.is_truncated:
                record[f"{name}_is_truncated"] = True


def with_lines(ctx: Context, connection: Connection, object_name: str, record: Json) -> Json:
    """A record that was written, with its lines; as it is where this person may not read it."""
    lists = tables_in(ctx, object_name)
    if lists and "created_at" in record:
        record = dict(record)
        attach(ctx, connection, object_name, [record], lists, is_one=True)
    return record
