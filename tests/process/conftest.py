"""Quotes and orders that are approved, on both databases."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.testing import Running, running
from tests.process import orders
from tests.process.desk import NOW, Desk, fakes, fill, package


@pytest.fixture
def open_desk(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """open_desk(flow, **options of the approval) publishes it and gives a Desk; the time is a Sunday, 02:15 UTC."""
    yield from opened(database_url, monkeypatch)


@pytest.fixture
def light_desk(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The same on SQLite alone: where the storage is of no concern."""
    yield from opened(sqlite_url, monkeypatch)


def opened(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    sites: list[Any] = []

    def make(flow: str, options: str = "", more: str = "") -> Desk:
        holder = running(database_url, [package()], now=NOW, fill=fill)
        site = holder.__enter__()
        sites.append(holder)
        site.publish(package(flow, options, more))
        desk = Desk(site)
        fakes(monkeypatch, desk)
        return desk

    yield make
    for holder in sites:
        holder.__exit__(None, None, None)


@pytest.fixture(scope="module")
def shelf(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A site for all tests of a module, with the approvals that its APPROVALS say: each test submits to one of these by
    its name, as each is of a group of its own. It is quicker than a site for each."""
    approvals = [
        f"{text.strip()}\ngroup: group_{at}\n" for at, text in enumerate(request.module.APPROVALS.split("---"))
    ]
    with running("", ["---\n".join([package(), *approvals])], now=NOW, fill=fill) as site:
        yield site


@pytest.fixture
def desk(shelf: Running, monkeypatch: pytest.MonkeyPatch) -> Desk:
    found = Desk(shelf)
    fakes(monkeypatch, found)
    return found


@pytest.fixture
def firm(database_url: str) -> Iterator[Running]:
    """Orders, for locks and what hangs on them: nothing of approvals is faked."""
    with running(database_url, [orders.ORDERS], now=orders.NOW, fill=orders.people) as site:
        yield site
