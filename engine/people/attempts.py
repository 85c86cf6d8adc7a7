"""How often something has failed, or was asked for, lately: by account, however it was spelled, and by address.

Each kind counts by itself. Past its limit an account (or an address) waits, and each further try doubles the wait.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.errors import EngineError
from engine.store import system
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = ["CODES", "LINKS", "PASSWORDS", "RESETS", "Kind", "TooManyAttempts", "account_key", "begin", "forget"]

REMEMBERED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Kind:
    """After `per_account` tries within a day the next must wait `wait`, after one more twice as long, and so on."""

    name: str
    per_account: int
    per_address: int
    wait: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(hours=4)


PASSWORDS = Kind("sign_in", 10, 50)
CODES = Kind("totp", 5, 50)
RESETS = Kind("reset", 3, 20)
LINKS = Kind("link", 50, 50)  # those that were made up


class TooManyAttempts(EngineError):
    """Refused for a while, whether the account exists or not."""

    code = "sign_in.locked"


def account_key(username: str) -> str:
    """One key for all spellings of a name: `ＡＤＭＩＮ ` and `admin` count together."""
    return unicodedata.normalize("NFKC", username.replace("\0", "\ufffd")).strip().casefold()[:200]


def begin(tenant: Tenant, account: str, address: str, now: datetime, kind: Kind = PASSWORDS) -> None:
    """Count an attempt before it is judged, so that many at once cannot outrun the limit. Raises TooManyAttempts."""
    attempt = system.attempt.c
    of_account, of_address = keys_of(kind, account, address)
    with tenant.database.write() as connection:
        take_turns(connection, tenant, of_account, of_address)
        free_at = max(
            free_from(connection, attempt.account == of_account, kind.per_account, kind, now),
            free_from(connection, attempt.address == of_address, kind.per_address, kind, now),
        )
        if free_at <= now:
            connection.sa.execute(sa.delete(system.attempt).where(attempt.at <= now - REMEMBERED))
            connection.sa.execute(sa.insert(system.attempt).values(account=of_account, address=of_address, at=now))
    if free_at > now:
        raise TooManyAttempts(
            "this has been tried too often", fix=f"wait {minutes_until(free_at, now)} minutes, or ask an administrator"
        )


def forget(tenant: Tenant, account: str, kind: Kind = PASSWORDS) -> None:
    """After a success: the account starts anew. Failures for other accounts still count against the address."""
    with tenant.database.write() as connection:
        mine = system.attempt.c.account == keys_of(kind, account, "")[0]
        connection.sa.execute(sa.delete(system.attempt).where(mine))


def keys_of(kind: Kind, account: str, address: str) -> tuple[str, str]:
    return f"{kind.name}:{account_key(account)}", f"{kind.name}:{address[:100]}"


def take_turns(connection: Connection, tenant: Tenant, of_account: str, of_address: str) -> None:
    """SQLite has one writer. On PostgreSQL many at once would else all read the count before any has written."""
    if connection.dialect == "postgresql":
        for key in (of_account, of_address):  # always in this order: no two can wait for each other
            lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"{tenant.database.schema} {key}", 7))
            connection.sa.execute(sa.select(lock))


def free_from(
    connection: Connection, those: sa.ColumnElement[bool], limit: int, kind: Kind, now: datetime
) -> datetime:  # fmt: skip
    """When the next attempt may be made."""
    attempt = system.attempt.c
    counted = sa.select(sa.func.count(), sa.func.max(attempt.at)).where(those, attempt.at > now - REMEMBERED)
    count, last = connection.sa.execute(counted).one()
    if count < limit:
        return now
    wait: timedelta = min(kind.wait * 2 ** min(count - limit, 20), kind.longest)
    free_at: datetime = last + wait
    return free_at


def minutes_until(free_at: datetime, now: datetime) -> int:
    return max(1, -int((now - free_at).total_seconds() // 60))
