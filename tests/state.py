"""What a whole database holds, as one number: a refusal must not change it.

`refused` is for calls of the service; the fixture `refusals_change_nothing` watches every HTTP client that a running
tenant gives out, and compares the number around each answer of 400 to 499.
"""

import hashlib
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from starlette.testclient import TestClient

from engine.errors import EngineError
from engine.testing import Running

__all__ = [
    "COUNTED",
    "EXCLUDED",
    "NOT_COMPARED",
    "WatchedRefusals",
    "refusals_change_nothing",
    "refused",
    "state",
    "watched",
]

EXCLUDED = {
    "fs_audit": "tells of refusals",
    "fs_audit_head": "the end of the chain that tells of refusals",
    "fs_attempt": "counts what failed: what locks an account out",
}
COUNTED = {"fs_version", "fs_package", "fs_name"}  # definitions: large, rows are only ever added
NOT_COMPARED = {
    ("fs_token", "used_at"): "when it was last shown, whatever for",
    ("fs_session", "seen_at"): "when it was last shown, whatever for",
}
KNOWN: WeakKeyDictionary[Running, tuple[Any, dict[str, list[str]]]] = WeakKeyDictionary()


LAST: WeakKeyDictionary[Running, tuple[Any, str]] = WeakKeyDictionary()
LOOKERS: WeakKeyDictionary[Running, sqlite3.Connection] = WeakKeyDictionary()


def state(site: Running) -> str:
    """A hash over all rows of all tables but those in EXCLUDED, without the columns in NOT_COMPARED. Reckoned anew only
    where something was committed since the last time."""
    seen, last = commits(site), LAST.get(site)
    if last is None or last[0] != seen:
        last = LAST[site] = (seen, hash_of(site))
    return last[1]


def commits(site: Running) -> Any:
    """What is another after each transaction that wrote something."""
    database = site.tenant.database
    if database.dialect == "postgresql":
        with database.read() as connection:
            return connection.rows("SELECT txid_snapshot_xmax(txid_current_snapshot())")
    if site not in LOOKERS:
        looker = LOOKERS[site] = sqlite3.connect(str(database.url.database), check_same_thread=False)
        weakref.finalize(site, looker.close)
    return LOOKERS[site].execute("PRAGMA data_version").fetchall()


def hash_of(site: Running) -> str:
    digest = hashlib.sha256()
    with site.tenant.database.read() as connection:
        for table, columns in tables_known(site, connection).items():
            if table in EXCLUDED:
                continue
            chosen = ", ".join(f'"{name}"' for name in columns if (table, name) not in NOT_COMPARED)
            rows = connection.rows(f'SELECT {"count(*)" if table in COUNTED else chosen} FROM "{table}"')
            digest.update(repr((table, sorted(map(repr, rows)))).encode("utf-8", "replace"))
    return digest.hexdigest()


def tables_known(site: Running, connection: Any) -> dict[str, list[str]]:
    """Asked for once per version of the definitions: only a publish changes tables."""
    version = site.tenant.version()
    if version == 0:  # there may be no table at all yet
        return tables_of(connection)
    known = KNOWN.get(site)
    if known is None or known[0] != version:
        known = KNOWN[site] = (version, tables_of(connection))
    return known[1]


def tables_of(connection: Any) -> dict[str, list[str]]:
    if connection.dialect == "sqlite":
        names = connection.rows(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' "
            "ORDER BY 1, 2"
        )
    else:
        names = connection.rows(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema "
            "ORDER BY 1, 2"
        )
    found: dict[str, list[str]] = {}
    for table, column in names:
        found.setdefault(table, []).append(column)
    return found


@contextmanager
def refused(site: Running, kind: type[EngineError]) -> Iterator[pytest.ExceptionInfo[EngineError]]:
    """The block raises `kind`, and nothing is written."""
    before = state(site)
    with pytest.raises(kind) as refusal:
        yield refusal
    assert state(site) == before


class WatchedRefusals:
    """How many refusals were looked at, and those that changed something."""

    def __init__(self) -> None:
        self.seen = 0
        self.changed: list[str] = []


def watched(client: TestClient, site: Running, found: WatchedRefusals) -> TestClient:
    """One request at a time: the client of several threads is not watched."""
    before: list[str] = []

    def remember(_: object) -> None:
        before[:] = [state(site)]

    def compare(response: Any) -> None:
        if 400 <= response.status_code < 500:
            found.seen += 1
            if state(site) != before[0]:
                request = response.request
                found.changed.append(f"{request.method} {request.url.path}: {response.status_code}")

    client.event_hooks = {"request": [remember], "response": [compare]}
    return client


@pytest.fixture
def refusals_change_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedRefusals]:
    """Of all clients that are made in this test."""
    found, make = WatchedRefusals(), Running.client

    def client(site: Running, *args: Any, **options: Any) -> TestClient:
        return watched(make(site, *args, **options), site, found)

    monkeypatch.setattr(Running, "client", client)
    yield found
    assert found.changed == []
