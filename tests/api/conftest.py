"""A small shop that is served on both databases, with an administrator, a seller and a reader."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)

SHOP = """
package: shop
version: 1.0.0
label: {en: Shop, zh-CN: 商店}
requires: {system: ">=0.1"}
languages: [en, zh-CN]
---
object: account
label: {en: Account, zh-CN: 客户}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  code: {type: text, label: Code, unique: true, length: 20}
  credit: {type: currency, label: Credit, min: 0}
---
object: deal
label: {en: Deal, zh-CN: 商机}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  stage:
    type: choice
    label: {en: Stage, zh-CN: 阶段}
    required: true
    default: new
    choices: {new: {label: {en: New, zh-CN: 新建}, color: gray}, won: Won, lost: Lost}
  amount: {type: currency, label: Amount, min: 0}
  close_date: {type: date, label: Close date}
  called_at: {type: datetime, label: Last call}
  is_hot: {type: boolean, label: Hot}
  account: {type: reference, to: account, label: Account, on_delete: restrict}
---
object: secret
label: Secret
fields:
  name: {type: text, label: Name, length: 80}
---
role: seller
label: Seller
objects:
  account: [read]
  deal: {can: [create, read, update, delete], rows: "owner == user.id"}
---
role: reader
label: Reader
objects:
  account: [read]
  deal: [read]
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    """Served on each database in turn; the time is 2026-11-22 02:15 UTC."""
    with running(database_url, [SHOP], now=NOW) as site:
        people(site)
        yield site


@pytest.fixture
def small_shop(sqlite_url: str) -> Iterator[Running]:
    """The same on SQLite only, for what does not depend on the database."""
    with running(sqlite_url, [SHOP], now=NOW) as site:
        people(site)
        yield site


def people(site: Running) -> None:
    site.user("boss", "admin", name="The Boss")
    site.user("lin", "seller", name="林悦", language="zh-CN", time_zone="Asia/Shanghai")
    site.user("ray", "reader")
