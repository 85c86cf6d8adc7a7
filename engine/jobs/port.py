"""Jobs: what is to be done after a transaction, written within it (a transactional outbox). Workers carry them out."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.store import system_jobs
from engine.store.database import Compiled, Connection, compile_sql, new_id

__all__ = ["enqueue"]


def enqueue(
    connection: Connection, kind: str, payload: Mapping[str, Any], *, now: datetime, due_at: datetime | None = None,
    key: str | None = None, by: str | None = None,
) -> str | None:  # fmt: skip
    """The id of the new job; None when there is, or was, one with this `key`. `payload` is JSON that its handler, named
    by `kind`, is given. `due_at`: not before that; else as soon as the transaction has ended."""
    compiled = _insert(connection.dialect)
    row = {
        "id": new_id(now), "kind": kind, "key": key, "payload": orjson.dumps(payload).decode(), "state": "waiting",
        "due_at": due_at or now, "tries": 0, "created_at": now, "by": by or None,
    }  # fmt: skip
    written = connection.rows(compiled.sql, compiled.bind({f"_{name}": value for name, value in row.items()}))
    if written and (due_at or now) <= now:
        connection.wakes = True
    return str(written[0][0]) if written else None


@cache
def _insert(dialect: str) -> Compiled:
    table = system_jobs.job
    names = ("id", "kind", "key", "payload", "state", "due_at", "tries", "created_at", "by")
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    values = {table.c[name]: sa.bindparam(f"_{name}", type_=table.c[name].type) for name in names}
    return compile_sql(insert.values(values).on_conflict_do_nothing().returning(table.c.id), dialect)
