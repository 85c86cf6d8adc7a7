"""Tell people: a notification in the product, and a mail where they or the definitions want one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.context import Context
from engine.jobs.port import enqueue
from engine.process.preferences import wants_mail
from engine.snapshot import Snapshot
from engine.store import system_jobs
from engine.store.database import Connection, new_id
from engine.store.types import is_id

__all__ = ["MADE", "notify"]

USER = "user"
notification = system_jobs.notification
MADE = "notice"  # the kind of the jobs that make what a notification says, and send it: notice_jobs.py


def notify(
    ctx: Context, connection: Connection, users: Sequence[str], kind: str, *, object_name: str = "", record: str = "",
    link: str = "", template: str = "", values: Mapping[str, Any] | None = None, key: str = "",
) -> None:  # fmt: skip
    """Within the caller's transaction. `kind`: "approval.asked", "automation", …: its words stand in the locale, unless
    a `template` has them; `values` fill in both. `link`: a path of the screens. `key`: each is told once by it.

    Whoever is not active is told nothing. `{title}` is the record's title and `{actor}` the name of the user whose id
    the value is, as far as the reader may see them; other values are shown to all readers as they are.
    """
    people = active(connection, ctx.snapshot, users)
    mailed = wants_mail(connection, people, kind)
    insert = (sqlite if connection.dialect == "sqlite" else postgresql).insert(notification)
    statement = insert.on_conflict_do_nothing().returning(notification.c.id)
    said = orjson.dumps(dict(values or {}), default=str).decode()
    for user in people:
        row = {
            "id": new_id(ctx.now), "user": user, "kind": kind, "object": object_name or None, "record": record or None,
            "link": link if is_path(link) else None, "values": said, "template": template or None, "subject": None,
            "body": None, "key": key or None, "created_at": ctx.now, "read_at": None,
        }  # fmt: skip
        made = connection.sa.execute(statement, row).first()
        if made is not None and (template or user in mailed):
            payload = {"notification": made[0], "mail": user in mailed}
            enqueue(connection, MADE, payload, now=ctx.now, by=ctx.actor.id or None)


def active(connection: Connection, snapshot: Snapshot, users: Iterable[str]) -> list[str]:
    """Of these users those who may sign in, each once and in their order."""
    wanted = [user for user in dict.fromkeys(users) if is_id(user)]
    table = snapshot.physical.table(USER)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        query = sa.select(table.c.id).where(table.c.id.in_(part), table.c.is_active, table.c.deleted_at.is_(None))
        found.update(map(str, connection.sa.execute(query).scalars()))
    return [user for user in wanted if user in found]


def is_path(link: str) -> bool:
    """Whether it is a path of this server, and of no other."""
    return link.startswith("/") and not link.startswith("//") and "\\" not in link and link.isprintable()
