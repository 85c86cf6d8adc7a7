"""Who is behind a token or a session: one prepared statement per request, and nothing kept between requests."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from engine.access.narrow import TokenScope
from engine.context import Actor
from engine.people import roles
from engine.people.departments import DEPARTMENT, Departments
from engine.people.memberships import Teams, given_sets
from engine.store import system, types
from engine.store.database import Compiled, compile_sql
from engine.tenants import Tenant

__all__ = ["Authenticator", "Identity", "Kind", "fingerprint", "made_secret"]

Kind = Literal["token", "session"]

SESSION_IDLE = timedelta(hours=12)
# The time of last use is written only when it has moved by this much, or every read would be a write.
NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person who has shown a valid token or session, and the version of the definitions at that moment."""

    actor: Actor
    kind: Kind
    version: int
    fingerprint: str  # of the token or session
    csrf: str  # the session's; "" for a token, which no other site can make a browser send
    is_to_be_noted: bool  # last use was noted long ago


def made_secret() -> str:
    """256 random bits: what a browser or a script holds."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """What is stored of a random secret. A plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class Authenticator:
    """Of one tenant. Keeps SQL text only, until another version is published."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.statements: dict[Kind, Compiled] = {}
        self.version = 0  # of the definitions, when it was last asked

    def forget(self) -> None:
        """After a publish that changed the tables meanwhile."""
        self.statements = {}

    def authenticate(self, kind: Kind, hashed: str, now: datetime) -> Identity | None:
        """None for an unknown, expired or ended secret, and for a deactivated or deleted user."""
        statement = self.statements.get(kind) or self.compile(kind)
        values = statement.bind(
            {
                "hash": hashed, "now": now, "idle_since": now - SESSION_IDLE, "noted_before": now - NOTED_EVERY,
                "today": now.date(),
            }
        )  # fmt: skip
        with self.tenant.database.read() as connection:
            rows = connection.rows(statement.sql, values)
        if not rows:
            return None
        (
            user_id, username, name, language, zone, held, version, csrf, is_to_be_noted, department, limits, *sets
        ) = rows[0]  # fmt: skip
        if version != self.version:  # columns may have come, and what was in one table may be in another
            self.statements, self.version = {}, version
            return self.authenticate(kind, hashed, now)
        snapshot = self.tenant.at(version)  # that of the request
        actor = Actor(
            str(user_id), username, name or "", names_of(held), language or "en", zone_of(zone or "UTC"),
            departments=Departments(self.tenant, department, snapshot) if department else (),
            permission_sets=names_of(",".join(filter(None, sets))), teams=Teams(self.tenant, str(user_id), snapshot),
            token_scope=TokenScope.read(limits),
        )  # fmt: skip
        return Identity(actor, kind, version, hashed, csrf or "", bool(is_to_be_noted))

    def note_use(self, identity: Identity, now: datetime) -> None:
        """Write the time of use: what keeps a session from ending, and tells which tokens are not needed any more."""
        if identity.kind == "session":
            change = sa.update(system.session).where(system.session.c.hash == identity.fingerprint).values(seen_at=now)
        else:
            change = sa.update(system.token).where(system.token.c.hash == identity.fingerprint).values(used_at=now)
        with self.tenant.database.write() as connection:
            connection.sa.execute(change)

    def compile(self, kind: Kind) -> Compiled:
        snapshot = self.tenant.snapshot()
        dialect, physical = snapshot.dialect, snapshot.physical
        user = physical.table("user")
        columns = [physical.column("user", name) for name in ("username", "name", "language", "time_zone")]
        version = sa.select(system.state.c.version).scalar_subquery()
        proof = system.session if kind == "session" else system.token
        used_at = proof.c.seen_at if kind == "session" else proof.c.used_at
        csrf = proof.c.csrf if kind == "session" else sa.null()
        department = user.c[DEPARTMENT] if DEPARTMENT in user.c else sa.null()  # an older release made the table
        limits = proof.c.scope if kind == "token" else sa.null()
        is_to_be_noted = sa.case(
            (sa.or_(used_at.is_(None), used_at < sa.bindparam("noted_before", type_=used_at.type)), 1), else_=0
        )
        expires_at = proof.c.expires_at
        own_hash = proof.c.hash == sa.bindparam("hash", type_=proof.c.hash.type)
        sets: list[Any] = []
        if DEPARTMENT in user.c:
            proof_again, user_again = proof.alias("proof_again"), user.alias("user_again")
            own_department = (
                sa.select(user_again.c[DEPARTMENT])
                .join(proof_again, proof_again.c.user == user_again.c.id)
                .where(proof_again.c.hash == sa.bindparam("hash", type_=proof.c.hash.type))
                .scalar_subquery()
            )
            sets = given_sets(snapshot, user.c.id, own_department, sa.bindparam("today", type_=types.Date()))
        query = (
            sa.select(
                user.c.id,
                *columns,
                roles.of_user(snapshot, user.c.id),
                version,
                csrf,
                is_to_be_noted,
                department,
                limits,
                *sets,
            )
            .select_from(proof.join(user, proof.c.user == user.c.id))
            .where(
                own_hash,
                sa.or_(expires_at.is_(None), expires_at > sa.bindparam("now", type_=expires_at.type)),
                user.c.deleted_at.is_(None),
                physical.column("user", "is_active"),
            )
        )
        if kind == "session":
            query = query.where(proof.c.seen_at > sa.bindparam("idle_since", type_=used_at.type))
        compiled = compile_sql(query, dialect)
        self.statements[kind] = compiled
        return compiled


@lru_cache(1000)
def names_of(text: str | None) -> frozenset[str]:
    return frozenset(text.split(",")) if text else frozenset()


@lru_cache(1000)
def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
