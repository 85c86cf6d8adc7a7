"""Tokens of scripts: random, named, ending; shown once and stored as a hash."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.access.narrow import EVERYTHING, TokenScope
from engine.audit.log import note
from engine.context import SYSTEM, Actor, Origin
from engine.errors import BadInput, InputProblem, NotFound
from engine.people.authentication import fingerprint, made_secret
from engine.snapshot import Snapshot
from engine.store import system
from engine.store.database import new_id
from engine.store.types import is_id
from engine.tenants import MAIN, Tenant
from metadata.problem import nearest

__all__ = [
    "MAX_DAYS", "Token", "check_automations", "check_objects", "list_tokens", "make_token", "revoke_token", "tenant_of",
]  # fmt: skip

PREFIX = "fs_"  # lets scanners of leaked secrets know it
TENANT_PART = re.compile(rf"{PREFIX}([a-z][a-z0-9_]{{0,62}})\.")  # base64 has no point
MAX_DAYS = 3650
LABEL_MOST = 100
COMMAND = Origin("command")


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    name: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    scope: TokenScope = EVERYTHING


def make_token(
    tenant: Tenant, user: str, *, now: datetime, days: int = 365, name: str = "", scope: TokenScope = EVERYTHING,
    actor: Actor = SYSTEM, origin: Origin = COMMAND,
) -> str:  # fmt: skip
    """The new token of the user with the id `user`. It cannot be shown again. Raises BadInput."""
    if not 1 <= days <= MAX_DAYS:
        refuse("days", "token.days", f"a token is valid for 1 to {MAX_DAYS} days, not {days}", max=MAX_DAYS)
    if not name.isprintable():
        refuse("name", "token.label", "the label of a token has characters that cannot be shown")
    if len(name) > LABEL_MOST:
        message = f"the label of a token has at most {LABEL_MOST} characters, not {len(name)}"
        refuse("name", "token.label", message, "write a shorter one", max=LABEL_MOST)
    whose = f"{tenant.name}." if tenant.name != MAIN else ""
    token, token_id = f"{PREFIX}{whose}{made_secret()}", new_id(now)
    row = {
        "id": token_id, "hash": fingerprint(token), "user": user, "name": name, "created_at": now,
        "expires_at": now + timedelta(days=days), "used_at": None, "scope": scope.text or None,
    }  # fmt: skip
    with tenant.database.write() as connection:
        connection.sa.execute(sa.insert(system.token).values(row))
        details = {"token": token_id, "days": days, **scope.told}
        note(
            connection, "token.made", actor=actor, origin=origin, now=now, object_name="user", record=user,
            details=details,
        )  # fmt: skip
    return token


def check_objects(known: Collection[str], wanted: Collection[str]) -> None:
    """Raises BadInput for a name that is none of `known`: a token for it could do nothing."""
    for name in wanted:
        if name not in known:
            guess = nearest(name, known)
            refuse("objects", "object.unknown", f"no object '{name[:80]}'", f"write '{guess}'?" if guess else "")


def check_automations(snapshot: Snapshot, wanted: Collection[str]) -> None:
    """Raises BadInput for a name that is no webhook's."""
    rules = snapshot.definitions.processes.automations.values()
    known = [one.name for one in rules if one.phase == "webhook"]
    for name in wanted:
        if name not in known:
            guess = nearest(name, known)
            fix = f"write '{guess}'?" if guess else ""
            refuse("automations", "automation.unknown", f"no webhook '{name[:80]}'", fix)


def refuse(path: str, code: str, message: str, fix: str = "", **values: object) -> None:
    problem = InputProblem(path, code, message, fix, tuple(values.items()))
    raise BadInput(message, code=code, fix=fix, problems=[problem])


def tenant_of(token: str) -> str:
    """The name of the tenant that a token says it is of; "" where it says none. That proves nothing."""
    found = TENANT_PART.match(token)
    return found[1] if found else ""


def list_tokens(tenant: Tenant, user: str, token: str = "") -> list[Token]:
    """The oldest first; only the one that was shown as `token`, where that is given."""
    t = system.token.c
    query = sa.select(t.id, t.name, t.created_at, t.expires_at, t.used_at, t.scope).where(t.user == user)
    if token:
        query = query.where(t.hash == fingerprint(token))
    with tenant.database.read() as connection:
        rows = connection.sa.execute(query.order_by(t.created_at, t.id)).all()
    return [Token(i, name, made, ends, used, TokenScope.read(scope)) for i, name, made, ends, used, scope in rows]


def revoke_token(
    tenant: Tenant, user: str, token_id: str, *, now: datetime | None = None, actor: Actor = SYSTEM,
    origin: Origin = COMMAND,
) -> None:  # fmt: skip
    """Raises NotFound."""
    change = sa.delete(system.token).where(system.token.c.id == token_id, system.token.c.user == user)
    with tenant.database.write() as connection:
        if not is_id(token_id) or connection.sa.execute(change).rowcount == 0:
            raise NotFound(f"no token {token_id[:80]}")
        if now is not None:
            note(
                connection, "token.revoked", actor=actor, origin=origin, now=now, object_name="user", record=user,
                details={"token": token_id},
            )  # fmt: skip
