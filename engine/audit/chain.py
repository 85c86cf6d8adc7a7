"""Chains of the audit log: what a transaction noted becomes entries, each sealed with the one before it.

Each connection writes a chain of its own, so that writers never wait for each other; docs/audit.md has the model.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.keyring import Keyring
from engine.store import system
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.types import utc_text

__all__ = [
    "BEGINNING", "ENTRY", "HEAD", "MARK_BYTES", "REGISTER", "Changed", "Head", "Noted", "Writer", "entry_mac",
    "head_seal", "mark", "mark_start", "sealed",
]  # fmt: skip

ENTRY = ("chain", "seq", "at", "kind", "by", "on_behalf_of", "channel", "address", "request", "object", "record",
         "details", "mac")  # fmt: skip
HEAD = ("chain", "key", "gone", "gone_mac", "length", "mac", "seal")
REGISTER = 0  # the head that counts the chains
BEGINNING = ""  # what stands for the entry before the first
SEAL_BYTES = 32
MARK_BYTES = 8  # of a line of the history, behind the 16 of its id
MOST_MARKS = 1000  # in one entry
INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Head(NamedTuple):
    """A row of fs_audit_head."""

    chain: int
    key: str
    gone: int
    gone_mac: str
    length: int
    mac: str
    seal: str


class Changed(NamedTuple):
    """A line of the history that was written: its record, its id and what it says."""

    record: str
    line: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Noted:
    """What is to become an entry; one with `changed` takes up all others of the transaction that are alike."""

    kind: str
    now: datetime
    by: str
    on_behalf_of: str
    channel: str
    address: str
    request: str
    object: str
    record: str = ""
    details: dict[str, Any] | None = None
    changed: list[Changed] = field(default_factory=list)
    records: list[str] = field(default_factory=list)  # changed without a line in the history

    @property
    def key(self) -> tuple[str, ...]:
        return (self.kind, self.by, self.on_behalf_of, self.channel, self.address, self.request, self.object)


def entry_mac(key: bytes, before: str, entry: Sequence[Any]) -> str:
    """`entry` is as ENTRY without its mac, with the time as text."""
    return seal_of(key, orjson.dumps((before, *entry)))


def head_seal(key: bytes, head: Sequence[Any]) -> str:
    """`head` is as HEAD without its seal."""
    return seal_of(key, orjson.dumps(("head", *head)))


def seal_of(key: bytes, content: bytes) -> str:
    """Keyed BLAKE2b, RFC 7693: a MAC by itself, at a third of what HMAC costs."""
    return hashlib.blake2b(content, digest_size=SEAL_BYTES, key=key).hexdigest()


def sealed(key: bytes, head: Head) -> Head:
    return head._replace(seal=head_seal(key, head[:-1]))


def mark(key: bytes, line: str, content: bytes) -> str:
    """32 characters: which line of the history, and what shows that it is as it was written."""
    seal = hashlib.blake2b(content, digest_size=MARK_BYTES, key=key).digest()
    return base64.b64encode(bytes.fromhex(line.replace("-", "")) + seal).decode()


def mark_start(line: str) -> str:
    """What the mark of that line begins with, whatever seals it: 15 of the 16 bytes of its id."""
    return base64.b64encode(bytes.fromhex(line.replace("-", ""))[:15]).decode()


class Writer:
    """Writes what a connection has noted, at the end of its transaction. One for each tenant and process."""

    def __init__(self, keyring: Callable[[], Keyring], dialect: str) -> None:
        self._keyring, self._dialect = keyring, dialect
        self._compiled: tuple[Compiled, Compiled] | None = None

    def keep(self, connection: Connection) -> Head | None:
        """The chain's new head, which is the connection's once the transaction is committed."""
        rows = entries_of(connection.notes)
        if not rows:
            head: Head | None = connection.chain
            return head
        before, connection.chain = connection.chain, None  # unless all goes well, the next transaction begins anew
        head = self._append(connection, before, rows) if before is not None else None
        if head is None:  # the first, or somebody changed the chain: a restored backup, for instance
            head = self._append(connection, self._begin(connection, rows[0][0]), rows)
        assert head is not None
        connection.chain = before
        return head

    def _append(
        self, connection: Connection, head: Head, rows: Iterable[tuple[datetime, list[Any], list[Changed]]]
    ) -> Head | None:
        """None where the stored head is not this one any more: then nothing is written."""
        insert, move = self._compiled or self._compile()
        key = self._keyring().signing_key(head.key)
        if key is None:
            return None
        seq, mac, params = head.length, head.mac, []
        for at, values, changed in rows:
            seq += 1
            if changed:
                marks = "".join(mark(key, one.line, one.content) for one in changed)
                values = [*values[:-1], orjson.dumps({**values[-1], "history": marks}).decode()]
            elif values[-1] is not None:
                values = [*values[:-1], orjson.dumps(values[-1], default=str).decode()]
            mac = entry_mac(key, mac, (head.chain, seq, utc_text(at), *values))
            entry = (head.chain, seq, at, *values, mac)
            params.append(insert.bind({f"_{name}": value for name, value in zip(ENTRY, entry, strict=True)}))
        new = sealed(key, head._replace(length=seq, mac=mac))
        moved = {"_chain": head.chain, "_old": head.seal, "_length": seq, "_mac": mac, "_seal": new.seal}
        if connection.run(move.sql, move.bind(moved)) != 1:
            return None
        if len(params) == 1:
            connection.run(insert.sql, params[0])
        else:
            connection.run_many(insert.sql, params)
        return new

    def _begin(self, connection: Connection, now: datetime) -> Head:
        """A new chain. Two that begin at once wait for each other here, until the first has committed."""
        keyring, heads = self._keyring(), system.audit_head.c
        key = keyring.signing_key(keyring.first)
        assert key is not None
        register = sealed(key, Head(REGISTER, keyring.first, 0, BEGINNING, 0, utc_text(now), ""))
        first = INSERT[self._dialect](system.audit_head).values(register._asdict()).on_conflict_do_nothing()
        connection.sa.execute(first)
        wanted = sa.select(system.audit_head).where(heads.chain == REGISTER).with_for_update()
        register = Head(*connection.sa.execute(wanted).one())
        # Whoever removed rows by hand does not keep others from writing: `audit verify` tells of it.
        last = connection.sa.scalar(sa.select(sa.func.max(heads.chain))) or 0
        entries = connection.sa.scalar(sa.select(sa.func.max(system.audit.c.chain))) or 0
        number = max(register.length, last, entries) + 1
        register = sealed(key, register._replace(key=keyring.first, length=number))
        connection.sa.execute(
            sa.update(system.audit_head).where(heads.chain == REGISTER).values(
                key=register.key, length=register.length, seal=register.seal
            )
        )  # fmt: skip
        head = sealed(key, Head(number, keyring.first, 0, BEGINNING, 0, BEGINNING, ""))
        connection.sa.execute(sa.insert(system.audit_head).values(head._asdict()))
        return head

    def _compile(self) -> tuple[Compiled, Compiled]:
        kept, heads = system.audit.c, system.audit_head.c
        values = {kept[name]: sa.bindparam(f"_{name}", type_=kept[name].type) for name in ENTRY}
        insert = compile_sql(sa.insert(system.audit).values(values), self._dialect)
        moved = {heads[name]: sa.bindparam(f"_{name}", type_=heads[name].type) for name in ("length", "mac", "seal")}
        place = (heads.chain == sa.bindparam("_chain", type_=heads.chain.type)) & (
            heads.seal == sa.bindparam("_old", type_=heads.seal.type)
        )
        move = compile_sql(sa.update(system.audit_head).where(place).values(moved), self._dialect)
        self._compiled = insert, move
        return self._compiled


def entries_of(notes: Sequence[Noted]) -> list[tuple[datetime, list[Any], list[Changed]]]:
    """(when, the columns from `kind` to `details`, lines of the history): one for each note, but one for all changes
    to records that are alike."""
    found: list[tuple[datetime, list[Any], list[Changed]]] = []
    groups: dict[tuple[str, ...], Noted] = {}
    for note in notes:
        if not note.changed and not note.records:
            found.append((note.now, columns_of(note, note.record, note.details), []))
        elif (group := groups.get(note.key)) is None:
            groups[note.key] = note
        else:
            group.changed.extend(note.changed)
            group.records.extend(note.records)
    for group in groups.values():
        changed, records = group.changed, group.records
        for start in range(0, max(len(changed), len(records)), MOST_MARKS):
            own, without = changed[start : start + MOST_MARKS], records[start : start + MOST_MARKS]
            ids = dict.fromkeys((*(one.record for one in own), *without))
            details: dict[str, Any] = dict(group.details or {})
            if len(ids) > 1:
                details["count"] = len(ids)
            record = next(iter(ids)) if len(ids) == 1 else ""
            found.append((group.now, columns_of(group, record, details or ({} if own else None)), own))
    return found


def columns_of(note: Noted, record: str, details: dict[str, Any] | None) -> list[Any]:
    return [
        note.kind, note.by or None, note.on_behalf_of or None, note.channel or None, note.address or None,
        note.request or None, note.object or None, record or None, details,
    ]  # fmt: skip
