"""What waits for a person, what they did, what they started and what they were told of: one statement for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.errors import BadInput
from engine.process.approval.refusals import bad
from engine.process.approval.views import Counts
from engine.store import system_approvals as tables
from engine.store import types
from engine.store.database import Connection

__all__ = [
    "BOXES", "DUE", "SORTS", "Box", "Filters", "Found", "Sort", "choices_of", "counts", "cursor_after", "no_cursor",
    "read_cursor", "rows_of", "waiting",
]  # fmt: skip

Box = Literal["todo", "done", "started", "cc"]
BOXES: Sequence[Box] = ("todo", "done", "started", "cc")
Sort = Literal["newest", "due"]
SORTS: Sequence[Sort] = ("newest", "due")
DUE = ("today", "week", "none")
WEEK = 7  # days, with today
MOST = 500
MOST_CHOICES = 1000
NOBODY: Any = sa.null()


@dataclass(frozen=True, slots=True)
class Filters:
    object: str = ""  # the physical name of its table
    approval: str = ""
    is_overdue: bool | None = None
    submitter: str = ""  # the id of a user
    due: str = ""  # "today", "week": until its end, what is overdue with it; "none": without a deadline
    sort: Sort = "newest"
    tasks: tuple[str, ...] | None = None  # only these, of the boxes todo and done


@dataclass(frozen=True, slots=True)
class Found:
    """A row of a box, as it is stored."""

    task: str
    node: str
    state: str
    instance: str
    approval: str
    object: str
    record: str
    version: int
    instance_state: str
    submitter: str
    started_at: datetime
    at: datetime
    due_at: datetime | None
    read_at: datetime | None
    user: str
    round: int
    data: dict[str, Any]
    task_data: dict[str, Any]
    row: str  # what the box is told apart by
    through: str  # the node through which the person reads the record now; "" for none


def rows_of(
    ctx: Context, connection: Connection, box: Box, filters: Filters, limit: int, cursor: str
) -> tuple[list[Found], str | None]:
    """In the order of the filters, and the cursor of what comes after them. Raises BadInput for a cursor that is
    none."""
    source, where, own = box_of(ctx, box)
    where += narrowed(ctx, filters, own)
    columns = {**own, **of_instance()}
    by_due = is_by_due(filters, box)
    if cursor:
        where.append(after(own, *read_cursor(cursor), by_due=by_due))
    names = Found.__slots__
    limit = max(1, min(limit, MOST))
    wanted = sa.select(*(columns[name].label(name) for name in names)).select_from(source).where(*where)
    no_due = sa.case((own["due_at"].is_(None), 1), else_=0)
    order = (no_due, own["due_at"].asc()) if by_due else (own["at"].desc(),)
    wanted = wanted.order_by(*order, own["row"].desc()).limit(limit + 1)
    found = [made(row) for row in connection.sa.execute(wanted).mappings()]
    return found[:limit], cursor_after(found[limit - 1], filters, box) if len(found) > limit else None


def box_of(ctx: Context, box: Box) -> tuple[Any, list[Any], dict[str, Any]]:
    """What it is read from, what is in it, and its own columns."""
    i, t, p = tables.approval.c, tables.approval_task.c, tables.approval_participant.c
    me = ctx.actor.id
    nothing: dict[str, Any] = {
        "task": NOBODY, "node": sa.literal(""), "due_at": NOBODY, "user": NOBODY, "task_data": sa.literal("{}"),
        "through": sa.literal(""),
    }  # fmt: skip
    source: Any = tables.approval
    if box in ("todo", "done"):
        source = tables.approval_task.join(tables.approval, i.id == t.instance)
        own: dict[str, Any] = {"task": t.id, "node": t.node, "due_at": t.due_at, "user": t.user, "task_data": t.data,
                               "state": t.state, "read_at": t.read_at, "row": t.id}  # fmt: skip
        own["at"] = t.opened_at if box == "todo" else t.decided_at
        own["through"] = t.node if box == "todo" else sa.literal("")
        where = mine(ctx.actor.id) if box == "todo" else [t.decided_by == me]
    elif box == "started":
        own = {**nothing, "state": i.state, "read_at": i.started_at, "at": i.started_at, "row": i.id}
        where = [i.submitter == me]
    else:
        source = tables.approval_participant.join(tables.approval, i.id == p.instance)
        own = {**nothing, "state": i.state, "read_at": p.read_at, "at": p.at, "row": p.id, "through": told_at()}
        where = [p.user == me, p.kind == "cc"]
    return source, where, own


def of_instance() -> dict[str, Any]:
    i = tables.approval.c
    return {
        "instance": i.id, "approval": i.approval, "object": i.object, "record": i.record, "version": i.version,
        "instance_state": i.state, "submitter": i.submitter, "started_at": i.started_at, "round": i.round,
        "data": i.data,
    }  # fmt: skip


def told_at() -> Any:
    """The node that told them, or whose person did; "" where they are told no longer."""
    p, run, task = tables.approval_participant.c, tables.approval_node.c, tables.approval_task.c
    of_run = sa.select(run.node).where(run.id == p.run).scalar_subquery()
    of_task = sa.select(task.node).where(task.id == p.task).scalar_subquery()
    return sa.case((p.state == "OPEN", sa.func.coalesce(of_run, of_task, "")), else_="")


def choices_of(ctx: Context, connection: Connection, box: Box) -> list[tuple[str, str, str, int]]:
    """(approval, object's table, submitter, version) of what is in a box: what there is to filter it by."""
    source, where, _ = box_of(ctx, box)
    i = tables.approval.c
    of = (i.approval, i.object, i.submitter)
    wanted = sa.select(*of, sa.func.max(i.version)).select_from(source).where(*where).group_by(*of)
    return [(row[0], row[1], row[2] or "", int(row[3])) for row in connection.sa.execute(wanted.limit(MOST_CHOICES))]


def mine(user: Any) -> list[Any]:
    """Tasks that the person (an id, or a parameter) may decide now: their own, those of a queue, and of those who are
    away."""
    i, t, p = tables.approval.c, tables.approval_task.c, tables.approval_participant.c
    offered = sa.select(p.task).where(p.user == user, p.state == "OPEN", p.task.is_not(None))
    queued, acting = (offered.where(p.kind == kind) for kind in ("queue", "agent"))
    is_mine = sa.or_(t.user == user, sa.and_(t.user.is_(None), t.id.in_(queued)), t.id.in_(acting))
    return [t.state == "PENDING", i.state == "RUNNING", is_mine]


def narrowed(ctx: Context, filters: Filters, own: dict[str, Any]) -> list[Any]:
    i, due_at = tables.approval.c, own["due_at"]
    where: list[Any] = []
    if filters.object:
        where.append(i.object == filters.object)
    if filters.approval:
        where.append(i.approval == filters.approval)
    if filters.submitter:
        where.append(i.submitter == filters.submitter if types.is_id(filters.submitter) else sa.false())
    if filters.tasks is not None:
        ids = [one for one in filters.tasks if types.is_id(one)]
        where.append(own["task"].in_(ids) if ids else sa.false())
    if filters.is_overdue is True:
        where.append(due_at < sa.literal(ctx.now, types.DateTime()))
    elif filters.is_overdue is False:
        where.append(sa.or_(due_at.is_(None), due_at >= sa.literal(ctx.now, types.DateTime())))
    if filters.due == "none":
        where.append(due_at.is_(None))
    elif filters.due:
        where.append(due_at < sa.literal(end_of(ctx, WEEK if filters.due == "week" else 1), types.DateTime()))
    return where


def end_of(ctx: Context, days: int) -> datetime:
    """The midnight, where the person is, that ends the last of so many days that begin with today."""
    today = ctx.now.astimezone(ctx.time_zone).date()
    return datetime.combine(today + timedelta(days=days), time(), ctx.time_zone).astimezone(UTC)


def after(own: dict[str, Any], moment: datetime | None, row: str, *, by_due: bool) -> Any:
    """What comes after this place. Raises BadInput for a cursor of another order."""
    key = own["due_at"] if by_due else own["at"]
    if moment is None:
        if not by_due:
            raise no_cursor()
        return sa.and_(key.is_(None), own["row"] < row)
    at = sa.literal(moment, types.DateTime())
    beside = sa.and_(key == at, own["row"] < row)
    return sa.or_(key > at, key.is_(None), beside) if by_due else sa.or_(key < at, beside)


def made(row: Any) -> Found:
    values = {name: row[name] for name in Found.__slots__}
    return Found(**{
        **values, "task": values["task"] or "", "user": values["user"] or "", "submitter": values["submitter"] or "",
        "data": orjson.loads(values["data"]), "task_data": orjson.loads(values["task_data"]),
    })  # fmt: skip


def is_by_due(filters: Filters, box: Box) -> bool:
    return filters.sort == "due" and box in ("todo", "done")


def cursor_after(row: Found, filters: Filters, box: Box) -> str:
    moment = row.due_at if is_by_due(filters, box) else row.at
    return f"{moment.isoformat() if moment else ''}|{row.row}"


def read_cursor(text: str) -> tuple[datetime | None, str]:
    """The moment is None after what has no deadline."""
    at, _, row = text.partition("|")
    try:
        found = datetime.fromisoformat(at) if at else None
        if (found is not None and found.tzinfo is None) or not types.is_id(row):
            raise no_cursor()
        return (None if found is None else found.astimezone(UTC)), row
    except (ValueError, OverflowError):
        raise no_cursor() from None


def no_cursor() -> BadInput:
    return bad("query.value", "the cursor is not one that was given out", "cursor", "begin without one")


def waiting(ctx: Context, connection: Connection) -> tuple[int, int]:
    """How many tasks wait for the person, and how many of these are overdue."""
    todo, overdue = connection.sa.execute(waiting_asked(), {"me": ctx.actor.id, "now": ctx.now}).one()
    return int(todo), int(overdue)


@cache
def waiting_asked() -> sa.Select[int, int]:
    """Of `me` and `now`: every page asks it, so it is made once."""
    i, t = tables.approval.c, tables.approval_task.c
    late = sa.case((t.due_at < sa.bindparam("now", type_=types.DateTime()), 1))
    source = tables.approval_task.join(tables.approval, i.id == t.instance)
    return sa.select(sa.func.count(), sa.func.count(late)).select_from(source).where(*mine(sa.bindparam("me")))


def counts(ctx: Context, connection: Connection) -> Counts:
    """Of all boxes."""
    i, t, p = tables.approval.c, tables.approval_task.c, tables.approval_participant.c
    me = ctx.actor.id
    done = sa.select(sa.func.count()).select_from(tables.approval_task).where(t.decided_by == me)
    started = sa.select(sa.func.count()).select_from(tables.approval).where(i.submitter == me, i.ended_at.is_(None))
    told = sa.select(sa.func.count()).select_from(tables.approval_participant)
    told = told.where(p.user == me, p.kind == "cc", p.read_at.is_(None))
    row = connection.sa.execute(sa.select(*(one.scalar_subquery() for one in (done, started, told)))).one()
    return Counts(*waiting(ctx, connection), *(int(one) for one in row))
