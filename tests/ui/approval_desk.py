"""Quotes that people approve, and what tests of the screens ask of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.testclient import TestClient

from engine.process.approval.service import Approvals
from engine.testing import Running, running

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

PACKAGE = """\
package: desk
version: 1.0.0
label: {en: Desk, zh-CN: 报价}
languages: [en, zh-CN]
---
object: customer
label: {en: Customer, zh-CN: 客户}
icon: building
color: azure
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
---
object: quote
label: {en: Quote, zh-CN: 报价单}
plural: {en: Quotes, zh-CN: 报价单}
icon: file-invoice
color: orange
search: [name]
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  customer: {type: reference, to: customer, label: {en: Customer, zh-CN: 客户}}
  amount: {type: currency, label: {en: Amount, zh-CN: 金额}, min: 0}
  discount: {type: percent, label: {en: Discount, zh-CN: 折扣}, min: 0, max: 100}
  terms: {type: text, label: {en: Payment terms, zh-CN: 付款条件}, length: 80}
  valid_until: {type: date, label: {en: Valid until, zh-CN: 有效期至}}
  margin: {type: percent, label: {en: Margin, zh-CN: 毛利率}, min: 0, max: 100}
  notes: {type: longtext, label: {en: Notes, zh-CN: 备注}}
  items: {type: table, label: {en: Items, zh-CN: 明细}, of: quote_item}
---
object: quote_item
label: {en: Item, zh-CN: 明细}
kind: child
title: product
fields:
  product: {type: text, label: {en: Product, zh-CN: 产品}, length: 80}
  pieces: {type: integer, label: {en: Pieces, zh-CN: 数量}}
  price: {type: currency, label: {en: Price, zh-CN: 单价}}
  quote: {type: reference, to: quote, label: {en: Quote, zh-CN: 报价单}, master: true}
---
layout: quote
object: quote
default: true
highlights: [customer, amount, discount, approval_status]
tabs:
  - label: {en: Details, zh-CN: 详情}
    sections:
      - label: {en: Terms, zh-CN: 商务条件}
        columns: 2
        fields: [name, customer, amount, discount, terms, valid_until, margin, notes]
      - label: {en: Items, zh-CN: 明细}
        columns: 1
        fields: [items]
---
menu: desk
label: {en: Sales, zh-CN: 销售}
items: [{object: quote}, {object: customer}]
---
role: seller
label: {en: Seller, zh-CN: 销售}
objects:
  quote: [create, read, update, delete]
  quote_item: [create, read, update, delete]
  customer: [create, read, update]
  user: [read]
---
role: approver
label: {en: Approver, zh-CN: 审批人}
objects:
  quote: [read, approve]
  quote_item: [read]
  customer: [read]
  user: [read]
---
role: controller
label: {en: Controller, zh-CN: 流程管理员}
system: [manage_processes]
objects:
  quote: [read, approve]
  quote_item: [read]
  customer: [read]
  user: [read]
---
role: guest
label: {en: Guest, zh-CN: 访客}
objects:
  user: [read]
---
approval: discount
label: {en: Discount approval, zh-CN: 折扣审批}
description: {en: For quotes with a discount., zh-CN: 适用于有折扣的报价单。}
object: quote
when: discount > 0
withdraw: before_final
summary: [customer, amount, discount]
flow:
  - approve: head
    label: {en: Sales manager, zh-CN: 销售经理}
    approvers: [{user: wang}]
    editable: [terms]
    comment: [reject, return]
    due: 2 days
    reclaim: true
  - condition: size
    label: {en: How large, zh-CN: 折扣大小}
    branches:
      - branch: large
        label: {en: More than 20 %, zh-CN: 超过 20%}
        when: discount > 20
        flow:
          - parallel: both
            label: {en: Finance and legal, zh-CN: 财务与法务}
            branches:
              - branch: money
                label: {en: Finance, zh-CN: 财务}
                flow:
                  - approve: finance
                    label: {en: Finance, zh-CN: 财务审批}
                    approvers: [{user: [chen, li]}]
                    mode: any
                    hidden: [margin]
              - branch: law
                label: {en: Legal, zh-CN: 法务}
                flow:
                  - approve: legal
                    label: {en: Legal, zh-CN: 法务审批}
                    approvers: [{user: zhou}]
      - branch: small
        label: {en: Up to 20 %, zh-CN: 20% 以内}
        else: true
        flow: []
  - cc: told
    label: {en: Sales operations, zh-CN: 销售运营}
    to: [{user: he}]
---
approval: terms
label: {en: Terms check, zh-CN: 条款复核}
description: {en: Somebody of your choice looks at the terms., zh-CN: 由您指定的人复核条款。}
object: quote
group: terms
priority: 200
when: discount == 0
flow:
  - approve: check
    label: {en: Check, zh-CN: 复核}
    approvers: [chosen_by_submitter]
    signature: true
    comment: [approve]
"""

PEOPLE = {
    "sam": ("seller", "Sam Ortiz"), "wang": ("approver", "王伟"), "chen": ("approver", "陈静"),
    "li": ("approver", "Li Na"), "zhou": ("guest", "周敏"), "he": ("approver", "He Jun"),
    "boss": ("controller", "Lin Yue"),
}  # fmt: skip
PASSWORD = "a long password 1"


@contextmanager
def filled(database_url: str = "", now: datetime = NOW, more: str = "") -> Iterator["Desk"]:
    with running(database_url, packages=[PACKAGE + more], now=now, ui="ui.pages:mount", fill=people) as site:
        yield Desk(site)


def people(site: Running) -> None:
    for name, (role, full) in PEOPLE.items():
        password = PASSWORD if name in ("wang", "chen") else None
        site.user(name, role, name=full, language="en", time_zone="UTC", password=password)


class Desk:
    def __init__(self, site: Running) -> None:
        self.site = site
        self.ids = dict(site.made)
        self.clients: dict[str, TestClient] = {}
        self.customer = site.records("sam").create("customer", {"name": "Acme"})["id"]

    def quote(self, name: str = "Gearbox", discount: int = 10, **more: Any) -> str:
        values = {"name": name, "discount": discount, "amount": 120000, "customer": self.customer,
                  "terms": "30 days", "margin": 18, **more}  # fmt: skip
        return str(self.site.records("sam").create("quote", values)["id"])

    def approvals(self, user: str) -> Approvals:
        return Approvals(self.site.context(user))

    def submit(self, record: str = "", user: str = "sam", **given: Any) -> str:
        """The instance."""
        return self.approvals(user).submit("quote", record or self.quote(), **given).instance

    def task(self, user: str) -> str:
        """The newest that waits for the person."""
        return self.approvals(user).inbox("todo").rows[0].task

    def act(self, user: str, action: str, **given: Any) -> None:
        given["users"] = tuple(self.ids[one] for one in given.get("users", ()))
        self.approvals(user).act(self.task(user), action, **given)

    def later(self, **span: float) -> None:
        self.site.fixed_now = self.site.now + timedelta(**span)
        self.clients.clear()  # sessions end

    def client(self, user: str) -> TestClient:
        """One session each, so that asking for a page changes nothing."""
        if user not in self.clients:
            self.clients[user] = self.site.client(user, by="session")
        return self.clients[user]

    def page(self, path: str, user: str, status: int = 200, **headers: str) -> str:
        answer = self.client(user).get(path, headers=headers)
        assert answer.status_code == status, (answer.status_code, shortened(answer.text))
        return plain(answer.text)

    def send(self, path: str, user: str, status: int = 303, **form: Any) -> Any:
        client = self.client(user)
        answer = client.post(path, data={**form, "csrf": client.headers["x-csrf-token"]})
        assert answer.status_code == status, (answer.status_code, shortened(answer.text))
        return answer


def plain(html: str) -> str:
    """One space for all white space."""
    return re.sub(r"\s+", " ", html)


def shortened(html: str) -> str:
    """What a page says in its middle, for a test that fails."""
    return plain(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]))[:800]
