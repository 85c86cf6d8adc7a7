"""Writing to the audit log, in the transaction of what is noted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.audit.chain import Changed, Noted
from engine.context import Actor, Context, Origin
from engine.store.database import Connection

__all__ = ["note", "note_changes", "note_rewritten"]

LONGEST = 200  # of an address or the id of a request


def note(
    connection: Connection, kind: str, *, actor: Actor, origin: Origin, now: datetime, object_name: str = "",
    record: str = "", details: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """One entry, which is undone with the transaction. `details` are plain data; never a secret or a hidden value."""
    connection.notes.append(noted(kind, actor, origin, now, object_name, record, details))


def noted(
    kind: str, actor: Actor, origin: Origin, now: datetime, object_name: str = "", record: str = "",
    details: Mapping[str, Any] | None = None,
) -> Noted:  # fmt: skip
    return Noted(
        kind, now, actor.id, actor.on_behalf_of, origin.channel, plain(origin.address), plain(origin.request),
        object_name, record, dict(details) if details else None,
    )  # fmt: skip


def note_changes(
    ctx: Context, connection: Connection, object_name: str, action: str, changed: Sequence[Changed],
    records: Sequence[str] = (),
) -> None:  # fmt: skip
    """Records that were written: those with a line in the history, and those without. One entry for all changes of the
    transaction that are alike."""
    entry = noted(f"record.{action}", ctx.actor, ctx.origin, ctx.now, object_name)
    entry.changed.extend(changed)
    entry.records.extend(records)
    connection.notes.append(entry)


def note_rewritten(
    connection: Connection, changed: Sequence[Changed], *, actor: Actor, origin: Origin, now: datetime, reason: str,
    object_name: str = "",
) -> None:  # fmt: skip
    """Lines of the history that the engine itself made to say less: from now on they count as they are."""
    if changed:
        entry = noted("history.rewritten", actor, origin, now, object_name, details={"reason": reason})
        entry.changed.extend(changed)
        connection.notes.append(entry)


def plain(text: str) -> str:
    """Short, and of characters that every database stores."""
    return text[:LONGEST].encode("utf-8", "replace").decode().replace("\0", "")
