"""Reading the audit log: for those who may, newest first, with what narrows it."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.audit.chain import mark_start
from engine.context import Context
from engine.errors import BadInput, Forbidden, InputProblem
from engine.service_reads import titles
from engine.store import system
from engine.store.database import Connection
from engine.store.types import utc_text

__all__ = ["KINDS", "AuditEntry", "Wanted", "find", "may_view_audit"]

MOST = 200
HIDDEN = ("history", "chains")  # of the details: what only `audit verify` reads
CURSOR = re.compile(r"(\S+) (\d{1,18}) (\d{1,18})")
KINDS = (
    "record", "sign_in", "sign_out", "session", "password", "totp", "token", "people", "refusal", "definitions",
    "permission", "unmask", "approval", "automation", "job", "export", "privacy", "history", "tenant", "audit",
)  # fmt: skip
"""The first words of kinds, as screens offer them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; "" and None: any. `kind` is a whole one, or its first word. `by` is a user's id."""

    kind: str = ""
    by: str = ""
    object: str = ""
    record: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: str  # "chain.seq"
    at: datetime
    kind: str
    by: str
    by_name: str  # "" where the reader may not see that person
    on_behalf_of: str
    on_behalf_of_name: str
    channel: str
    address: str
    request: str
    object: str
    record: str
    title: str  # of the record, "" where the reader may not see it
    details: dict[str, Any]


def may_view_audit(ctx: Context) -> bool:
    """Whether this person may read the audit log: the one place that says so."""
    return ctx.scope.has("view_audit")


def find(ctx: Context, wanted: Wanted, cursor: str = "", limit: int = 50) -> tuple[list[AuditEntry], str]:
    """(entries, the cursor of the next ones or ""). Raises Forbidden, and BadInput for a cursor of something else."""
    if not may_view_audit(ctx):
        raise Forbidden("you may not read the audit log", code="audit.forbidden", fix="ask an administrator")
    kept = system.audit.c
    statement = sa.select(system.audit).where(*conditions(wanted))
    if wanted.record:
        with ctx.tenant.database.read() as connection:
            statement = statement.where(about_record(connection, wanted.record))
    if cursor:
        at, chain, seq = read_cursor(cursor)
        statement = statement.where(
            kept.at <= at,
            sa.or_(kept.at < at, kept.chain < chain, sa.and_(kept.chain == chain, kept.seq < seq)),
        )
    limit = min(limit, MOST)
    order = (kept.at.desc(), kept.chain.desc(), kept.seq.desc())
    with ctx.tenant.database.read() as connection:
        rows = connection.sa.execute(statement.order_by(*order).limit(limit + 1)).all()
    shown = rows[:limit]
    following = ""
    if len(rows) > limit:
        last = shown[-1]
        following = write_cursor(last.at, last.chain, last.seq)
    return told(ctx, shown), following


def conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    kept = system.audit.c
    found: list[sa.ColumnElement[bool]] = []
    if wanted.kind:
        found.append(sa.or_(kept.kind == wanted.kind, kept.kind.startswith(f"{wanted.kind}.", autoescape=True)))
    if wanted.by:
        found.append(sa.or_(kept.by == wanted.by, kept.on_behalf_of == wanted.by))
    if wanted.object:
        found.append(kept.object == wanted.object)
    if wanted.since is not None:
        found.append(kept.at >= wanted.since)
    if wanted.until is not None:
        found.append(kept.at < wanted.until)
    return found


def about_record(connection: Connection, record: str) -> sa.ColumnElement[bool]:
    """Entries about this record alone, and those about many that were changed at once, which hold the lines of its
    history: of these the newest."""
    lines, kept = system.history.c, system.audit.c
    wanted = sa.select(lines.id, lines.at).where(lines.record == record).order_by(lines.id.desc()).limit(MOST)
    found = connection.sa.execute(wanted).all()
    among = sa.or_(*(kept.details.contains(mark_start(line), autoescape=True) for line, _ in found), sa.false())
    at = list(dict.fromkeys(at for _, at in found))
    return sa.or_(kept.record == record, sa.and_(kept.record.is_(None), kept.at.in_(at), among))


def told(ctx: Context, rows: Sequence[Any]) -> list[AuditEntry]:
    people = titles(ctx, "user", [one for row in rows for one in (row.by, row.on_behalf_of) if one])
    records: dict[str, list[str]] = {}
    for row in rows:
        if row.record and row.object in ctx.snapshot.definitions.objects:
            records.setdefault(row.object, []).append(row.record)
    named = {(name, one): title for name, ids in records.items() for one, title in titles(ctx, name, ids).items()}
    entries = []
    for row in rows:
        details = orjson.loads(row.details) if row.details else {}
        entries.append(
            AuditEntry(
                f"{row.chain}.{row.seq}", row.at, row.kind, row.by or "", people.get(row.by or "", ""),
                row.on_behalf_of or "", people.get(row.on_behalf_of or "", ""), row.channel or "", row.address or "",
                row.request or "", row.object or "", row.record or "", named.get((row.object, row.record), ""),
                {name: value for name, value in details.items() if name not in HIDDEN},
            )
        )  # fmt: skip
    return entries


def write_cursor(at: datetime, chain: int, seq: int) -> str:
    return base64.urlsafe_b64encode(f"{utc_text(at)} {chain} {seq}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, int, int]:
    try:
        text = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = CURSOR.fullmatch(text.decode("ascii"))
        if found is None:
            raise ValueError("another query's cursor")
        return datetime.fromisoformat(found[1]), int(found[2]), int(found[3])
    except ValueError as error:
        problem = InputProblem("cursor", "query.cursor", "this is no cursor of the audit log", "begin without it")
        raise BadInput(problem.message, code=problem.code, fix=problem.fix, problems=[problem]) from error
