"""How steps write records: the one door, as a part of the transaction that they are in.

The door sets off steps, and steps go through the door: it is imported when it is used.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engine.access.scope import full_scope
from engine.context import SYSTEM, Context
from engine.errors import EngineError, InputProblem
from engine.rules.told import error_told, is_hidden, is_known
from engine.store.database import Connection
from engine.store.query import Query, SortKey, find
from metadata.formula import Node

__all__ = ["addresses", "change", "change_many", "counts", "create", "found", "page", "people", "remove", "through"]

Json = dict[str, Any]
MOST_FOUND = 1000


def create(ctx: Context, connection: Connection, object_name: str, values: Mapping[str, Any]) -> Json:
    from engine.service_writes import create_in

    with through(ctx, object_name):
        return create_in(ctx, connection, object_name, values)


def change(ctx: Context, connection: Connection, object_name: str, record_id: str, values: Mapping[str, Any]) -> Json:
    from engine.service_writes import update_in

    with through(ctx, object_name):
        return update_in(ctx, connection, object_name, record_id, values, None)


def change_many(
    ctx: Context, connection: Connection, object_name: str, each: Mapping[str, Mapping[str, Any]]
) -> None:  # fmt: skip
    """id -> values: a few statements for all of them, with all that a change of one brings."""
    from engine.service_writes import update_many_in

    with through(ctx, object_name):
        update_many_in(ctx, connection, object_name, each)


def remove(ctx: Context, connection: Connection, object_name: str, record_id: str) -> None:
    from engine.service_deletion import delete_in

    with through(ctx, object_name):
        delete_in(ctx, connection, object_name, record_id, None)


def page(
    ctx: Context, connection: Connection, object_name: str, rule: Node | None, limit: int, cursor: str
) -> tuple[list[str], str]:  # fmt: skip
    """Ids of records that the person of `ctx` may read, and where the next page begins."""
    query = Query(object_name, ("id",), limit=min(limit, MOST_FOUND), rule=rule, cursor=cursor)
    with through(ctx, object_name):
        answer = find(ctx, connection, query)
    return [str(row[0]) for row in answer.rows], answer.next or ""


def found(
    ctx: Context, connection: Connection, object_name: str, rule: Node | None, limit: int, sort: str = "",
    fields: Sequence[str] = ("id",),
) -> list[Json]:  # fmt: skip
    """JSON-ready records that the person of `ctx` may read, up to one more than MOST_FOUND: whoever asks for that many
    learns whether there are more. `sort`: "-amount,name"."""
    keys = tuple(SortKey(one.removeprefix("-"), one.startswith("-")) for one in sort.split(",") if one)
    query = Query(object_name, tuple(fields), sort=keys, limit=min(limit, MOST_FOUND), rule=rule)
    with through(ctx, object_name):
        answer = find(ctx, connection, query)
        records = [answer.reader.record(row) for row in answer.rows]
        if limit > MOST_FOUND and answer.next:
            answer = find(ctx, connection, replace(query, limit=1, cursor=answer.next))
            records += [answer.reader.record(row) for row in answer.rows]
        return records


def counts(
    ctx: Context, connection: Connection, object_name: str, field: str, rule: Node | None, users: Sequence[str]
) -> list[int]:  # fmt: skip
    """How many records each of them has, whoever may read these."""
    system = replace(ctx, actor=SYSTEM, scope=full_scope(ctx.snapshot))
    made: list[int] = []
    for user in users:
        query = Query(object_name, ("id",), conditions=((field, "=", user),), limit=1, count="exact", rule=rule)
        made.append(find(system, connection, query).count or 0)
    return made


def people(ctx: Context, connection: Connection, rule: Node | None, users: Sequence[str] | None) -> list[str]:
    """Active users that a filter lets through, of some in their order, or of all in the order of their names."""
    system = replace(ctx, actor=SYSTEM, scope=full_scope(ctx.snapshot))
    wanted = tuple(users) if users is not None else ()
    if users is not None and not wanted:
        return []
    query = Query(
        "user", ("id",), conditions=(("is_active", "=", True),), sort=(SortKey("username"),), limit=MOST_FOUND,
        ids=wanted, rule=rule,
    )  # fmt: skip
    found = [str(row[0]) for row in find(system, connection, query).rows]
    return [one for one in wanted if one in found] if users is not None else found


def addresses(ctx: Context, connection: Connection, users: Sequence[str]) -> list[str]:
    """Of active users, in their order."""
    system = replace(ctx, actor=SYSTEM, scope=full_scope(ctx.snapshot))
    if not users:
        return []
    query = Query("user", ("id", "email"), conditions=(("is_active", "=", True),), limit=MOST_FOUND, ids=tuple(users))
    found = find(system, connection, query)
    known = {one["id"]: one.get("email") for one in found.reader.records(found.rows)}
    return [str(known[one]) for one in users if known.get(one)]


@contextmanager
def through(ctx: Context, object_name: str) -> Iterator[None]:
    """What is refused in here is told in words that name no hidden field, and of no field of the first record; what is
    warned of, only to who may see that it is there."""
    before = len(ctx.warnings)
    try:
        yield
    except EngineError as error:
        told = error_told(ctx, object_name, error)
        found = told.problems or (InputProblem("", told.code, str(told), told.fix),)
        problems = [replace(one, values=(*one.values, ("object", object_name))) for one in found]
        raise type(told)(str(told), code=told.code, fix=told.fix, problems=problems) from error
    finally:
        if ctx.reader is not None:
            new = ctx.warnings[before:] if is_known(ctx.reader, object_name) else []
            ctx.warnings[before:] = [one for one in new if not is_hidden(ctx.reader, object_name, one.path)]
