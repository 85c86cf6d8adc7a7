"""What a person was told: the list, how much of it is new, and that it was read."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.context import Context
from engine.errors import NotFound, bad_at
from engine.process.notice_jobs import Notice, seen_by
from engine.store import system_jobs
from engine.store.database import Connection
from engine.store.types import is_id

__all__ = ["State", "list_notices", "mark_all_read", "mark_read", "prune", "state_of"]

KEPT = timedelta(days=180)
PIECE = 1000
notification = system_jobs.notification
c = notification.c
State = tuple[int, str]
"""How many are unread, and the id of the newest; "" where there are none."""


def list_notices(ctx: Context, *, unread: bool, limit: int, cursor: str = "") -> tuple[list[Notice], str]:
    """Newest first, and the cursor of the next ones, or "". Raises BadInput."""
    if cursor and not is_id(cursor):
        raise bad_at("cursor", "cursor.invalid", "this cursor is none of ours", "start without one")
    query = sa.select(*c).where(c.user == ctx.actor.id).order_by(c.id.desc()).limit(limit + 1)
    if unread:
        query = query.where(c.read_at.is_(None))
    if cursor:
        query = query.where(c.id < cursor)
    with ctx.tenant.database.read() as connection:
        rows = connection.sa.execute(query).mappings().all()
    notices = seen_by(ctx, [dict(row) for row in rows[:limit]])
    return notices, notices[-1].id if len(rows) > limit else ""


def state_of(ctx: Context) -> State:
    newest = sa.select(c.id).where(c.user == ctx.actor.id).order_by(c.id.desc()).limit(1).scalar_subquery()
    unread = sa.select(sa.func.count()).where(c.user == ctx.actor.id, c.read_at.is_(None)).scalar_subquery()
    with ctx.tenant.database.read() as connection:
        count, last = connection.sa.execute(sa.select(unread, newest)).one()
    return int(count), str(last or "")


def mark_read(ctx: Context, notice: str) -> None:
    """Raises NotFound for one that is not the person's own. Once read, it stays so since then."""
    if not is_id(notice):
        raise NotFound("no such notification")
    mine = (c.id == notice, c.user == ctx.actor.id)
    with ctx.tenant.database.write() as connection:
        if connection.sa.execute(sa.select(c.id).where(*mine)).first() is None:
            raise NotFound("no such notification")
        connection.sa.execute(sa.update(notification).where(*mine, c.read_at.is_(None)).values(read_at=ctx.now))


def mark_all_read(ctx: Context, upto: str = "") -> int:
    """All that are not newer than `upto`: what the person had before their eyes. Returns how many."""
    unread = sa.update(notification).where(c.user == ctx.actor.id, c.read_at.is_(None))
    if upto:
        if not is_id(upto):
            raise bad_at("upto", "value.type", "'upto' is the id of a notification")
        unread = unread.where(c.id <= upto)
    with ctx.tenant.database.write() as connection:
        return connection.sa.execute(unread.values(read_at=ctx.now)).rowcount


def prune(connection: Connection, now: datetime) -> int:
    """Remove those that are half a year old, a piece at a time."""
    old = sa.select(c.id).where(c.created_at <= now - KEPT).limit(PIECE)
    return connection.sa.execute(sa.delete(notification).where(c.id.in_(old.scalar_subquery()))).rowcount
