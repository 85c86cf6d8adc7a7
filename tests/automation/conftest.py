"""A firm with automations on both databases."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from engine.testing import Running, running
from tests.automation.firm import FIRM

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
Made = Callable[..., Running]


@pytest.fixture
def firm(database_url: str) -> Iterator[Made]:
    """The firm, published with these automations; the time is 2026-11-22 02:15 UTC."""
    yield from made_in(database_url)


@pytest.fixture
def light_firm(sqlite_url: str) -> Iterator[Made]:
    """The same on SQLite alone: where the storage is of no concern."""
    yield from made_in(sqlite_url)


def made_in(database_url: str) -> Iterator[Made]:
    opened: list[object] = []

    def made(automations: str = "") -> Running:
        context = running(database_url, [FIRM], now=NOW, fill=people)
        site = context.__enter__()
        opened.append(context)
        if automations:
            site.publish(f"{FIRM}\n---\n{automations}")
        return site

    yield made
    for context in opened:
        context.__exit__(None, None, None)  # type: ignore[attr-defined]


def people(site: Running) -> None:
    site.user("boss", "admin", name="The Boss")
    site.user("lin", "seller", name="Lin", language="zh-CN", time_zone="Asia/Shanghai")
    site.user("sam", "seller", name="Sam")
    site.user("new", "newcomer", name="New")
