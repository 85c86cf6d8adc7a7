"""A running tenant for tests: published from a package or from text, with people, tokens and HTTP clients."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.api.site import CSRF_HEADER, Site
from engine.app import create_app
from engine.config import Config
from engine.context import SYSTEM, Actor, Context, context_of
from engine.jobs.worker import Worker
from engine.people import sessions, tokens, users
from engine.people.authentication import zone_of
from engine.people.departments import Departments
from engine.people.memberships import Teams, sets_of
from engine.people.sessions import Session
from engine.publish import apply, plan
from engine.service import Records
from engine.tenants import Tenant, load_plugins, open_tenant
from metadata.problem import render

__all__ = ["Fill", "Running", "running"]

BASE_URL = "http://localhost"

Fill = Callable[["Running"], Any]


class Running:
    """One tenant that is served. Time stands still at `now` where it is given, and can be set."""

    def __init__(self, tenant: Tenant, config: Config, folder: Path, now: datetime | None) -> None:
        self.tenant, self.config, self.folder, self.fixed_now = tenant, config, folder, now
        self.made: dict[str, str] = {}  # user name -> id
        self.filled: Any = None  # what `fill` of `running` returned
        self._app: Starlette | None = None
        self._worker: Worker | None = None

    @property
    def now(self) -> datetime:
        return self.fixed_now or datetime.now(UTC)

    @property
    def app(self) -> Starlette:
        if self._app is None:
            self._app = create_app(self.config, self.tenant)
            self._app.state.site.clock = lambda: self.now
        return self._app

    @property
    def site(self) -> Site:
        site: Site = self.app.state.site
        return site

    def work(self, now: datetime | None = None) -> int:
        """Carry out all jobs that are due at `now` (the time that it is, unless given), and those they leave behind.
        Returns how many times one was tried."""
        if self._worker is None:
            self._worker = Worker(self.site)
        return self._worker.run_until_idle(now or self.now)

    def close(self) -> None:
        if self._app is not None:
            self.site.close()

    def publish(self, *packages: Path | str) -> int:
        """Publish package folders, or texts of definitions. Returns the version."""
        paths = [self.written(package) if isinstance(package, str) else package for package in packages]
        made = plan(self.tenant, paths)
        if any(problem.level == "error" for problem in made.problems):
            raise AssertionError(f"the package cannot be published:\n{render(made.problems)}")
        return apply(self.tenant, made, None, self.now)

    def written(self, text: str) -> Path:
        """A package folder that holds one file. It stands for the same package at each publish."""
        folder = self.folder / "package"
        folder.mkdir(exist_ok=True)
        (folder / "package.yaml").write_text(text, encoding="utf-8")
        return folder

    def user(self, username: str, *roles: str, password: str | None = None, **more: Any) -> str:
        """The id of a user, who is made with these roles if there is none of this name yet."""
        if username not in self.made:
            made = users.create_user(
                self.tenant, username, now=self.now, roles=roles, password=password, is_demo=True, **more
            )
            self.made[username] = made
        return self.made[username]

    def token(self, username: str) -> str:
        return tokens.make_token(self.tenant, self.made[username], now=self.now, name="test")

    def session(self, username: str) -> Session:
        """A session as sign-in makes it, without the time that a password takes."""
        return sessions.open_session(self.tenant, self.made[username], now=self.now)

    def context(self, username: str = "") -> Context:
        """What a request of this person would get; "" is the system itself."""
        if not username:
            return context_of(self.tenant, SYSTEM, self.now)
        user = users.find_user(self.tenant, username)
        fields = ("language", "time_zone", "department")
        row = Records(context_of(self.tenant, SYSTEM, self.now)).get_row("user", user.id, fields)
        zone = zone_of(row["time_zone"] or "UTC")
        departments = Departments(self.tenant, row["department"]) if row["department"] else ()
        roles, language = frozenset(user.roles), row["language"] or "en"
        snapshot = self.tenant.snapshot()
        with self.tenant.database.read() as connection:
            sets = frozenset(sets_of(connection, snapshot, user.id, self.now.date()))
        actor = Actor(
            user.id, username, user.name, roles, language, zone, departments=departments, permission_sets=sets,
            teams=Teams(self.tenant, user.id),
        )  # fmt: skip
        return context_of(self.tenant, actor, self.now)

    def records(self, username: str = "") -> Records:
        return Records(self.context(username))

    def client(self, username: str = "", *, by: str = "token", **options: object) -> TestClient:
        """An HTTP client of nobody, or of a user by token or by session (which sends the CSRF token too).

        Several threads share one only inside `with`: it then has one event loop, as a server does.
        """
        client = TestClient(self.app, base_url=BASE_URL, follow_redirects=False, **options)  # type: ignore[arg-type]
        if username and by == "token":
            client.headers["authorization"] = f"Bearer {self.token(username)}"
        elif username:
            session = self.session(username)
            client.cookies.set(sessions.COOKIE, session.secret)
            client.headers[CSRF_HEADER] = session.csrf
        return client


def publish(site: Running, packages: Sequence[Path | str], fill: Fill | None) -> None:
    site.publish(*packages)
    if fill is not None:
        site.filled = fill(site)


publish_first: Callable[[Running, Sequence[Path | str], Fill | None], None] = publish
"""How `running` publishes and fills: a test suite may put something quicker here."""


@contextmanager
def running(
    database_url: str = "",
    packages: Sequence[Path | str] = (),
    *,
    now: datetime | None = None,
    ui: str = "",
    plugins: Sequence[str] = ("plugins.base",),
    fill: Fill | None = None,
    **settings: object,
) -> Iterator[Running]:
    """A tenant in `database_url` (else in a temporary SQLite file), published and closed at the end.

    `ui` names the screens to mount ("ui.pages:mount"); `settings` are those of Config. `fill` makes the first people
    and records, and returns what the tests want to know of them, such as ids: `filled` of the tenant.
    """
    folder = Path(tempfile.mkdtemp(prefix="fieldstone-"))
    config = Config(database_url=database_url, data=folder, ui=ui, plugins=tuple(plugins), **settings)  # type: ignore[arg-type]
    plugged = load_plugins(config.plugins)
    tenant = open_tenant(config.database_url, folder, config.tenant, plugged, config.files, channel="")
    site = Running(tenant, config, folder, now)
    try:
        if packages:
            publish_first(site, packages, fill)
        yield site
    finally:
        site.close()
        tenant.close()
        shutil.rmtree(folder, ignore_errors=True)
