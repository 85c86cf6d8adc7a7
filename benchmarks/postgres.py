"""A PostgreSQL server for one run: TEST_POSTGRES_URL's, else one of our own, as the tests start it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from tests.conftest import postgres_binaries, run_postgres
from tests.databases import create_database, drop_database

__all__ = ["postgres", "storage"]


@contextmanager
def storage(kind: str, folder: Path) -> Iterator[str]:
    """URL of a new, empty database of that kind: "sqlite" or "postgres"."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
    else:
        with postgres() as url:
            yield url


@contextmanager
def postgres() -> Iterator[str]:
    """URL of a new, empty database."""
    with _server() as server:
        name = f"bench_{uuid4().hex[:12]}"
        create_database(server, name)
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            drop_database(server, name)


@contextmanager
def _server() -> Iterator[sa.URL]:
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield sa.make_url(given).set(drivername="postgresql+psycopg")
        return
    binaries = postgres_binaries()
    if binaries is None:
        raise SystemExit(
            "no PostgreSQL: install Debian's package postgresql, set TEST_POSTGRES_URL, or ask for --database sqlite"
        )
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        yield from run_postgres(binaries, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
