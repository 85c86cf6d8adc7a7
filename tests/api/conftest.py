"""A small shop that is served on both databases, with an administrator, a seller and a reader."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.testing import Running, running
from tests.api.shop import SHOP
from tests.state import WatchedRefusals, refusals_change_nothing

__all__ = ["refusals_change_nothing"]

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    """Served on each database in turn; the time is 2026-11-22 02:15 UTC."""
    with running(database_url, [SHOP], now=NOW, fill=people) as site:
        yield site


@pytest.fixture
def small_shop(sqlite_url: str) -> Iterator[Running]:
    """The same on SQLite only, for what does not depend on the database."""
    with running(sqlite_url, [SHOP], now=NOW, fill=people) as site:
        yield site


def people(site: Running) -> None:
    site.user("boss", "admin", name="The Boss")
    site.user("lin", "seller", name="林悦", language="zh-CN", time_zone="Asia/Shanghai")
    site.user("ray", "reader")


@pytest.fixture(autouse=True)
def watch_refusals(refusals_change_nothing: WatchedRefusals) -> None:
    """Whatever is refused in these tests changes nothing in the database."""
