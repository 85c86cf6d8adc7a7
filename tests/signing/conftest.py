"""A small shop with screens on both databases; passwords are hashed quickly."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.mail.message import Mail
from engine.people import passwords
from engine.testing import Running, running
from tests.api.shop import SHOP

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
GOOD = "correct horse battery"
BASE = "https://crm.example.com"


class Letters:
    """A mailer that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        self.mails.append(mail)

    @property
    def link(self) -> str:
        """The path and query of the link in the last mail."""
        [line] = [line for line in self.mails[-1].text.splitlines() if line.startswith(BASE)]
        return line.removeprefix(BASE)


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", type(passwords.HASHER)(time_cost=1, memory_cost=1024, parallelism=1))
    passwords.nobodys_hash.cache_clear()


@pytest.fixture
def office(database_url: str) -> Iterator[Running]:
    """Its screens are served on each database in turn; mails go to `letters(office)`."""
    with running(database_url, [SHOP], now=NOW, ui="ui.pages:mount", base_url=BASE, fill=people) as site:
        site.site.mailer = Letters()
        yield site


def people(site: Running) -> None:
    site.user("boss", "admin", name="The Boss", email="boss@example.com", password=GOOD)
    site.user("kim", "seller", name="Kim Lee", email="Kim@example.com", password=GOOD)
    site.user("lin", "seller", name="林悦", email="lin@example.com", language="zh-CN")
    site.user("ray", "reader")
