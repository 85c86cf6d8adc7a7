"""What administrators of processes look after: how many instances of each approval run, and each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import Forbidden
from engine.process.approval.inbox import no_cursor, read_cursor
from engine.process.approval.people import is_admin, names_of
from engine.process.approval.showing import approval_of, titles_of
from engine.process.approval.views import Person
from engine.process.approval.work import object_at
from engine.store import system_approvals as tables
from engine.store import types
from engine.store.database import Connection
from metadata.model import say
from metadata.processes import nodes_in

__all__ = ["STATES", "Number", "Running", "numbers", "running"]

STATES = ("RUNNING", "RETURNED", "SUSPENDED", "APPROVED", "REJECTED", "WITHDRAWN", "CANCELLED")
UNDER_WAY = ("RUNNING", "RETURNED", "SUSPENDED")
MOST = 200


@dataclass(frozen=True, slots=True)
class Number:
    """Of one approval. `counts`: state -> instances; `overdue`: instances with a task that should be decided by now."""

    approval: str
    label: str
    object: str
    is_active: bool
    counts: Mapping[str, int]
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """One instance. `nodes`: labels of the steps at which it is; `waiting`: those who are asked there."""

    id: str
    approval: str
    label: str
    object: str
    record: str
    title: str
    state: str
    reason: str
    round: int
    submitter: Person
    started_at: datetime
    ended_at: datetime | None
    nodes: tuple[str, ...] = ()
    waiting: tuple[Person, ...] = ()
    due_at: datetime | None = None
    is_overdue: bool = False


def need_admin(ctx: Context) -> None:
    if not is_admin(ctx):
        raise Forbidden("this needs the permission manage_processes", code="approval.admin", fix="ask who has it")


def numbers(ctx: Context) -> list[Number]:
    """Of all approvals that are defined, in the order of their labels, in two statements. Raises Forbidden."""
    need_admin(ctx)
    i, t = tables.approval.c, tables.approval_task.c
    counted = sa.select(i.approval, i.state, sa.func.count()).group_by(i.approval, i.state)
    late = (
        sa.select(i.approval, sa.func.count(sa.distinct(i.id)))
        .select_from(tables.approval_task.join(tables.approval, i.id == t.instance))
        .where(t.state == "PENDING", i.state == "RUNNING", t.due_at < sa.literal(ctx.now, types.DateTime()))
        .group_by(i.approval)
    )
    counts: dict[str, dict[str, int]] = {}
    with ctx.tenant.database.read() as connection:
        for name, state, count in connection.sa.execute(counted):
            counts.setdefault(name, {})[state] = int(count)
        overdue = {name: int(count) for name, count in connection.sa.execute(late)}
    found = [
        Number(
            name, say(one.label, ctx.language), one.object, one.is_active, counts.get(name, {}), overdue.get(name, 0)
        )
        for name, one in ctx.snapshot.definitions.processes.approvals.items()
    ]
    return sorted(found, key=lambda one: one.label)


def running(
    ctx: Context, *, approval: str = "", state: str = "", overdue: bool = False, limit: int = 50, cursor: str = ""
) -> tuple[list[Running], str | None]:
    """Newest first; without a state those that are under way. Raises Forbidden, and BadInput for a cursor."""
    need_admin(ctx)
    i, t = tables.approval.c, tables.approval_task.c
    wanted = sa.select(tables.approval).where(i.state.in_([state] if state in STATES else UNDER_WAY))
    if approval:
        wanted = wanted.where(i.approval == approval)
    if overdue:
        late = sa.select(t.instance).where(t.state == "PENDING", t.due_at < sa.literal(ctx.now, types.DateTime()))
        wanted = wanted.where(i.id.in_(late))
    if cursor:
        at, row = read_cursor(cursor)
        if at is None:
            raise no_cursor()
        wanted = wanted.where(sa.or_(i.started_at < at, sa.and_(i.started_at == at, i.id < row)))
    limit = max(1, min(limit, MOST))
    wanted = wanted.order_by(i.started_at.desc(), i.id.desc()).limit(limit + 1)
    with ctx.tenant.database.read() as connection:
        rows = [dict(row) for row in connection.sa.execute(wanted).mappings()]
        more = rows[limit - 1] if len(rows) > limit else None
        found = views(ctx, connection, rows[:limit])
    return found, f"{more['started_at'].isoformat()}|{more['id']}" if more else None


def views(ctx: Context, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Running]:
    t = tables.approval_task.c
    ids = [row["id"] for row in rows]
    asked = sa.select(t.instance, t.node, t.user, t.due_at).where(t.instance.in_(ids), t.state == "PENDING")
    tasks: dict[str, list[Any]] = {}
    for one in connection.sa.execute(asked.order_by(t.id)):
        tasks.setdefault(one.instance, []).append(one)
    users = [row["submitter"] or "" for row in rows] + [one.user or "" for those in tasks.values() for one in those]
    named = names_of(ctx, connection, users)
    by_object: dict[str, list[str]] = {}
    for row in rows:
        by_object.setdefault(object_at(ctx.snapshot, row["object"]), []).append(row["record"])
    titled: dict[str, str] = {}
    for object_name, records in by_object.items():
        titled |= titles_of(ctx, connection, object_name, list(dict.fromkeys(records)))
    return [view(ctx, row, tasks.get(row["id"], []), named, titled) for row in rows]


def view(
    ctx: Context, row: Mapping[str, Any], tasks: Sequence[Any], named: Mapping[str, str], titled: Mapping[str, str]
) -> Running:  # fmt: skip
    approval = approval_of(ctx, row["approval"], row["version"], tasks[0].node if tasks else "")
    labels = {node.name: say(node.label, ctx.language) for node in nodes_in(approval.flow)} if approval else {}
    nodes = dict.fromkeys(labels.get(one.node, one.node) for one in tasks)
    users = dict.fromkeys(one.user for one in tasks if one.user)
    due = min((one.due_at for one in tasks if one.due_at is not None), default=None)
    submitter = row["submitter"] or ""
    return Running(
        row["id"], row["approval"], say(approval.label, ctx.language) if approval else row["approval"],
        object_at(ctx.snapshot, row["object"]), row["record"], titled.get(row["record"], ""), row["state"],
        row["reason"] or "", row["round"], Person(submitter, named.get(submitter, "")), row["started_at"],
        row["ended_at"], tuple(nodes), tuple(Person(user, named.get(user, "")) for user in users), due,
        due is not None and due < ctx.now and row["state"] == "RUNNING",
    )  # fmt: skip
