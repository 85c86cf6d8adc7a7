"""A small company on both databases, published once for each kind; every test gets a copy of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, 0, 123000, tzinfo=UTC)

COMPANY = """
package: firm
version: 1.0.0
label: Firm
---
object: account
label: Account
fields:
  name: {type: text, label: Name, required: true, length: 80}
  code: {type: text, label: Code, unique: true, length: 20}
  parent: {type: reference, to: account, label: Parent}
  credit: {type: decimal, label: Credit, precision: 15, scale: 4}
  secret: {type: text, label: Secret, hidden: true}
---
object: deal
label: Deal
search: [name, notes]
fields:
  name: {type: text, label: Name, required: true, length: 80}
  number: {type: autonumber, label: Number, format: "D-{YYYY}-{0000}"}
  stage:
    type: choice
    label: Stage
    required: true
    default: new
    choices: {new: New, won: Won, lost: Lost, old: {label: Old, retired: true}}
  amount: {type: currency, label: Amount, precision: 18, scale: 2}
  count: {type: integer, label: Count}
  rate: {type: percent, label: Rate}
  close_date: {type: date, label: Close date}
  called_at: {type: datetime, label: Called at}
  opens_at: {type: time, label: Opens at}
  is_hot: {type: boolean, label: Hot}
  tags: {type: multi_choice, label: Tags, choices: {vip: VIP, risk: Risk, it's: Quote}}
  notes: {type: longtext, label: Notes}
  account: {type: reference, to: account, label: Account, on_delete: restrict}
  fixed: {type: text, label: Fixed, read_only: true, default: set}
---
object: line
label: Line
title: product
fields:
  product: {type: text, label: Product, required: true}
  deal: {type: reference, to: deal, label: Deal, required: true, on_delete: cascade}
  position: {type: integer, label: Position}
unique: [[deal, position]]
---
object: note
label: Note
fields:
  name: {type: text, label: Name, index: true}
  deal: {type: reference, to: deal, label: Deal}
  line: {type: reference, to: line, label: Line}
---
object: vault
label: Vault
fields:
  name: {type: text, label: Name}
  account: {type: reference, to: account, label: Account}
---
role: seller
label: Seller
objects:
  account: {can: [read], rows: "owner == user.id or code == 'open'"}
  deal: {can: [create, read, update, delete], rows: "owner == user.id"}
  line: {can: [create, read, update, delete], rows: "deal.owner == user.id"}
  note: [create, read]
  user: [read]
---
role: auditor
label: Auditor
objects:
  deal: {can: [read], rows: "account.parent.code == 'root' or amount > 1000"}
  account: [read]
---
role: writer
label: Writer
objects:
  note: [create]
  deal: {can: [update], rows: "stage == 'new'"}
"""


@pytest.fixture
def firm(database_url: str) -> Iterator[Running]:
    """Served on each database in turn; the time is 2026-11-22 02:15:00.123 UTC."""
    with running(database_url, [COMPANY], now=NOW, fill=people) as site:
        yield site


def people(site: Running) -> None:
    site.user("boss", "admin", name="The Boss")
    site.user("lin", "seller", name="林悦", time_zone="Asia/Shanghai")
    site.user("sam", "seller", name="Sam")
    site.user("ann", "auditor")
    site.user("wen", "writer")
    site.user("nobody")
