"""A sales team on both databases: a manager, her people, marketing and support, with fields that not all may see."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.testing import Running, running
from tests.state import WatchedRefusals, refusals_change_nothing

__all__ = ["refusals_change_nothing"]

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)

TEAM = """
package: team
version: 1.0.0
label: Team
---
object: account
label: Account
fields:
  name: {type: text, label: Name, required: true, length: 80}
  credit: {type: decimal, label: Credit, precision: 15, scale: 2}
  code: {type: text, label: Code, unique: true, length: 20}
---
object: lead
label: Lead
sharing: private
search: [name, phone]
fields:
  name: {type: text, label: Name, required: true, length: 80}
  phone: {type: text, label: Phone, length: 40, mask: phone}
  salary: {type: decimal, label: Salary, precision: 15, scale: 2}
  passport: {type: text, label: Badge, unique: true, length: 20}
  stage: {type: choice, label: Stage, default: new, choices: {new: New, won: Won}}
  account: {type: reference, to: account, label: Account}
  tax: {type: formula, label: Tax, returns: decimal, scale: 2, precision: 15, formula: salary * 0.2}
  twice: {type: formula, label: Twice, returns: decimal, scale: 2, precision: 15, formula: tax * 2}
  shown: {type: formula, label: Shown, returns: decimal, scale: 2, precision: 15, formula: salary * 3, reveals: true}
  called: {type: formula, label: Called, returns: text, formula: "name + ' ' + phone"}
  limit: {type: formula, label: Limit, returns: decimal, scale: 2, precision: 15, formula: account.credit * 1}
  calls: {type: table, label: Calls, of: call}
---
object: call
label: Call
kind: child
title: note
fields:
  note: {type: text, label: Note, length: 80}
  cost: {type: decimal, label: Cost, precision: 15, scale: 2}
  lead: {type: reference, to: lead, label: Lead, master: true}
---
object: report
label: Report
sharing: read
fields:
  name: {type: text, label: Name, required: true, length: 80}
---
role: seller
objects:
  lead: [create, read, update, delete, share]
  account: [read]
  report: [create, read, update]
  user: [read]
---
role: marketing
objects:
  lead:
    can: [read, update, view_all]
    fields: {salary: hidden, passport: hidden, phone: masked, name: read, calls: hidden}
  account: {can: [read], fields: {credit: hidden}}
---
role: helper
objects:
  lead:
    can: [create, read, update, delete, view_all]
    fields: {salary: hidden, passport: hidden, phone: masked, calls: hidden}
  account: [read]
  call: [read]
---
role: desk
objects:
  lead: {can: [read, update], reach: department, fields: {phone: {access: edit, mask: true}}}
---
role: partner
objects:
  lead: {can: [read], rows: "stage == 'won'"}
---
permission_set: insight
label: Insight
objects:
  lead: [view_all]
system: [unmask]
---
role: analyst
permission_sets: [insight]
---
role: keeper
system: [unmask]
---
sharing_rule: won_leads
object: lead
rows: stage == 'won'
with: {roles: [partner], departments: [East]}
---
restriction_rule: no_vip
object: lead
rows: name != 'VIP'
for: {roles: [analyst, seller]}
except: {roles: [admin]}
"""


@pytest.fixture
def team(database_url: str) -> Iterator[Running]:
    """mia manages lin, lin manages sam; eve is a seller beside them. Each seller owns a lead of her name."""
    with running(database_url, [TEAM], now=NOW, fill=sales) as site:
        yield site


def sales(site: Running) -> None:
    site.user("boss", "admin", name="The Boss")
    mia = site.user("mia", "seller", name="Mia")
    lin = site.user("lin", "seller", name="Lin", manager=mia)
    site.user("sam", "seller", name="Sam", manager=lin)
    site.user("eve", "seller", name="Eve")
    site.user("max", "marketing", name="Max")
    site.user("pat", "partner", name="Pat")
    site.user("ana", "analyst", name="Ana")
    for name in ("mia", "lin", "sam", "eve"):
        site.records(name).create("lead", {"name": name, "phone": "13800138000", "salary": "100.00"})


@pytest.fixture(autouse=True)
def watch_refusals(refusals_change_nothing: WatchedRefusals) -> None:
    """Whatever is refused in these tests changes nothing in the database."""
