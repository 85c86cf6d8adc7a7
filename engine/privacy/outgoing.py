"""Mails and calls about a person that were not sent yet, or could not be: they are jobs, and may hold anything."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.jobs import kinds
from engine.jobs.handlers import INSIDE
from engine.keyring import KeyMissing
from engine.mail.jobs import said_in
from engine.privacy.subject import Person, personal
from engine.store import rows_deletion
from engine.store.database import Connection
from engine.store.system_jobs import job

__all__ = ["NOT_SENT", "forget_outgoing", "held_outgoing"]

JOB_KINDS = kinds.MODULES  # are registered by this
NOT_SENT = "not sent: the person it was about was erased"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TO = ("to", "typed")  # whom a mail goes to, and who asked for a new password
NOTHING = "{}"  # the payload of what was sent
c = job.c


@dataclass(frozen=True, slots=True)
class Outgoing:
    id: str
    kind: str
    state: str
    created_at: datetime
    said: Mapping[str, Any]


def held_outgoing(ctx: Context, connection: Connection, person: Person) -> list[dict[str, Any]]:
    """JSON-ready, for an export."""
    return [
        {"kind": one.kind, "state": one.state, "created_at": one.created_at, **one.said}
        for one in outgoing(ctx, connection, person)
    ]


def forget_outgoing(ctx: Context, connection: Connection, person: Person) -> int:
    """How many are not sent any more. While the personal fields still say who is written to.

    They are marked as done, since what was given up may be done again; whoever carries one out right now finds its
    lease lost.
    """
    gone = list(outgoing(ctx, connection, person))
    for one in gone:
        over = {"state": "done", "done_at": ctx.now, "leased_by": None, "leased_until": None}
        change = sa.update(job).where(c.id == one.id).values(payload=NOTHING, error=NOT_SENT, **over)
        connection.sa.execute(change)
    return len(gone)


def outgoing(ctx: Context, connection: Connection, person: Person) -> Iterator[Outgoing]:
    """Jobs that act outside of the database, which name one of the person's records or go to an address of theirs."""
    ids = {one for those in person.records.values() for one in those}
    own = values_of(ctx, connection, person)
    wanted = sa.select(c.id, c.kind, c.state, c.created_at, c.payload).where(
        c.kind.not_in(sorted(INSIDE)), c.payload != NOTHING
    )
    for one, kind, state, at, payload in connection.sa.execute(wanted.order_by(c.id)).all():
        said = read(ctx, payload)
        is_to = any(str(said.get(name) or "").casefold() in own for name in TO if said.get(name))
        if is_to or not ids.isdisjoint(ID.findall(orjson.dumps(said).decode())):
            yield Outgoing(str(one), kind, state, at, said)


def read(ctx: Context, payload: str) -> Mapping[str, Any]:
    """{} for what nobody can read."""
    try:
        found: Mapping[str, Any] = said_in(ctx.tenant, orjson.loads(payload))
    except (KeyMissing, ValueError):
        return {}
    return found


def values_of(ctx: Context, connection: Connection, person: Person) -> set[str]:
    """What the personal fields say, as far as they are texts, without regard to case."""
    found: set[str] = set()
    for name, ids in person.records.items():
        rows = rows_deletion.stored(connection, ctx.snapshot, name, list(personal(ctx.snapshot, name)), list(ids))
        found |= {value.casefold() for row in rows.values() for value in row if isinstance(value, str)}
    return found
