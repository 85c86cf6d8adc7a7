"""A site on both databases with people, records of which some hide things, and a mailer that keeps what it is given."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.mail.message import Mail
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
DEALS = """
package: deals
version: 1.0.0
label: Deals
languages: [en, zh-CN]
---
object: account
label: Account
fields:
  name: {type: text, label: Name, required: true}
  phone: {type: phone, label: Phone, mask: phone}
---
object: deal
label: {en: Deal, zh-CN: 商机}
fields:
  name: {type: text, label: Name, required: true}
  amount: {type: currency, label: Amount}
  margin: {type: percent, label: Margin}
  due: {type: date, label: Due}
  called_at: {type: datetime, label: Called at}
  stage:
    type: choice
    label: Stage
    default: new
    choices: {new: {label: {en: New, zh-CN: 新建}}, won: {label: {en: Won, zh-CN: 赢单}}}
  account: {type: reference, to: account, label: Account}
  notes: {type: longtext, label: Notes}
---
role: seller
label: Seller
objects:
  deal: {can: [create, read, update], fields: {margin: hidden}}
  account: {can: [read], fields: {phone: masked}}
---
role: outsider
label: Outsider
objects: {account: [read]}
"""


class Letters:
    """A mailer that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        self.mails.append(mail)


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    """The time is 2026-11-22 02:15 UTC; mails go to `letters`."""
    with running(database_url, [DEALS], now=NOW, base_url="https://crm.example.com", fill=people) as found:
        found.site.mailer = Letters()  # type: ignore[misc]
        yield found


def people(site: Running) -> None:
    site.user("boss", "admin", name="The Boss", email="boss@example.com")
    site.user("kim", "seller", name="Kim Lee", email="kim@example.com")
    site.user("lin", "seller", name="林悦", email="lin@example.com", language="zh-CN", time_zone="Asia/Shanghai")
    site.user("out", "outsider", email="out@example.com")


@pytest.fixture
def letters(site: Running) -> Letters:
    mailer = site.site.mailer
    assert isinstance(mailer, Letters)
    return mailer
