"""As whom automations act."""

from dataclasses import replace

from engine.context import Context
from engine.errors import Conflict
from engine.people.standing import standing_of
from engine.store.database import Connection
from metadata.processes import Automation

__all__ = ["as_user", "as_whom", "user_named"]


def as_whom(ctx: Context, rule: Automation) -> Context:
    """Whoever set it off, or the service identity that the rule names. Raises Conflict where there is none."""
    return ctx if rule.run_as == "user" else as_named(ctx, rule.run_as, rule.name)


def as_named(ctx: Context, username: str, rule: str) -> Context:
    with ctx.tenant.database.read() as connection:
        user = user_named(ctx, connection, username)
    if user is None:
        raise no_identity(username, rule)
    return as_user(ctx, user, username, rule)


def as_user(ctx: Context, user: str, username: str, rule: str) -> Context:
    """What a request of this person would get, at the time of `ctx`, and with its origin. What is refused is read by
    whoever set it off."""
    standing = standing_of(ctx, user)
    if not standing.is_active:
        raise no_identity(username or standing.context.actor.username, rule)
    return replace(
        standing.context, now=ctx.now, warnings=ctx.warnings, stops_at_warnings=ctx.stops_at_warnings,
        origin=ctx.origin, reader=ctx.reader or (None if ctx.actor.is_system else ctx), is_tried=ctx.is_tried,
    )  # fmt: skip


def user_named(ctx: Context, connection: Connection, username: str) -> str | None:
    table = ctx.snapshot.physical.table("user")
    column = ctx.snapshot.physical.column("user", "username")
    found = connection.sa.execute(
        table.select().with_only_columns(table.c.id).where(column == username, table.c.deleted_at.is_(None))
    ).scalar()
    return None if found is None else str(found)


def no_identity(username: str, rule: str) -> Conflict:
    message = f"'{rule}' runs as '{username}', and there is no active user of that name"
    return Conflict(message, code="automation.identity", fix="make that user, or let it run as somebody else")
