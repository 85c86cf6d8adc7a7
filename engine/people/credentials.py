"""Changing a password: the policy, the passwords before it, and what ends with the old one."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Actor, Origin
from engine.people import passwords
from engine.people.passwords import ORDINARY, Policy
from engine.store import system
from engine.store.database import Connection, new_id
from engine.tenants import Tenant

__all__ = ["Account", "account_of", "change_password", "check_new", "is_too_old", "write_hash"]


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs to know of a user."""

    id: str
    username: str
    name: str
    email: str
    language: str
    is_active: bool
    hash: str | None  # of the password; None: never had one

    @property
    def actor(self) -> Actor:
        return Actor(self.id, self.username, self.name, language=self.language)


def account_of(tenant: Tenant, user: str) -> Account | None:
    """None for a deleted or unknown user."""
    physical = tenant.snapshot().physical
    table = physical.table("user")
    names = ("username", "name", "email", "language", "is_active")
    query = (
        sa.select(table.c.id, *(physical.column("user", name) for name in names), system.credential.c.hash)
        .select_from(table.outerjoin(system.credential, system.credential.c.user == table.c.id))
        .where(table.c.id == user, table.c.deleted_at.is_(None))
    )
    with tenant.database.read() as connection:
        row = connection.sa.execute(query).first()
    if row is None:
        return None
    return Account(str(row[0]), row[1], row[2] or "", row[3] or "", row[4] or "en", bool(row[5]), row[6])


def check_new(tenant: Tenant, account: Account, password: str, policy: Policy = ORDINARY) -> None:
    """Raises BadInput with a problem at `password`. Takes as long as a few sign-ins."""
    passwords.check_policy(password, account.username, (account.name, account.email), policy)
    if policy.history < 1:
        return
    before = system.password_before.c
    query = sa.select(before.hash).where(before.user == account.id).order_by(before.id.desc())
    with tenant.database.read() as connection:
        former = connection.sa.execute(query.limit(policy.history - 1)).scalars().all()
    for hashed in (account.hash, *former):
        if hashed is not None and passwords.verify(hashed, password):
            passwords.refuse("password.used", "this password was used before")


def change_password(
    tenant: Tenant, account: Account, password: str, *, actor: Actor, origin: Origin, now: datetime,
    policy: Policy = ORDINARY, kept_session: str = "",
) -> None:  # fmt: skip
    """Its sessions end, except the one with the hash `kept_session`, and so does every link and half-made sign-in.

    The password is checked by then (check_new).
    """
    hashed = passwords.hash_password(password)  # before the transaction: it takes a while
    with tenant.database.together() as connection:
        write_hash(tenant, account.id, hashed, now, policy.history)
        session = system.session.c
        end = sa.delete(system.session).where(session.user == account.id, session.hash != kept_session)
        connection.sa.execute(end)
        forget_links(connection, account.id)
        note(connection, "password.changed", actor=actor, origin=origin, now=now, object_name="user", record=account.id)


def forget_links(connection: Connection, user: str) -> None:
    connection.sa.execute(sa.delete(system.mail_link).where(system.mail_link.c.user == user))
    connection.sa.execute(sa.delete(system.halfway).where(system.halfway.c.user == user))


def write_hash(tenant: Tenant, user: str, hashed: str, now: datetime, kept: int = ORDINARY.history) -> None:
    """The one before it is remembered, as long as the last `kept`."""
    credential, before = system.credential, system.password_before
    with tenant.database.write() as connection:
        old = connection.sa.scalar(sa.select(credential.c.hash).where(credential.c.user == user))
        if old is not None:
            connection.sa.execute(sa.insert(before).values(id=new_id(now), user=user, hash=old))
            ids = sa.select(before.c.id).where(before.c.user == user).order_by(before.c.id.desc())
            aged = connection.sa.execute(ids).scalars().all()[kept:]
            if aged:
                connection.sa.execute(sa.delete(before).where(before.c.id.in_(aged)))
        connection.sa.execute(sa.delete(credential).where(credential.c.user == user))
        connection.sa.execute(sa.insert(credential).values(user=user, hash=hashed, changed_at=now))


def is_too_old(tenant: Tenant, user: str, now: datetime, policy: Policy) -> bool:
    if policy.days < 1:
        return False
    credential = system.credential.c
    with tenant.database.read() as connection:
        changed_at = connection.sa.scalar(sa.select(credential.changed_at).where(credential.user == user))
    return changed_at is not None and (now - changed_at).days >= policy.days
