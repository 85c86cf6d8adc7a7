"""Signing in and out with a password. Sessions live on the server; the browser holds a random secret."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.errors import Unauthenticated
from engine.people import attempts, passwords
from engine.people.authentication import fingerprint, made_secret
from engine.store import system
from engine.tenants import Tenant

__all__ = ["COOKIE", "LONGEST", "Session", "credential", "end_all", "open_session", "sign_in", "sign_out"]

COOKIE = "fieldstone_session"
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Session:
    secret: str  # for the cookie, and nowhere else
    csrf: str
    user: str
    expires_at: datetime


def sign_in(
    tenant: Tenant,
    username: str,
    password: str,
    *,
    now: datetime,
    address: str = "",
    agent: str = "",
    previous: str = "",
) -> Session:
    """A new session; the one that the browser came with (`previous`, its secret) ends.

    Raises Unauthenticated, alike and after the same time for a wrong password, an unknown and an inactive user,
    and TooManyAttempts.
    """
    username = username.replace("\0", "\ufffd")  # PostgreSQL takes no NUL, and no name has one
    attempts.begin(tenant, username, address, now)
    user, hashed, is_active = credential(tenant, username)
    # Verified first and whatever else is wrong: the time taken must not tell which accounts exist.
    is_right = passwords.verify(hashed, password)
    if not (is_right and is_active and hashed):
        raise Unauthenticated("user name or password is wrong", code="sign_in.refused")
    attempts.forget(tenant, username)
    if passwords.needs_new_hash(hashed):
        change = sa.update(system.credential).where(system.credential.c.user == user)
        with tenant.database.write() as connection:
            connection.sa.execute(change.values(hash=passwords.hash_password(password)))
    if previous:
        sign_out(tenant, previous)
    return open_session(tenant, user, now=now, address=address, agent=agent)


def open_session(tenant: Tenant, user: str, *, now: datetime, address: str = "", agent: str = "") -> Session:
    """A session of a user whose identity has been proved. Ended ones are cleared away."""
    session = Session(made_secret(), made_secret(), user, now + LONGEST)
    row = {
        "hash": fingerprint(session.secret), "user": user, "csrf": session.csrf, "created_at": now, "seen_at": now,
        "expires_at": session.expires_at, "agent": agent[:200], "address": address[:100],
    }  # fmt: skip
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.session).where(system.session.c.expires_at <= now))
        connection.sa.execute(sa.insert(system.session).values(row))
    return session


def sign_out(tenant: Tenant, secret: str) -> None:
    """End a session at once, on the server. Nothing happens if there is none."""
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.session).where(system.session.c.hash == fingerprint(secret)))


def end_all(tenant: Tenant, user: str) -> None:
    """End every session of a user."""
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.session).where(system.session.c.user == user))


def credential(tenant: Tenant, username: str) -> tuple[str, str | None, bool]:
    """(user id, password hash, may sign in); ("", None, False) for an unknown name."""
    physical = tenant.snapshot().physical
    user, name = physical.table("user"), physical.column("user", "username")
    typed, folded = username.strip(), attempts.account_key(username)
    query = (
        sa.select(user.c.id, system.credential.c.hash, physical.column("user", "is_active"))
        .select_from(user.outerjoin(system.credential, system.credential.c.user == user.c.id))
        .where(name.in_([typed, folded]), user.c.deleted_at.is_(None))
        .order_by(sa.case((name == typed, 0), else_=1))
    )
    with tenant.database.read() as connection:
        row = connection.sa.execute(query).first()
    return (str(row[0]), row[1], bool(row[2])) if row else ("", None, False)
