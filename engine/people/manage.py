"""Managing other people's ways in: who may, and what."""

import sqlalchemy as sa

from engine.context import Context, Origin
from engine.errors import Forbidden, NotFound
from engine.people import credentials, sessions, totp
from engine.people.credentials import Account
from engine.people.users import ADMIN
from engine.service import Records
from engine.store import system

__all__ = ["end_sessions", "managed", "may_manage", "switch_codes_off"]


def may_manage(ctx: Context, user: str) -> bool:
    """Who makes users manages them; an administrator only another one, as else they could become one."""
    if ctx.actor.is_system:
        return True
    if not (ctx.scope.can("create", "user") and ctx.scope.can("update", "user")):
        return False
    return ADMIN in ctx.actor.roles or not holds_admin(ctx, user)


def managed(ctx: Context, user: str) -> Account:
    """Raises NotFound for a user who may not be seen, Forbidden."""
    Records(ctx).get_row("user", user, ("username",))
    if not may_manage(ctx, user):
        raise Forbidden("managing this user is for administrators")
    account = credentials.account_of(ctx.tenant, user)
    if account is None:
        raise NotFound(f"no user {user}")
    return account


def holds_admin(ctx: Context, user: str) -> bool:
    role = system.user_role.c
    query = sa.select(role.role).where(role.user == user, role.role == ADMIN)
    with ctx.tenant.database.read() as connection:
        return connection.sa.execute(query).first() is not None


def switch_codes_off(ctx: Context, account: Account, origin: Origin) -> None:
    """For somebody who has lost the app and the recovery codes. Sessions end, as the loss may be a theft."""
    with ctx.tenant.database.together():
        totp.switch_off(ctx.tenant, account.id, actor=ctx.actor, origin=origin, now=ctx.now)
        end_sessions(ctx, account, origin)


def end_sessions(ctx: Context, account: Account, origin: Origin) -> None:
    sessions.end_others(ctx.tenant, account.id, "", actor=ctx.actor, origin=origin, now=ctx.now)
