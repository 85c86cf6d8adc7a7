"""What somebody is told who would change a record that an approval keeps as it is."""

import sqlalchemy as sa

from engine.context import Context
from engine.errors import InputProblem, Locked
from engine.store import rows
from engine.store.database import Connection
from engine.store.rows_locks import Lock
from metadata.model import say

__all__ = ["label_of", "refusal"]


def refusal(ctx: Context, connection: Connection, lock: Lock, object_name: str) -> Locked:
    """Nothing is said of a record that the person may not see."""
    if not ctx.scope.can("read", object_name) or rows.failing(ctx, connection, object_name, [lock.record], "read"):
        message = "a record that you may not see, and that this would change, is being approved"
        return Locked(message, code="record.locked.hidden", fix="try again later, or ask an administrator")
    label, since = label_of(ctx, lock.approval), lock.at.astimezone(ctx.time_zone)
    name = say(ctx.snapshot.definitions.objects[object_name].label, ctx.language)
    who = name_of(ctx, connection, lock.by)
    by = f"by '{label}' " if label else ""
    quoted = f"{since:%Y-%m-%d %H:%M}"
    message = f"this {name} is being approved {by}since {quoted} and stays as it is until that has ended"
    is_own = bool(lock.by) and lock.by == ctx.actor.id
    fix = "withdraw the approval first" if is_own else f"ask {who or 'who submitted it'} to withdraw the approval first"
    values = (("approval", label), ("since", quoted), ("user", who), ("instance", lock.instance))
    code = "record.locked.own" if is_own else "record.locked"
    return Locked(message, fix=fix, problems=[InputProblem("", code, message, fix, values)])


def label_of(ctx: Context, approval: str) -> str:
    known = ctx.snapshot.definitions.processes.approvals.get(approval)
    return say(known.label, ctx.language) if known else approval


def name_of(ctx: Context, connection: Connection, user: str) -> str:
    if not user:
        return ""
    table = ctx.snapshot.physical.table("user")
    return connection.sa.scalar(sa.select(table.c["name"]).where(table.c.id == user)) or ""
