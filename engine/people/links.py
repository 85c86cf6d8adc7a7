"""Links in mails that let somebody choose a password: random, hashed here, for a short time, for one use."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from engine.audit.log import note
from engine.config import Config
from engine.context import Actor, Origin
from engine.errors import BadInput, InputProblem, NotFound
from engine.mail.message import Mail, address_of
from engine.people import attempts, credentials
from engine.people.attempts import LINKS, RESETS
from engine.people.authentication import fingerprint, made_secret
from engine.people.credentials import Account
from engine.people.invitations import mail_of
from engine.people.passwords import policy_of
from engine.people.sessions import find_account
from engine.store import system
from engine.tenants import Tenant

__all__ = ["PATH", "Link", "accept", "expired_link", "find", "invite", "reset_mail", "take_request"]

PATH = "/login/password"
FOR_EXPIRED = timedelta(minutes=15)

Purpose = Literal["reset", "invite", "expired"]


@dataclass(frozen=True, slots=True)
class Link:
    purpose: Purpose
    account: Account


def take_request(tenant: Tenant, typed: str, address: str, now: datetime) -> None:
    """Count that a new password was asked for. Raises TooManyAttempts, whether the account exists or not."""
    attempts.begin(tenant, typed, address, now, RESETS)


def reset_mail(
    tenant: Tenant, config: Config, typed: str, origin: Origin, now: datetime, *, is_noted: bool = True
) -> Mail | None:  # fmt: skip
    """The mail with a new link for whoever is called `typed`, by user name or e-mail; None where nobody gets one.

    To be run where nobody waits: how long it takes tells whether the account exists.
    """
    account = find_account(tenant, typed)
    if account is None or not account.is_active or account.hash is None or not account.email:
        return None
    hours = config.reset_hours
    kind = "password.reset.asked" if is_noted else ""
    link = make(tenant, account, "reset", now, timedelta(hours=hours), account.actor, origin, kind)
    return mail_of("reset", account, f"{base_url(config)}{PATH}?link={link}", hours)


def invite(tenant: Tenant, config: Config, user: str, actor: Actor, origin: Origin, now: datetime) -> Mail:
    """The mail by which a user chooses the first password. A link that was sent before ends.

    Raises NotFound, and BadInput where there is no e-mail, no base URL, or the user is not active.
    """
    account = credentials.account_of(tenant, user)
    if account is None:
        raise NotFound(f"no user {user}")
    if not account.is_active:
        raise refused("invite.inactive", f"{account.username} is not active", "activate the user first")
    if not account.email:
        raise refused("invite.email", f"{account.username} has no e-mail", "write it in the user's record")
    address_of(account.email)
    hours, base = config.invite_hours, base_url(config)
    link = make(tenant, account, "invite", now, timedelta(hours=hours), actor, origin, "invite.sent")
    return mail_of("invite", account, f"{base}{PATH}?link={link}", hours)


def expired_link(tenant: Tenant, account: Account, origin: Origin, now: datetime) -> str:
    """The secret of a link for somebody who has just shown a password that is too old."""
    return make(tenant, account, "expired", now, FOR_EXPIRED, account.actor, origin, "")


def base_url(config: Config) -> str:
    """Never the Host header: whoever asks for the mail chooses that."""
    if not config.base_url:
        fix = "set FIELDSTONE_BASE_URL, such as https://crm.example.com"
        raise refused("mail.base_url", "links in mails need the address of this server", fix)
    return config.base_url


def refused(code: str, message: str, fix: str) -> BadInput:
    return BadInput(message, code=code, fix=fix, problems=[InputProblem("", code, message, fix)])


def make(
    tenant: Tenant, account: Account, purpose: Purpose, now: datetime, lasts: timedelta, actor: Actor, origin: Origin,
    kind: str,
) -> str:  # fmt: skip
    """One link of a purpose at a time. Those that have ended are cleared away."""
    secret, link = made_secret(), system.mail_link.c
    with tenant.database.write() as connection:
        old = sa.or_(link.expires_at <= now, sa.and_(link.user == account.id, link.purpose == purpose))
        connection.sa.execute(sa.delete(system.mail_link).where(old))
        row = {
            "hash": fingerprint(secret), "user": account.id, "purpose": purpose, "created_at": now,
            "expires_at": now + lasts, "used_at": None,
        }  # fmt: skip
        connection.sa.execute(sa.insert(system.mail_link).values(row))
        if kind:
            note(connection, kind, actor=actor, origin=origin, now=now, object_name="user", record=account.id)
    return secret


def find(tenant: Tenant, secret: str, now: datetime) -> Link | None:
    """Changes nothing: mail programs open links on their own."""
    link = system.mail_link.c
    query = sa.select(link.purpose, link.user).where(
        link.hash == fingerprint(secret), link.used_at.is_(None), link.expires_at > now
    )
    with tenant.database.read() as connection:
        row = connection.sa.execute(query).first()
    account = credentials.account_of(tenant, row[1]) if row else None
    return Link(row[0], account) if row and account and account.is_active else None


def accept(
    tenant: Tenant, config: Config, secret: str, password: str, *, origin: Origin, now: datetime
) -> Account:  # fmt: skip
    """Set the password, once. A password that the policy refuses leaves the link as it is.

    Raises NotFound for a link that has ended, was used or never was, BadInput, TooManyAttempts.
    """
    link = find(tenant, secret, now)
    if link is None:
        attempts.begin(tenant, origin.address, origin.address, now, LINKS)
        raise ended()
    policy = policy_of(config)
    credentials.check_new(tenant, link.account, password, policy)
    own = system.mail_link.c
    taken = sa.update(system.mail_link).where(
        own.hash == fingerprint(secret), own.used_at.is_(None), own.expires_at > now
    )
    with tenant.database.together() as connection:
        if connection.sa.execute(taken.values(used_at=now)).rowcount != 1:  # another was faster
            raise ended()
        account = link.account
        credentials.change_password(
            tenant, account, password, actor=account.actor, origin=origin, now=now, policy=policy
        )  # fmt: skip
    attempts.forget(tenant, account.username)
    return account


def ended() -> NotFound:
    return NotFound("this link has ended or was used", code="link.ended", fix="ask for a new one")
