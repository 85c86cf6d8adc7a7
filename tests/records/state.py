"""What a whole database holds, as one number: a refusal must not change it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.errors import EngineError
from engine.testing import Running


def state(site: Running) -> str:
    """A hash over all rows of all tables but the audit log's, which tells of refusals."""
    with site.tenant.database.read() as connection:
        if connection.dialect == "sqlite":
            tables = connection.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        else:
            tables = connection.rows(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema ORDER BY 1"
            )
        digest = hashlib.sha256()
        for (table,) in tables:
            if table.startswith("fs_audit"):
                continue
            rows = connection.rows(f'SELECT * FROM "{table}"')
            digest.update(repr((table, sorted(map(repr, rows)))).encode("utf-8", "replace"))
    return digest.hexdigest()


@contextmanager
def refused(site: Running, kind: type[EngineError]) -> Iterator[pytest.ExceptionInfo[EngineError]]:
    """The block raises `kind`, and nothing is written."""
    before = state(site)
    with pytest.raises(kind) as refusal:
        yield refusal
    assert state(site) == before
