"""Tokens of scripts: random, named, ending; shown once and stored as a hash."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.errors import BadInput, NotFound
from engine.people.authentication import fingerprint, made_secret
from engine.store import system
from engine.store.database import new_id
from engine.tenants import Tenant

__all__ = ["Token", "list_tokens", "make_token", "revoke_token", "tenant_of"]

PREFIX = "fs_"  # lets scanners of leaked secrets know it
MAIN = "main"  # the tenant whose tokens do not say it
TENANT_PART = re.compile(rf"{PREFIX}([a-z][a-z0-9_]{{0,62}})\.")  # base64 has no point
MAX_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    name: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


def make_token(tenant: Tenant, user: str, *, now: datetime, days: int = 365, name: str = "") -> str:
    """The new token of the user with the id `user`. It cannot be shown again."""
    if not 1 <= days <= MAX_DAYS:
        raise BadInput(f"a token is valid for 1 to {MAX_DAYS} days, not {days}", code="token.days")
    if not name.isprintable():
        raise BadInput("the label of a token has characters that cannot be shown", code="token.label")
    token = PREFIX + (f"{tenant.name}." if tenant.name != MAIN else "") + made_secret()
    row = {
        "id": new_id(now), "hash": fingerprint(token), "user": user, "name": name[:100], "created_at": now,
        "expires_at": now + timedelta(days=days), "used_at": None,
    }  # fmt: skip
    with tenant.database.write() as connection:
        connection.sa.execute(sa.insert(system.token).values(row))
    return token


def tenant_of(token: str) -> str:
    """The name of the tenant that a token says it is of; "" where it says none. That proves nothing."""
    found = TENANT_PART.match(token)
    return found[1] if found else ""


def list_tokens(tenant: Tenant, user: str) -> list[Token]:
    t = system.token.c
    query = sa.select(t.id, t.name, t.created_at, t.expires_at, t.used_at).where(t.user == user).order_by(t.created_at)
    with tenant.database.read() as connection:
        return [Token(*row) for row in connection.sa.execute(query)]


def revoke_token(tenant: Tenant, user: str, token_id: str) -> None:
    change = sa.delete(system.token).where(system.token.c.id == token_id, system.token.c.user == user)
    with tenant.database.write() as connection:
        if connection.sa.execute(change).rowcount == 0:
            raise NotFound(f"no token {token_id}")
