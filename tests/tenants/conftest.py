"""Two databases, each for several tenants."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.publish import apply, ensure, plan
from engine.tenancy.restore import Place
from engine.tenants import Tenant

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    """An empty database, with a data folder of its own."""
    url = "" if database_url.startswith("sqlite") else database_url
    return Place(url, tmp_path / "data")


@pytest.fixture
def opened(place: Place) -> Iterator["Opener"]:
    opener = Opener(place)
    yield opener
    for tenant in opener.tenants:
        tenant.close()


class Opener:
    """Opens tenants, publishes text to them, and closes them at the end."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.tenants: list[Tenant] = []

    def __call__(self, name: str, package: str = "") -> Tenant:
        tenant = self.place.tenant(name)
        self.tenants.append(tenant)
        if not package:
            ensure(tenant, NOW)
            return tenant
        folder = self.place.data.parent / f"package-{name}"
        folder.mkdir(exist_ok=True)
        (folder / "package.yaml").write_text(package, encoding="utf-8")
        drawn = plan(tenant, [folder])
        assert not drawn.has_errors, drawn.problems
        apply(tenant, drawn, None, NOW)
        return tenant
