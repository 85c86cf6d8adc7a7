"""Tenants that a test publishes are kept, and the next test that wants the same gets a copy: publishing is most of
the time that a small test takes.

Only where nothing else would differ: on a new database, with the same packages, plugins and time. Tests of publishing,
of the audit log and of storage itself publish each time. What the engine compiles of a version is shared, too, but not
with tests that change the engine under way.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from engine import testing
from engine.snapshot import Snapshot
from engine.testing import Running

__all__ = ["Templates", "use"]

EACH_TIME = ("tests/audit/", "tests/house/", "tests/publish/", "tests/store/", "tests/tenants/", "tests/corpus/")
CHANGING = ("tests/access/test_guards.py", "tests/access/test_pairs.py", "tests/api/test_openapi.py")


@cache
def changes_the_engine(file: str) -> bool:
    return file.startswith(CHANGING) or "monkeypatch" in Path(file).read_text(encoding="utf-8")


class Templates:
    """Of one test process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: dict[str, str] = {}  # key -> name of the template
        self.snapshots: dict[str, Snapshot] = {}  # of the same keys, with what was compiled of them

    def publish(self, site: Running, packages: Sequence[Path | str], now: datetime | None) -> None:
        """Publish, or copy what was published before."""
        url = sa.make_url(site.config.database_url or f"sqlite:///{site.folder / site.tenant.name}.db")
        is_sqlite = url.get_backend_name() == "sqlite"
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
        is_new = not Path(str(url.database)).exists() if is_sqlite else site.tenant.version() == 0
        if not is_new or not test or test.startswith(EACH_TIME):
            site.publish(*packages)
            return
        key = key_of(url.get_backend_name(), packages, site.config.plugins, now)
        is_shared = not changes_the_engine(test)
        if key in self.kept:
            self.copy(site, url, self.kept[key])
            if is_shared:
                if key not in self.snapshots:
                    self.snapshots[key] = site.tenant.snapshot()
                snapshot = self.snapshots[key]
                site.tenant._versions = {snapshot.version: snapshot}
            return
        site.publish(*packages)
        name = f"template_{len(self.kept)}_{os.getpid()}"
        self.keep(site, url, name)
        self.kept[key] = name

    def keep(self, site: Running, url: sa.URL, name: str) -> None:
        shutil.copytree(site.folder, self.folder / name, ignore=shutil.ignore_patterns("*.db*"))
        if url.get_backend_name() == "sqlite":
            with site.tenant.database.read() as connection:
                connection.run("VACUUM INTO ?", (str(self.folder / f"{name}.db"),))
        else:
            site.tenant.database._close_idle()  # a template must be in nobody's use
            alone(url, f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')

    def copy(self, site: Running, url: sa.URL, name: str) -> None:
        shutil.copytree(self.folder / name, site.folder, dirs_exist_ok=True)
        if url.get_backend_name() == "sqlite":
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / f"{name}.db", str(url.database))
        else:
            site.tenant.database._close_idle()
            own = url.database
            alone(url, f'DROP DATABASE "{own}" WITH (FORCE)', f'CREATE DATABASE "{own}" TEMPLATE "{name}"')


def key_of(kind: str, packages: Sequence[Path | str], plugins: Sequence[str], now: datetime | None) -> str:
    digest = hashlib.sha256(repr((kind, plugins, now, os.environ.get("FIELDSTONE_SECRET_KEY"))).encode())
    for package in packages:
        if isinstance(package, str):
            digest.update(package.encode("utf-8", "surrogatepass"))
            continue
        for path in sorted(package.rglob("*")) if package.is_dir() else [package]:
            if path.is_file():
                digest.update(f"{path.relative_to(package.parent)}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def alone(url: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(url.set(database="postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def use() -> Templates:
    """From now on in this process."""
    folder = Path(tempfile.mkdtemp(prefix="templates-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    templates = Templates(folder)
    testing.publish_first = templates.publish
    return templates
