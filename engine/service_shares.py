"""Records that somebody gives to others by hand, and single values that are shown in the place of their masks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Context
from engine.errors import BadInput, Forbidden, InputProblem, NotFound
from engine.service_rows import may_not, not_found, refuse
from engine.store import rows, rows_shares, system, types
from engine.store.database import Connection, new_id
from engine.store.query import Query, find
from engine.store.query_paths import need_object
from metadata.model import Action
from metadata.problem import nearest

__all__ = ["KINDS", "ShareEvent", "Share", "is_sharer", "share", "share_events", "shares", "unmask", "unshare"]

KINDS = ("user", "team", "department", "role")
ACCESSES = ("read", "edit")
KEYS = ("kind", "to", "access", "expires_at", "reason")
REASON_MOST = 500


@dataclass(frozen=True, slots=True)
class Share:
    id: str
    kind: str  # one of KINDS
    to: str  # an id, or the name of a role
    access: str  # "read" or "edit"
    expires_at: datetime | None
    reason: str
    at: datetime
    by: str  # the id of a user; "" is the engine


@dataclass(frozen=True, slots=True)
class ShareEvent:
    """That a record was shared by hand, or that this ended, as the audit log tells it."""

    at: datetime
    by: str
    is_end: bool
    kind: str
    to: str
    access: str
    reason: str


def is_sharer(ctx: Context, object_name: str, record_id: str) -> bool:
    """Whether the person may share this record, and end its shares."""
    if not ctx.scope.can("share", object_name) or not ctx.scope.can("update", object_name):
        return False
    try:
        with ctx.tenant.database.read() as connection:
            may_share(ctx, connection, object_name, record_id)
    except (Forbidden, NotFound):
        return False
    return True


def share_events(ctx: Context, object_name: str, record_id: str, limit: int) -> list[ShareEvent]:
    """Newest first, as far as the audit log is kept. Raises NotFound, and Forbidden for who may not share it."""
    need_object(ctx.scope, object_name)
    kept = system.audit.c
    asked = sa.select(system.audit).where(kept.record == record_id, kept.kind.in_(("record.share", "record.unshare")))
    with ctx.tenant.database.read() as connection:
        may_share(ctx, connection, object_name, record_id)
        found = connection.sa.execute(asked.order_by(kept.at.desc(), kept.seq.desc()).limit(limit)).all()
    return [event_of(row, orjson.loads(row.details or "{}")) for row in found]


def event_of(row: Any, told: Mapping[str, str]) -> ShareEvent:
    return ShareEvent(
        row.at, row.by or "", row.kind == "record.unshare", told.get("kind", ""), told.get("to", ""),
        told.get("access", "read"), told.get("reason", ""),
    )  # fmt: skip


def shares(ctx: Context, object_name: str, record_id: str) -> list[Share]:
    """Of a record that the person may share, without those that have expired. Raises NotFound, and Forbidden for who
    may read it only: with whom somebody shares is not theirs to know."""
    need_object(ctx.scope, object_name)
    with ctx.tenant.database.read() as connection:
        may_share(ctx, connection, object_name, record_id)
        found = rows_shares.of_record(connection, ctx.snapshot, object_name, record_id)
    made = [share_of(row) for row in found]
    return [one for one in made if one.expires_at is None or one.expires_at > ctx.now]


def share(ctx: Context, object_name: str, record_id: str, values: Mapping[str, Any]) -> Share:
    """Raises NotFound, Forbidden without the right to share and to change the record, and BadInput."""
    need_object(ctx.scope, object_name)
    with ctx.tenant.database.write() as connection:
        may_share(ctx, connection, object_name, record_id)
        refuse(list(wrong(ctx, connection, values)))
        expires_at = values.get("expires_at")
        row = {
            "id": new_id(ctx.now), "record": record_id, "kind": values["kind"], "to": values["to"],
            "access": values.get("access") or "read", "expires_at": moment(expires_at) if expires_at else None,
            "reason": values.get("reason") or None, "at": ctx.now, "by": ctx.actor.id or None,
        }  # fmt: skip
        rows_shares.add(connection, ctx.snapshot, object_name, row)
        told = {key: row[key] for key in ("kind", "to", "access", "reason") if row[key]}
        audit(ctx, connection, "record.share", object_name, record_id, told)
    return share_of(row)


def unshare(ctx: Context, object_name: str, record_id: str, share_id: str) -> None:
    need_object(ctx.scope, object_name)
    with ctx.tenant.database.write() as connection:
        may_share(ctx, connection, object_name, record_id)
        held = rows_shares.of_record(connection, ctx.snapshot, object_name, record_id)
        found = next((row for row in held if row["id"] == share_id), None)
        if found is None:
            raise NotFound("no such share of this record", code="share.unknown")
        rows_shares.drop(connection, share_id)
        told = {key: found[key] for key in ("kind", "to", "access")}
        audit(ctx, connection, "record.unshare", object_name, record_id, told)


def may_share(ctx: Context, connection: Connection, object_name: str, record_id: str) -> None:
    asked: tuple[Action, ...] = ("share", "update")
    for action in asked:
        found = rows.current(ctx, connection, object_name, record_id, action)
        if found is None:
            raise not_found(object_name, record_id)
        if not found.is_allowed:
            raise may_not("share", object_name)


def wrong(ctx: Context, connection: Connection, values: Mapping[str, Any]) -> Iterator[InputProblem]:
    for key in values.keys() - set(KEYS):
        yield InputProblem(key[:60], "share.key", f"a share has no '{key[:60]}'", f"write one of {', '.join(KEYS)}")
    kind, to, access = values.get("kind"), values.get("to"), values.get("access", "read")
    if kind not in KINDS:
        yield InputProblem("kind", "share.kind", f"kind is one of {', '.join(KINDS)}", "write 'user'?")
    elif not isinstance(to, str) or not is_there(ctx, connection, str(kind), to):
        yield InputProblem("to", "share.to", f"there is no such {kind}", "choose another")
    if access not in ACCESSES:
        guess = nearest(str(access), ACCESSES)
        yield InputProblem("access", "share.access", "access is read or edit", f"write '{guess or 'read'}'")
    if (sent := values.get("expires_at")) is not None:
        at = moment(sent)
        if at is None or at <= ctx.now:
            message = "expires_at is a time to come, such as 2026-12-31T18:00:00Z"
            yield InputProblem("expires_at", "share.expires", message)
    reason = values.get("reason", "")
    if reason is not None and (not isinstance(reason, str) or len(reason) > REASON_MOST or "\x00" in reason):
        yield InputProblem("reason", "share.reason", f"reason is a text of at most {REASON_MOST} characters")


def is_there(ctx: Context, connection: Connection, kind: str, to: str) -> bool:
    """Whether there is one, as far as the person may see it."""
    if kind == "role":
        return to in ctx.snapshot.definitions.roles
    if not types.is_id(to) or not ctx.scope.can("read", kind):
        return False
    return bool(find(ctx, connection, Query(kind, ("id",), ids=(to,), limit=1)).rows)


def moment(sent: object) -> datetime | None:
    if not isinstance(sent, str):
        return None
    try:
        found = datetime.fromisoformat(sent)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def share_of(row: Mapping[str, Any]) -> Share:
    return Share(
        row["id"], row["kind"], row["to"], row["access"], row["expires_at"], row["reason"] or "", row["at"],
        row["by"] or "",
    )  # fmt: skip


def unmask(ctx: Context, object_name: str, record_id: str, field_name: str) -> Any:
    """The value of a field whose mask the person sees; JSON-ready. Noted in the audit log. Raises NotFound, BadInput
    for a field that is not masked to them or that they do not know, Forbidden without the right to unmask."""
    need_object(ctx.scope, object_name)
    with ctx.tenant.database.write() as connection:
        action: Action = "read" if ctx.scope.has("unmask") else "unmask"
        found = rows.current(ctx, connection, object_name, record_id, action)
        if found is None:
            raise not_found(object_name, record_id)
        if not found.is_allowed:
            raise may_not("unmask", object_name)
        readable = ctx.scope.readable(object_name)
        if field_name not in readable or not readable[field_name].is_masked:
            code = "field.unmasked" if field_name in readable else "field.unknown"
            message = f"no field '{field_name}' of '{object_name}' is masked to you"
            problem = InputProblem("field", code, message, "", (("name", field_name), ("object", object_name)))
            raise BadInput(message, code=code, problems=[problem])
        audit(ctx, connection, "unmask", object_name, record_id, {"field": field_name})
    return found.record()[field_name]


def audit(
    ctx: Context, connection: Connection, kind: str, object_name: str, record: str, told: Mapping[str, Any]
) -> None:
    note(
        connection, kind, actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name=object_name, record=record,
        details=told,
    )  # fmt: skip
