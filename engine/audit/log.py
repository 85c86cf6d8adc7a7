"""Writing to the audit log, in the transaction of what is noted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Actor, Origin
from engine.store import system
from engine.store.database import Connection, new_id

__all__ = ["note"]


def note(
    connection: Connection, kind: str, *, actor: Actor, origin: Origin, now: datetime, object_name: str = "",
    record: str = "", details: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """One entry, which is undone with the transaction. `details` are plain data; never a secret or a hidden value."""
    row = {
        "id": new_id(now), "at": now, "kind": kind, "by": actor.id or None,
        "on_behalf_of": actor.on_behalf_of or None, "channel": origin.channel or None,
        "address": origin.address[:100] or None, "request": origin.request or None, "object": object_name or None,
        "record": record or None, "details": orjson.dumps(dict(details)).decode() if details else None,
    }  # fmt: skip
    connection.sa.execute(sa.insert(system.audit).values(row))
