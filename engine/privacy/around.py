"""What is kept around a person's records: what people were told of them, runs of automations, and what was said in
their approvals. Of a user also what they chose, how they signed in, and what they said."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.privacy.subject import USER, Person
from engine.store import system
from engine.store.database import Connection
from engine.store.system_approvals import approval, approval_event, approval_link
from engine.store.system_jobs import notification, preference
from engine.store.system_locks import agent
from engine.store.system_runs import run

__all__ = ["NEUTRAL", "forget_around", "held_around", "said"]

NEUTRAL = "[erased]"
PIECE = 500
OF_USER = (
    preference, notification, approval_link, system.credential, system.password_before, system.totp,
    system.recovery_code, system.identity, system.mail_link, system.halfway, system.session, system.token,
    system.idempotency,
)  # fmt: skip
NOTICE = ("kind", "object", "record", "subject", "body", "created_at", "read_at")


def held_around(ctx: Context, connection: Connection, person: Person) -> dict[str, Any]:
    """JSON-ready, for an export."""
    told = [dict(row) for where in about(person) for row in connection.sa.execute(
        sa.select(*(notification.c[name] for name in NOTICE)).where(where).order_by(notification.c.id)
    ).mappings()]  # fmt: skip
    found: dict[str, Any] = {"notifications": told, "said": [dict(row) for row in said(ctx, connection, person)]}
    if person.object == USER:
        chosen = connection.sa.execute(
            sa.select(preference.c.name, preference.c.value).where(is_of(preference, person))
        )
        found["preferences"] = {name: orjson.loads(value) for name, value in chosen}
        away = sa.select(agent.c["from"], agent.c.to, agent.c.reason).where(is_of(agent, person))
        found["away"] = [dict(row) for row in connection.sa.execute(away).mappings()]
    return found


def said(ctx: Context, connection: Connection, person: Person) -> Iterator[Any]:
    """Comments in approvals: those of a user, or those about these records."""
    event, of = approval_event.c, approval.c
    wanted = sa.select(of.approval, of.object, of.record, event.action, event.actor, event.at, event.comment)
    wanted = wanted.join_from(approval_event, approval, of.id == event.instance)
    wanted = wanted.where(event.comment.is_not(None)).order_by(event.at, event.instance, event.seq)
    if person.object == USER:
        yield from connection.sa.execute(wanted.where(event.actor == person.id)).mappings()
        return
    for name, ids in pieces(person):
        table = ctx.snapshot.physical.names.tables[name]
        yield from connection.sa.execute(wanted.where(of.object == table, of.record.in_(ids))).mappings()


def forget_around(ctx: Context, connection: Connection, person: Person) -> int:
    """All of it but what was said in approvals, which are records of the business; of this, how many are kept."""
    for where in about(person):
        connection.sa.execute(sa.delete(notification).where(where))
    for _, ids in pieces(person):
        error = sa.case((run.c.error.is_not(None), NEUTRAL))
        inputs = sa.case((run.c.ended_at.is_(None), run.c.inputs))  # one that waits goes on with them
        told = {"inputs": inputs, "outputs": None, "error": error}
        connection.sa.execute(sa.update(run).where(run.c.record.in_(ids)).values(told))
    if person.object == USER:
        for table in OF_USER:
            connection.sa.execute(sa.delete(table).where(is_of(table, person)))
        connection.sa.execute(sa.update(agent).where(is_of(agent, person)).values(reason=None))
    return sum(1 for _ in said(ctx, connection, person))


def about(person: Person) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions for notifications of these records, and those of a user."""
    if person.object == USER:
        yield is_of(notification, person)
    for _, ids in pieces(person):  # whatever the object was called then
        yield notification.c.record.in_(ids)


def is_of(table: sa.Table, person: Person) -> sa.ColumnElement[bool]:
    return table.c.user == person.id


def pieces(person: Person) -> Iterator[tuple[str, Sequence[str]]]:
    for name, records in person.records.items():
        ids = list(records)
        for start in range(0, len(ids), PIECE):
            yield name, ids[start : start + PIECE]
