"""How often signing in has failed lately: by account, however it was spelled, and by address."""

import unicodedata
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.errors import EngineError
from engine.store import system
from engine.tenants import Tenant

__all__ = ["TooManyAttempts", "account_key", "begin", "forget"]

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 10
PER_ADDRESS = 50


class TooManyAttempts(EngineError):
    """Signing in is refused for a while, whether the account exists or not."""

    code = "sign_in.locked"


def account_key(username: str) -> str:
    """One key for all spellings of a name: `ＡＤＭＩＮ ` and `admin` count together."""
    return unicodedata.normalize("NFKC", username).strip().casefold()[:200]


def begin(tenant: Tenant, username: str, address: str, now: datetime) -> None:
    """Count an attempt before it is judged, so that many at once cannot outrun the limit. Raises TooManyAttempts."""
    attempt, account = system.attempt.c, account_key(username)
    of_account, of_address = attempt.account == account, attempt.address == address
    counts = sa.select(
        sa.func.coalesce(sa.func.sum(sa.case((of_account, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((of_address, 1), else_=0)), 0),
    ).where(attempt.at > now - WINDOW, sa.or_(of_account, of_address))
    with tenant.database.write() as connection:
        by_account, by_address = connection.sa.execute(counts).one()
        is_locked = by_account >= PER_ACCOUNT or by_address >= PER_ADDRESS
        if not is_locked:
            connection.sa.execute(sa.delete(system.attempt).where(attempt.at <= now - WINDOW))
            connection.sa.execute(sa.insert(system.attempt).values(account=account, address=address, at=now))
    if is_locked:
        minutes = int(WINDOW.total_seconds() // 60)
        raise TooManyAttempts(
            "signing in has failed too often", fix=f"wait {minutes} minutes, then try again or ask an administrator"
        )


def forget(tenant: Tenant, username: str) -> None:
    """After a success: the account starts anew. Failures for other accounts still count against the address."""
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.attempt).where(system.attempt.c.account == account_key(username)))
