"""Is the audit log as it was written? Finds entries, ends of chains and lines of the history that were altered,
removed, added or put in another order by somebody who has the database, but not the key."""

import base64
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from engine.audit.chain import BEGINNING, ENTRY, HEAD, MARK_BYTES, REGISTER, Head, entry_mac, head_seal, mark
from engine.keyring import Keyring
from engine.store import system, types
from engine.store.database import Connection
from engine.store.rows_history import content_of
from engine.tenants import Tenant

__all__ = ["CHECKPOINT", "Anchor", "Finding", "Report", "verify"]

CHECKPOINT = "audit.checkpoint"  # an entry that says how long each chain was
REWRITTEN = "history.rewritten"
AT_A_TIME = 1000
LINES_AT_A_TIME = 500
ID_BYTES = 16
MOST_FINDINGS = 100

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """`chain` and `seq` say which entry, seq 0 the chain as a whole; `what` is "altered", "missing", "added",
    "reordered" or "unreadable"."""

    chain: int
    seq: int
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """An entry as it was once told: kept elsewhere, it shows that nothing up to then was taken back."""

    chain: int
    seq: int
    mac: str

    @property
    def text(self) -> str:
        return f"{self.chain}.{self.seq}.{self.mac}"


@dataclass(frozen=True, slots=True)
class Report:
    entries: int
    chains: int
    lines: int  # of the history
    findings: tuple[Finding, ...]


def verify(tenant: Tenant, anchor: Anchor | None = None) -> Report:
    """Reads all of it, in one state of the database."""
    with tenant.database.steady() as connection:
        return Check(connection, tenant.secrets, anchor).run()


class Check:
    def __init__(self, connection: Connection, keyring: Keyring, anchor: Anchor | None) -> None:
        self.connection, self.keyring, self.anchor = connection, keyring, anchor
        self.findings: list[Finding] = []
        self.entries = self.lines = 0
        self.told: set[bytes] = set()  # ids of lines of the history that entries tell of
        self.rewritten: dict[bytes, set[bytes]] = {}
        self.lengths: dict[int, int] = {}  # as checkpoints say
        self.ends: dict[int, Head] = {}

    def run(self) -> Report:
        heads = self.heads()
        for chain in heads:
            if chain != REGISTER:
                self.ends[chain] = heads[chain]
        self.read_rewritten()
        for head in self.ends.values():
            self.check_chain(head)
        self.check_lost(heads)
        self.check_checkpoints()
        self.check_untold(heads.get(REGISTER))
        return Report(self.entries, len(self.ends), self.lines, tuple(self.findings))

    def found(self, chain: int, seq: int, what: str, message: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(chain, seq, what, message))

    def heads(self) -> dict[int, Head]:
        heads = system.audit_head.c
        stored = self.connection.sa.execute(sa.select(*(heads[name] for name in HEAD)).order_by(heads.chain))
        found = {row[0]: Head(*row) for row in stored}
        for chain, head in found.items():
            what = "the count of chains" if chain == REGISTER else f"the end of chain {chain}"
            if (key := self.keyring.signing_key(head.key)) is None:
                self.found(chain, 0, "unreadable", f"{what} was sealed with the key {head.key}, which is not there")
            elif head_seal(key, head[:-1]) != head.seal:
                self.found(chain, 0, "altered", f"{what} is not as it was written")
        register = found.get(REGISTER)
        if register is None:
            if found or self.connection.sa.scalar(sa.select(sa.func.count()).select_from(system.audit)):
                self.found(REGISTER, 0, "missing", "the count of chains is missing")
            return found
        for chain in range(1, register.length + 1):
            if chain not in found:
                self.found(chain, 0, "missing", f"chain {chain} is missing")
        return found

    def read_rewritten(self) -> None:
        kept = system.audit.c
        wanted = sa.select(kept.details).where(kept.kind == REWRITTEN).order_by(kept.at, kept.chain, kept.seq)
        for details in self.connection.sa.scalars(wanted):
            for line, seal in marks_of(details):
                self.rewritten.setdefault(line, set()).add(seal)

    def check_chain(self, head: Head) -> None:
        key = self.keyring.signing_key(head.key)
        if key is None:
            return  # told already
        seq, before = head.gone, head.gone_mac
        marks: list[tuple[int, bytes, bytes]] = []
        for entry in self.chain(head.chain):
            self.entries += 1
            if self.is_out_of_place(head, entry, seq):
                return
            seq += 1
            if entry_mac(key, before, sealed_columns(entry)) != entry["mac"]:
                is_moved = self.stood_elsewhere(head, key, entry)
                what, done = ("reordered", "stood elsewhere") if is_moved else ("altered", "was altered")
                self.found(head.chain, seq, what, f"entry {seq} of chain {head.chain} ({entry['kind']}) {done}")
                return  # all after it hangs on it
            before = entry["mac"]
            if self.anchor is not None and (head.chain, seq) == (self.anchor.chain, self.anchor.seq):
                self.check_anchor(before)
            marks += [(seq, line, seal) for line, seal in marks_of(entry["details"])]
            if len(marks) >= LINES_AT_A_TIME:
                self.check_lines(head.chain, key, marks)
                marks = []
            if entry["kind"] == CHECKPOINT:
                self.take_lengths(entry["details"])
        self.check_lines(head.chain, key, marks)
        if seq < head.length:
            message = f"chain {head.chain} ends at entry {seq}: the last {head.length - seq} are missing"
            self.found(head.chain, seq + 1, "missing", message)
        elif before != head.mac:
            message = f"entry {seq} of chain {head.chain} is not the one that it ended with"
            self.found(head.chain, seq, "altered", message)

    def is_out_of_place(self, head: Head, entry: Entry, seq: int) -> bool:
        here, chain = entry["seq"], head.chain
        if here > head.length:
            self.found(chain, here, "added", f"entry {here} stands behind the end of chain {chain}")
        elif here <= head.gone:
            self.found(chain, here, "added", f"entry {here} stands before the beginning of chain {chain}")
        elif here != seq + 1:
            message = f"entry {seq + 1} of chain {chain} is missing"
            self.found(chain, seq + 1, "missing", message)
        else:
            return False
        return True

    def stood_elsewhere(self, head: Head, key: bytes, entry: Entry) -> bool:
        """Whether an entry that does not fit is a true one from another place of its chain, not too far from here."""
        kept = system.audit.c
        near = sa.select(kept.seq, kept.mac).where(
            kept.chain == head.chain, kept.seq.between(entry["seq"] - AT_A_TIME, entry["seq"] + AT_A_TIME)
        )
        macs = dict(self.connection.sa.execute(near).all()) | {head.gone: head.gone_mac}
        columns = sealed_columns(entry)
        return any(
            entry_mac(key, before, (columns[0], seq, *columns[2:])) == entry["mac"]
            for seq in macs
            for before in {macs.get(seq - 1), macs[seq]} - {None}  # of two neighbours each stands where the other did
        )

    def chain(self, chain: int) -> Iterator[Entry]:
        kept = system.audit.c
        wanted = sa.select(*(kept[name] for name in ENTRY)).where(kept.chain == chain)
        wanted = wanted.order_by(kept.seq).limit(AT_A_TIME)
        last = None
        while found := self.connection.sa.execute(wanted if last is None else wanted.where(kept.seq > last)).all():
            for row in found:
                yield dict(zip(ENTRY, row, strict=True))
            last = found[-1].seq

    def check_lines(self, chain: int, key: bytes, marks: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Whether the history is as these entries tell."""
        lines = system.history.c
        for start in range(0, len(marks), LINES_AT_A_TIME):
            some = marks[start : start + LINES_AT_A_TIME]
            ids = [str(uuid.UUID(bytes=line)) for _, line, _ in some]
            found = {
                row.id: row for row in self.connection.sa.execute(sa.select(system.history).where(lines.id.in_(ids)))
            }
            for (seq, line, seal), one in zip(some, ids, strict=True):
                self.lines += 1
                self.told.add(line)
                row = found.get(one)
                if row is None:
                    message = f"the line {one} of the history, of entry {seq} of chain {chain}, is missing"
                    self.found(chain, seq, "missing", message)
                    continue
                allowed = self.rewritten.get(line)
                is_so = line_mark(key, row) == seal if allowed is None else self.is_one_of(row, allowed)
                if not is_so:
                    message = f"the line {one} of the history, of entry {seq} of chain {chain}, was altered"
                    self.found(chain, seq, "altered", message)

    def is_one_of(self, row: Any, seals: set[bytes]) -> bool:
        """With any of our keys: a line may be rewritten after the key has changed."""
        return any(line_mark(key, row) in seals for key in self.keyring.signing_keys())

    def take_lengths(self, details: str | None) -> None:
        for chain, count in orjson.loads(details or "{}").get("chains", {}).items():
            self.lengths[int(chain)] = max(count, self.lengths.get(int(chain), 0))

    def check_checkpoints(self) -> None:
        for chain, count in self.lengths.items():
            head = self.ends.get(chain)
            if head is not None and head.length < count:
                message = f"chain {chain} had {count} entries once, and has {head.length}"
                self.found(chain, head.length + 1, "missing", message)

    def check_anchor(self, mac: str) -> None:
        assert self.anchor is not None
        if mac != self.anchor.mac:
            message = f"entry {self.anchor.seq} of chain {self.anchor.chain} is not the one of the anchor"
            self.found(self.anchor.chain, self.anchor.seq, "altered", message)

    def check_lost(self, heads: Mapping[int, Head]) -> None:
        """Entries of chains that nobody began; and whether the anchor is there at all."""
        kept = system.audit.c
        register = heads.get(REGISTER)
        for chain in self.connection.sa.scalars(sa.select(kept.chain).distinct().order_by(kept.chain)):
            if chain not in self.ends and (register is None or chain > register.length or chain <= REGISTER):
                self.found(chain, 0, "added", f"chain {chain} was never begun")
        for chain in self.ends:
            if register is not None and chain > register.length:
                self.found(chain, 0, "added", f"chain {chain} was never begun")
        if self.anchor is not None:
            head = self.ends.get(self.anchor.chain)
            if head is None or head.length < self.anchor.seq:
                message = f"entry {self.anchor.seq} of chain {self.anchor.chain}, the anchor, is missing"
                self.found(self.anchor.chain, self.anchor.seq, "missing", message)

    def check_untold(self, register: Head | None) -> None:
        """Lines of the history that no entry tells of, since the log tells of all."""
        if register is None or register.mac == BEGINNING or any(one.what != "altered" for one in self.findings):
            return
        lines = system.history.c
        since = types.DateTime().loader("sqlite")
        assert since is not None
        try:
            began = since(register.mac)
        except ValueError:  # told already: the row's seal does not fit
            return
        wanted = sa.select(lines.id).where(lines.at >= began).order_by(lines.id).limit(AT_A_TIME)
        last = ""
        while found := self.connection.sa.scalars(wanted.where(lines.id > last) if last else wanted).all():
            for one in found:
                if uuid.UUID(one).bytes not in self.told:
                    self.found(REGISTER, 0, "added", f"no entry tells of the line {one} of the history")
            last = found[-1]


def sealed_columns(entry: Entry) -> tuple[Any, ...]:
    return tuple(types.utc_text(entry[name]) if name == "at" else entry[name] for name in ENTRY if name != "mac")


def marks_of(details: str | None) -> Iterator[tuple[bytes, bytes]]:
    """(id of a line of the history, what seals it)"""
    try:
        text = orjson.loads(details or "{}").get("history", "")
        raw = base64.b64decode(text)
    except (ValueError, AttributeError, TypeError):  # somebody wrote into it, which the entry's mac tells
        return
    step = ID_BYTES + MARK_BYTES
    for start in range(0, len(raw) - step + 1, step):
        yield raw[start : start + ID_BYTES], raw[start + ID_BYTES : start + step]


def line_mark(key: bytes, row: Any) -> bytes:
    content = content_of(
        row.id, row.object, row.record, row.version, row.action, types.utc_text(row.at), row.by, row.changes
    )
    return base64.b64decode(mark(key, row.id, content))[ID_BYTES:]
