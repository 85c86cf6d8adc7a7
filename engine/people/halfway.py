"""People who have shown their password and not yet their code: a record on the server for a few minutes, no session."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.people import totp
from engine.people.authentication import fingerprint, made_secret
from engine.store import system
from engine.tenants import Tenant

__all__ = ["COOKIE", "LASTS", "begin", "finish", "needs_code", "person_at", "spend_try"]

COOKIE = "fieldstone_halfway"
LASTS = timedelta(minutes=10)
MOST_TRIES = 5
EVERYBODY = "*"


def needs_code(tenant: Tenant, user: str, roles: Collection[str]) -> bool:
    """Whether the person signs in in two steps: by choice, or because one of the `roles` is held."""
    if totp.is_on(tenant, user) or EVERYBODY in roles:
        return True
    if not roles:
        return False
    held = sa.select(system.user_role.c.role).where(system.user_role.c.user == user)
    with tenant.database.read() as connection:
        return not set(roles).isdisjoint(connection.sa.execute(held).scalars())


def begin(tenant: Tenant, user: str, now: datetime) -> str:
    """What the browser holds until the code is there."""
    secret, own = made_secret(), system.halfway.c
    row = {"hash": fingerprint(secret), "user": user, "expires_at": now + LASTS, "tries": 0}
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.halfway).where(own.expires_at <= now))
        connection.sa.execute(sa.insert(system.halfway).values(row))
    return secret


def person_at(tenant: Tenant, secret: str, now: datetime) -> str | None:
    """The id of the user; None when it took too long, too many codes were wrong, or there never was one."""
    own = system.halfway.c
    query = sa.select(own.user).where(own.hash == fingerprint(secret), own.expires_at > now, own.tries < MOST_TRIES)
    with tenant.database.read() as connection:
        found: str | None = connection.sa.scalar(query)
    return found


def spend_try(tenant: Tenant, secret: str, now: datetime) -> bool:
    """Before a code is looked at. False when there is none left."""
    own = system.halfway.c
    more = sa.type_coerce(own.tries, sa.Integer()) + sa.literal_column("1")  # our own type does not add
    change = sa.update(system.halfway).where(
        own.hash == fingerprint(secret), own.expires_at > now, own.tries < MOST_TRIES
    )
    with tenant.database.write() as connection:
        return connection.sa.execute(change.values(tries=more)).rowcount == 1


def finish(tenant: Tenant, secret: str) -> bool:
    """The one who gets True may open a session."""
    with tenant.database.write() as connection:
        done = connection.sa.execute(sa.delete(system.halfway).where(system.halfway.c.hash == fingerprint(secret)))
        return done.rowcount == 1
