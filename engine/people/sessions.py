"""Signing in and out with a password. Sessions live on the server; the browser holds a random secret."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.audit.log import note
from engine.config import Config
from engine.context import SYSTEM, Actor, Origin
from engine.errors import NotFound, Unauthenticated
from engine.people import attempts, credentials, halfway, passwords, totp
from engine.people.authentication import SESSION_IDLE, fingerprint, made_secret
from engine.people.credentials import Account
from engine.people.passwords import policy_of
from engine.store import system
from engine.tenants import Tenant

__all__ = [
    "COOKIE", "LONGEST", "PasswordExpired", "SecondStep", "SeenSession", "Session", "credential", "end", "end_all",
    "end_others", "find_account", "let_in", "list_sessions", "open_session", "sign_in", "sign_out",
]  # fmt: skip

COOKIE = "fieldstone_session"
LONGEST = timedelta(days=7)
ID_LENGTH = 16  # of the hash: enough to tell the sessions of one person apart


class SecondStep(Unauthenticated):
    """The password was right, a code is missing. `secret` stands for the way so far; it opens nothing."""

    code = "sign_in.code"

    def __init__(self, secret: str) -> None:
        super().__init__("the password was right; now a code is needed")
        self.secret = secret


class PasswordExpired(Unauthenticated):
    """The password was right and is too old."""

    code = "sign_in.expired"

    def __init__(self, account: Account) -> None:
        super().__init__("the password must be changed")
        self.account = account


@dataclass(frozen=True, slots=True)
class Session:
    secret: str  # for the cookie, and nowhere else
    csrf: str
    user: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SeenSession:
    id: str
    agent: str
    address: str
    created_at: datetime
    seen_at: datetime
    is_current: bool


def sign_in(
    tenant: Tenant,
    username: str,
    password: str,
    *,
    now: datetime,
    address: str = "",
    agent: str = "",
    previous: str = "",
    origin: Origin | None = None,
    config: Config | None = None,
) -> Session:
    """A new session; the one that the browser came with (`previous`, its secret) ends.

    Raises Unauthenticated, alike and after the same time for a wrong password, an unknown and an inactive user,
    and TooManyAttempts; SecondStep and PasswordExpired once the password was right.
    """
    origin, config = origin or Origin("", address), config or Config()
    username = username.replace("\0", "\ufffd")  # PostgreSQL takes no NUL, and no name has one
    attempts.begin(tenant, username, origin.address, now)
    user, hashed, is_active = credential(tenant, username)
    # Verified first and whatever else is wrong: the time taken must not tell which accounts exist.
    is_right = passwords.verify(hashed, password)
    account = credentials.account_of(tenant, user or "-") if is_active else None
    if not (is_right and is_active and hashed and account):
        refuse(tenant, username, origin, now)
        raise Unauthenticated("user name or password is wrong", code="sign_in.refused")
    attempts.forget(tenant, username)
    if passwords.needs_new_hash(hashed):
        change = sa.update(system.credential).where(system.credential.c.user == user)
        with tenant.database.write() as connection:
            connection.sa.execute(change.values(hash=passwords.hash_password(password)))
    if credentials.is_too_old(tenant, user, now, policy_of(config)):
        raise PasswordExpired(account)
    if halfway.needs_code(tenant, user, config.totp_roles):
        if not totp.is_on(tenant, user):
            totp.begin(tenant, user, now)  # the second step is to set it up
        raise SecondStep(halfway.begin(tenant, user, now))
    return let_in(tenant, account, "password", now=now, origin=origin, agent=agent, previous=previous)


def refuse(tenant: Tenant, username: str, origin: Origin, now: datetime) -> None:
    with tenant.database.write() as connection:
        tried = {"account": attempts.account_key(username)[:64]}
        note(connection, "sign_in.refused", actor=SYSTEM, origin=origin, now=now, details=tried)


def let_in(
    tenant: Tenant, account: Account, way: str, *, now: datetime, origin: Origin, agent: str = "", previous: str = ""
) -> Session:
    """A session of a user who has shown all that is asked for, by `way`: "password", "code" or a provider's name."""
    with tenant.database.together() as connection:
        if previous:
            connection.sa.execute(sa.delete(system.session).where(system.session.c.hash == fingerprint(previous)))
        session = open_session(tenant, account.id, now=now, address=origin.address, agent=agent)
        note(connection, "sign_in", actor=account.actor, origin=origin, now=now, details={"by": way})
    return session


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


def sign_out(tenant: Tenant, secret: str, *, actor: Actor | None = None, origin: Origin | None = None,
             now: datetime | None = None) -> None:  # fmt: skip
    """End a session at once, on the server. Nothing happens if there is none."""
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.session).where(system.session.c.hash == fingerprint(secret)))
        if actor is not None and now is not None:
            note(connection, "sign_out", actor=actor, origin=origin or Origin(), now=now)


def list_sessions(tenant: Tenant, user: str, now: datetime, current: str = "") -> list[SeenSession]:
    """Those that would still be let in, the last used first. `current`: the hash of the one that asks."""
    s = system.session.c
    query = (
        sa.select(s.hash, s.agent, s.address, s.created_at, s.seen_at)
        .where(s.user == user, s.expires_at > now, s.seen_at > now - SESSION_IDLE)
        .order_by(s.seen_at.desc(), s.hash)
    )
    with tenant.database.read() as connection:
        rows = connection.sa.execute(query).all()
    return [SeenSession(h[:ID_LENGTH], agent or "", at or "", c, seen, h == current) for h, agent, at, c, seen in rows]


def end(tenant: Tenant, user: str, session_id: str, *, actor: Actor, origin: Origin, now: datetime) -> None:
    """Raises NotFound."""
    s = system.session.c
    mine = sa.delete(system.session).where(s.user == user, sa.func.substr(s.hash, 1, ID_LENGTH) == session_id)
    with tenant.database.write() as connection:
        if connection.sa.execute(mine).rowcount == 0:
            raise NotFound("no such session")
        note(connection, "session.ended", actor=actor, origin=origin, now=now, object_name="user", record=user)


def end_others(
    tenant: Tenant, user: str, kept: str, *, actor: Actor, origin: Origin, now: datetime
) -> int:  # fmt: skip
    """End all sessions of a user but the one with the hash `kept`; how many those were."""
    s = system.session.c
    with tenant.database.write() as connection:
        count = connection.sa.execute(sa.delete(system.session).where(s.user == user, s.hash != kept)).rowcount
        if count:
            note(
                connection, "session.ended", actor=actor, origin=origin, now=now, object_name="user", record=user,
                details={"count": count},
            )  # fmt: skip
    return count


def end_all(tenant: Tenant, user: str) -> None:
    """End every session of a user."""
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.session).where(system.session.c.user == user))


def find_account(tenant: Tenant, typed: str) -> Account | None:
    """By user name, or by an e-mail that only one user has."""
    typed = typed.replace("\0", "\ufffd")
    user = credential(tenant, typed)[0]
    if not user and "@" in typed:
        physical = tenant.snapshot().physical
        table, email = physical.table("user"), physical.column("user", "email")
        wanted = sa.select(table.c.id).where(
            sa.func.lower(email) == typed.strip().lower(), table.c.deleted_at.is_(None)
        )
        with tenant.database.read() as connection:
            found = connection.sa.execute(wanted.limit(2)).scalars().all()
        user = str(found[0]) if len(found) == 1 else ""
    return credentials.account_of(tenant, user) if user else None


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
