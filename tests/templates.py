"""Tenants that a test publishes are kept, and the next test that wants the same gets a copy: publishing is most of
the time that a small test takes.

Only where nothing else would differ: on a new database, with the same packages, plugins, time and first
records. Tests of publishing, of the audit log and of storage itself publish each time. What the engine compiles of a
version is shared, too, but not with tests that change the engine under way.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine import testing
from engine.snapshot import Snapshot
from engine.testing import Fill, Running
from tests.databases import UNUSED, copy_database, put_back

__all__ = ["Templates", "use"]

EACH_TIME = ("tests/audit/", "tests/house/", "tests/publish/", "tests/store/", "tests/tenants/", "tests/corpus/")
CHANGING = ("tests/access/test_guards.py", "tests/access/test_pairs.py", "tests/api/test_openapi.py")


class Templates:
    """Of one test process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: dict[str, str] = {}  # key -> name of the template
        self.filled: dict[str, tuple[dict[str, str], Any]] = {}  # of the same keys: ids of people, and what `fill` said
        self.snapshots: dict[str, Snapshot] = {}  # of the same keys, with what was compiled of them
        self.is_patching = False  # whether the test that runs may change the engine

    def publish(self, site: Running, packages: Sequence[Path | str], fill: Fill | None) -> None:
        """Publish and fill, or copy what was published and filled before."""
        url = sa.make_url(site.config.database_url or f"sqlite:///{site.folder / site.tenant.name}.db")
        is_sqlite = url.get_backend_name() == "sqlite"
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
        is_new = not Path(str(url.database)).exists() if is_sqlite else is_unused(site, url)
        if not is_new or not test or test.startswith(EACH_TIME):
            testing.publish(site, packages, fill)
            return
        key = key_of(url.get_backend_name(), packages, site, fill)
        is_shared = not self.is_patching and not test.startswith(CHANGING)
        if key in self.kept:
            self.copy(site, url, self.kept[key])
            made, filled = self.filled[key]
            site.made, site.filled = dict(made), deepcopy(filled)
            if is_shared:
                if key not in self.snapshots:
                    self.snapshots[key] = site.tenant.snapshot()
                snapshot = self.snapshots[key]
                site.tenant._versions = {snapshot.version: snapshot}
            return
        testing.publish(site, packages, fill)
        self.filled[key] = dict(site.made), deepcopy(site.filled)
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
            copy_database(url, str(url.database), name)

    def copy(self, site: Running, url: sa.URL, name: str) -> None:
        shutil.copytree(self.folder / name, site.folder, dirs_exist_ok=True)
        if url.get_backend_name() == "sqlite":
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / f"{name}.db", str(url.database))
        else:
            site.tenant.database._close_idle()
            put_back(url, str(url.database))
            copy_database(url, name, str(url.database))


def is_unused(site: Running, url: sa.URL) -> bool:
    """Asked of the database only where it must be: the connection would be one more, and closed again."""
    if url.database in UNUSED:
        UNUSED.discard(str(url.database))
        return True
    return site.tenant.version() == 0


def key_of(kind: str, packages: Sequence[Path | str], site: Running, fill: Fill | None) -> str:
    maker = ""
    if fill is not None:
        assert getattr(fill, "__closure__", None) is None, "fill must be a function by itself"
        maker = f"{fill.__module__}.{fill.__qualname__}"
    parts = (kind, site.config.plugins, site.fixed_now, maker, os.environ.get("FIELDSTONE_SECRET_KEY"))
    digest = hashlib.sha256(repr(parts).encode())
    for package in packages:
        if isinstance(package, str):
            digest.update(package.encode("utf-8", "surrogatepass"))
            continue
        for path in sorted(package.rglob("*")) if package.is_dir() else [package]:
            if path.is_file():
                digest.update(f"{path.relative_to(package.parent)}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def use() -> Templates:
    """From now on in this process."""
    folder = Path(tempfile.mkdtemp(prefix="templates-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    templates = Templates(folder)
    testing.publish_first = templates.publish
    return templates
