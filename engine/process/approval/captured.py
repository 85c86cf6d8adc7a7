"""What a transaction has written so far that would leave it: jobs, notifications, and changes of records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.process.approval.work import object_at
from engine.store import system, system_jobs
from engine.store.database import Connection

__all__ = ["Change", "Marks", "Notice", "Sent", "marks"]

OWN = ("approval.timer", "approval.delay", "notice")  # jobs that tell nothing beyond what is told anyway


@dataclass(frozen=True, slots=True)
class Sent:
    """A job of the outbox: a mail, a call of another server, or what happens later."""

    kind: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    user: str
    name: str
    kind: str
    template: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Of one record: field -> (before, after), JSON-ready."""

    object: str
    record: str
    action: str
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Marks:
    """What was there at the beginning. All that is written is of `ctx.now` or later."""

    ctx: Context
    connection: Connection
    known: Mapping[str, frozenset[str]]

    def since(self) -> tuple[Sequence[Sent], Sequence[Notice], Sequence[Change]]:
        return list(self._sent()), list(self._notices()), list(self._changes())

    def _new(self, table: sa.Table, moment: str) -> Sequence[Any]:
        found = self.connection.sa.execute(sa.select(table).where(table.c[moment] >= self.ctx.now).order_by(table.c.id))
        return [row for row in found if str(row.id) not in self.known[table.name]]

    def _sent(self) -> Sequence[Sent]:
        rows = self._new(system_jobs.job, "created_at")
        return [Sent(row.kind, readable(orjson.loads(row.payload))) for row in rows if row.kind not in OWN]

    def _notices(self) -> Sequence[Notice]:
        rows = self._new(system_jobs.notification, "created_at")
        return [Notice(str(row.user), "", row.kind, row.template or "", orjson.loads(row._mapping["values"]))
                for row in rows]  # fmt: skip

    def _changes(self) -> Sequence[Change]:
        """Several of one record are one: what it was first, and what it is at the end."""
        found: dict[tuple[str, str], tuple[str, dict[str, tuple[Any, Any]]]] = {}
        snapshot = self.ctx.snapshot
        for row in self._new(system.history, "at"):
            object_name = object_at(snapshot, row.object)
            fields = {column: name for name, column in snapshot.physical.names.columns[object_name].items()}
            fields["owner"] = "owner"
            _, changes = found.setdefault((object_name, str(row.record)), (row.action, {}))
            for column, pair in (orjson.loads(row.changes) if row.changes else {}).items():
                if column in fields and isinstance(pair, list) and len(pair) == 2:
                    before = changes[fields[column]][0] if fields[column] in changes else pair[0]
                    changes[fields[column]] = (before, pair[1])
        return [
            Change(object_name, record, action, {name: pair for name, pair in changes.items() if pair[0] != pair[1]})
            for (object_name, record), (action, changes) in found.items()
        ]


def readable(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sealed stays so, and is told of by its kind alone."""
    return {} if "sealed" in payload else payload


def marks(ctx: Context, connection: Connection) -> Marks:
    tables = {system_jobs.job: "created_at", system_jobs.notification: "created_at", system.history: "at"}
    known = {
        table.name: frozenset(
            str(one) for one in connection.sa.scalars(sa.select(table.c.id).where(table.c[moment] >= ctx.now))
        )
        for table, moment in tables.items()
    }
    return Marks(ctx, connection, known)
