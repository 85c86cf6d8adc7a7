"""Managing other people's ways in: who may, and what."""

from engine.context import Context, Origin
from engine.errors import Forbidden, NotFound
from engine.people import credentials, guards, sessions, totp
from engine.people.credentials import Account
from engine.service import Records

__all__ = ["end_sessions", "managed", "may_manage", "switch_codes_off"]


def may_manage(ctx: Context, user: str) -> bool:
    """Nobody manages people who have rights that they do not have: they could come in as them."""
    if not (ctx.scope.has(guards.MANAGING) and ctx.scope.can("update", "user")):
        return False
    try:
        with ctx.tenant.database.read() as connection:
            guards.may_manage(ctx, connection, [user])
    except Forbidden:
        return False
    return True


def managed(ctx: Context, user: str) -> Account:
    """Raises NotFound for a user who may not be seen, Forbidden."""
    Records(ctx).get_row("user", user, ("username",))
    if not may_manage(ctx, user):
        message = "this person has rights that you do not have, or you do not manage users"
        raise Forbidden(message, code="people.more_rights", fix="ask an administrator")
    account = credentials.account_of(ctx.tenant, user)
    if account is None:
        raise NotFound(f"no user {user}")
    return account


def switch_codes_off(ctx: Context, account: Account, origin: Origin) -> None:
    """For somebody who has lost the app and the recovery codes. Sessions end, as the loss may be a theft."""
    with ctx.tenant.database.together():
        totp.switch_off(ctx.tenant, account.id, actor=ctx.actor, origin=origin, now=ctx.now)
        end_sessions(ctx, account, origin)


def end_sessions(ctx: Context, account: Account, origin: Origin) -> None:
    sessions.end_others(ctx.tenant, account.id, "", actor=ctx.actor, origin=origin, now=ctx.now)
