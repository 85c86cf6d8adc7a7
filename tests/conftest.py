"""Databases and a browser for tests.

`database_url` runs a test on both databases, each time on a new, empty one; `sqlite_url` and `postgres_url` give one
kind. What a machine lacks is skipped with the reason; under CI=true it fails instead.
"""

import gc
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from tests import templates
from tests.databases import EMPTY, create_database, drop_database
from tests.depth import IS_DEEP
from tests.folders import quick_folder

# The same examples each time, however slow the machine is; others in `make deep`.
settings.register_profile(
    "tests", deadline=None, derandomize=not IS_DEEP, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without the background flags Chromium looks up outside hosts at every start.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
]
# Its standard input ends however the test process ends: then it stops the server and tidies up.
GUARD = '"$@" </dev/null & pid=$!; cat >/dev/null; kill -QUIT $pid; wait $pid; home=$PWD; cd /; rm -rf "$home"'


TEMPLATES = templates.use()
# Tests make millions of short-lived objects beside a large heap that stays: looking at it less often saves a tenth.
gc.set_threshold(50_000, 20, 100)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only browser tests are asked for, files without any are not imported: that takes twenty seconds."""
    if config.option.markexpr != "browser" or collection_path.suffix != ".py":
        return None
    return "mark.browser" not in collection_path.read_text(encoding="utf-8") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: at the end, one process would wait for the other one's."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    TEMPLATES.is_patching = "monkeypatch" in getattr(item, "fixturenames", ())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a new, empty database; the test runs once for each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def postgres_url(postgres_server: sa.URL) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    create_database(postgres_server, name)
    yield postgres_server.set(database=name).render_as_string(hide_password=False)
    drop_database(postgres_server, name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """A server whose user may create databases: TEST_POSTGRES_URL's, else one of our own, one for each xdist worker."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        server = sa.make_url(given).set(drivername="postgresql+psycopg")
        yield server
        for name in [*TEMPLATES.kept.values(), *EMPTY]:
            drop_database(server, name)
        return
    binaries = postgres_binaries()
    if binaries is None:
        absent("PostgreSQL", "install Debian's package postgresql, or set TEST_POSTGRES_URL")
    # Not below tmp_path: a socket's path has at most 107 bytes, and pytest's folders are closed to other users.
    home = Path(tempfile.mkdtemp(prefix="pg-", dir=quick_folder()))
    try:
        yield from run_postgres(binaries, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run_postgres(binaries: Path, home: Path) -> Iterator[sa.URL]:
    as_owner: dict[str, Any] = {"cwd": home}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        owner = next(user for user in pwd.getpwall() if user.pw_name in ("postgres", "nobody"))
        os.chown(home, owner.pw_uid, owner.pw_gid)
        as_owner |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    initdb = [binaries / "initdb", "-D", "data", "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **as_owner)
    quick = {
        "listen_addresses": "",
        "unix_socket_directories": str(home),
        "max_connections": "50",
        "max_locks_per_transaction": "256",
        "shared_buffers": "16MB",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "checkpoint_timeout": "1h",
        "max_wal_size": "4GB",
        "max_parallel_workers_per_gather": "0",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "autovacuum": "off",
    }
    settings = [part for name, value in quick.items() for part in ("-c", f"{name}={value}")]
    with open(home / "server.log", "wb") as log:
        guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "sh", binaries / "postgres", "-D", "data", *settings],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            **as_owner,
        )
    url = sa.URL.create("postgresql+psycopg", username="test", database="postgres", query={"host": str(home)})
    try:
        wait_until_it_answers(url, home / "server.log")
        yield url
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(timeout=30)


def postgres_binaries() -> Path | None:
    """The folder that holds `initdb` and `postgres`; the newest version where Debian keeps several."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((v.parent for v in versions), key=lambda folder: float(folder.parent.name), default=None)


def wait_until_it_answers(url: sa.URL, log: Path, timeout_s: float = 30) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            engine.connect().close()
            return
        except sa.exc.OperationalError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
            time.sleep(0.02)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright's own fixture, with the machine's Chromium in place of a downloaded one."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        absent("Chromium", f"install one of {', '.join(CHROMIUM_NAMES)}")
    return {**browser_type_launch_args, "executable_path": found, "args": CHROMIUM_ARGS}


@pytest.fixture(scope="session")
def axe_source() -> str:
    """axe-core's script, to add to a page and call `axe.run()`."""
    script = Path(__file__).parents[1] / "ui/frontend/node_modules/axe-core/axe.min.js"
    if not script.exists():
        absent("axe-core", "run make frontend")
    return script.read_text(encoding="utf-8")


def absent(what: str, remedy: str) -> NoReturn:
    message = f"{what} was not found: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
