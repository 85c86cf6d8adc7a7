"""What ends with a user who is deactivated or deleted, whichever way the record was written."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from engine.store import system
from engine.store.database import Connection

__all__ = ["note"]

USER = "user"
PROOFS = (system.session, system.token, system.mail_link, system.halfway)
MOST = 500  # ids of one statement


def note(connection: Connection, object_name: str, ids: Sequence[str], values: Mapping[str, Any]) -> None:
    """Sessions, tokens and links end in the transaction of the write: they do not live again with their user."""
    if object_name != USER or not (values.get("is_active", True) in (False, None, 0) or values.get("deleted_at")):
        return
    for start in range(0, len(ids), MOST):
        some = ids[start : start + MOST]
        for proof in PROOFS:
            connection.sa.execute(sa.delete(proof).where(proof.c.user.in_(some)))
