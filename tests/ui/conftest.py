"""A small tenant that is served, and a browser that fails a test for anything it complains of."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from engine.people.sessions import COOKIE
from engine.testing import Running, running
from tests.conftest import absent
from tests.depth import IS_DEEP

# With motion, Chromium now and then says of a page that is left at once that its transition was given up.
USUAL = {"locale": "en-US", "reduced_motion": "reduce"}
PATIENCE = 15_000  # ms; a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE)

PACKAGE = """\
package: shop
version: 1.0.0
label: {en: Shop, zh-CN: 店铺}
languages: [en, zh-CN]
---
object: company
label: {en: Company, zh-CN: 公司}
plural: {en: Companies, zh-CN: 公司}
icon: building
color: azure
search: [name, city]
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  city: {type: text, label: {en: City, zh-CN: 城市}}
  parent: {type: reference, to: company, label: {en: Parent, zh-CN: 上级公司}}
---
object: deal
label: {en: Deal, zh-CN: 交易}
plural: {en: Deals, zh-CN: 交易}
icon: target-arrow
color: orange
search: [name, contact_mail]
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  company: {type: reference, to: company, label: {en: Company, zh-CN: 公司}, required: true, on_delete: restrict}
  stage:
    type: choice
    label: {en: Stage, zh-CN: 阶段}
    required: true
    default: open
    choices:
      open: {label: {en: Open, zh-CN: 进行中}, color: blue}
      offer: {label: {en: Offer, zh-CN: 报价}, color: purple}
      won: {label: {en: Won, zh-CN: 赢单}, color: green}
  tags:
    type: multi_choice
    label: {en: Tags, zh-CN: 标签}
    choices:
      key: {label: {en: Key account, zh-CN: 重点}, color: red}
      far: {label: {en: Far away, zh-CN: 异地}}
  amount: {type: currency, label: {en: Amount, zh-CN: 金额}, min: 0}
  chance: {type: percent, label: {en: Chance, zh-CN: 概率}, min: 0, max: 100}
  pieces: {type: integer, label: {en: Pieces, zh-CN: 数量}}
  close_date: {type: date, label: {en: Close date, zh-CN: 成交日期}}
  call_at: {type: datetime, label: {en: Call at, zh-CN: 致电时间}}
  open_from: {type: time, label: {en: Open from, zh-CN: 营业时间}}
  is_private: {type: boolean, label: {en: Private, zh-CN: 私密}}
  contact_mail: {type: email, label: {en: Mail, zh-CN: 邮箱}, help: {en: Of the buyer., zh-CN: 采购人员的邮箱。}}
  contact_phone: {type: phone, label: {en: Telephone, zh-CN: 电话}}
  site: {type: url, label: {en: Web site, zh-CN: 网站}}
  notes: {type: longtext, label: {en: Notes, zh-CN: 备注}}
  story: {type: richtext, label: {en: Story, zh-CN: 背景}}
---
layout: deal
object: deal
default: true
highlights: [company, amount, close_date, owner]
path: stage
tabs:
  - label: {en: Details, zh-CN: 详情}
    sections:
      - label: {en: Basics, zh-CN: 基本信息}
        columns: 2
        fields: [name, company, stage, amount, chance, pieces, close_date, call_at, open_from, is_private,
                 {field: tags, span: 2}]
      - label: {en: Contact, zh-CN: 联系方式}
        columns: 2
        fields: [contact_mail, contact_phone, site, owner]
      - label: {en: More, zh-CN: 更多}
        columns: 1
        fields: [notes, story]
---
view: deal_all
object: deal
label: {en: All deals, zh-CN: 全部交易}
columns: [name, company.name, stage, amount, chance, close_date, owner]
sort: -amount
quick_filters: [stage, owner, is_private]
default: true
---
view: deal_mine
object: deal
label: {en: My open deals, zh-CN: 我的交易}
columns: [name, company.name, stage, amount]
filter: "owner == user.id and stage != 'won'"
sort: close_date
---
menu: shop
label: {en: Shop, zh-CN: 店铺}
items: [{object: deal}, {object: company}]
---
role: seller
label: Seller
objects:
  deal: [create, read, update, delete]
  company: [create, read, update, delete]
  user: [read]
---
role: reader
label: Reader
objects:
  deal: [read]
  company: [read]
"""

AXE = """() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(v =>
  v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))"""


@dataclass
class Shop:
    """The running tenant, where it is served, and some of its records."""

    site: Running
    url: str
    companies: dict[str, str] = field(default_factory=dict)
    deals: dict[str, str] = field(default_factory=dict)

    def company(self, name: str, **more: object) -> str:
        self.companies[name] = self.site.records("ann").create("company", {"name": name, **more})["id"]
        return self.companies[name]

    def deal(self, name: str, company: str, **more: object) -> str:
        values = {"name": name, "company": self.companies[company], **more}
        self.deals[name] = self.site.records("ann").create("deal", values)["id"]
        return self.deals[name]


@pytest.fixture(params=["sqlite", *(["postgres"] if IS_DEEP else [])])
def screens_url(request: pytest.FixtureRequest) -> str:
    """URL of a new, empty database, for screens whose storage is tested below them: of both kinds in `make deep`."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def front_end() -> None:
    from ui.icons import manifest  # not at the top: the tests below need no built front end

    try:
        manifest()
    except RuntimeError as error:
        absent("the front end", str(error))


def filled(shop: Shop) -> Shop:
    site = shop.site
    site.user("ann", "seller", password="a long password 1", name="Ann Lee", language="en", time_zone="UTC")
    site.user("ming", "seller", name="王小明", language="zh-CN", time_zone="Asia/Shanghai")
    site.user("rob", "reader", name="Rob Reader", language="en", time_zone="UTC")
    for name, city in (("Acme", "Berlin"), ("华东精密机械", "上海"), ("Globex", "Paris")):
        shop.company(name, city=city)
    stages = ("open", "offer", "won")
    for number in range(60):
        company = ("Acme", "华东精密机械", "Globex")[number % 3]
        shop.deal(
            f"Deal {number:02}", company, stage=stages[number % 3], amount=1000 + number * 100, chance=number,
            close_date=f"2026-12-{number % 28 + 1:02}", is_private=number % 2 == 0,
        )  # fmt: skip
    return shop


@pytest.fixture(scope="module")
def shop(front_end: None) -> Iterator[Shop]:
    """Served on a port of its own, with 60 deals of three companies. One for the tests of a file."""
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site, served(site) as url:
        yield filled(Shop(site, url))


class served:
    """The tenant on a free port of this machine, in a thread."""

    def __init__(self, site: Running) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        config = uvicorn.Config(site.app, port=self.port, log_level="warning", lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        deadline = time.monotonic() + 10
        while not self.server.started:
            if time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.02)
        return f"http://localhost:{self.port}"

    def __exit__(self, *unused: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)


@dataclass
class Person:
    """Somebody at a browser."""

    page: Page
    url: str
    axe: str
    complaints: list[str]

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def violations(self) -> list[str]:
        # Evaluated, not added as a script element: the page's policy refuses those.
        self.page.evaluate(self.axe)
        found: list[str] = self.page.evaluate(AXE)
        return found


@pytest.fixture
def visitor(shop: Shop, browser: Browser, axe_source: str) -> Iterator["Visitors"]:
    visitors = Visitors(shop, browser, axe_source)
    yield visitors
    visitors.close()


class Visitors:
    """Makes people; at the end none of their browsers may have complained."""

    def __init__(self, shop: Shop, browser: Browser, axe: str) -> None:
        self.shop, self.browser, self.axe = shop, browser, axe
        self.contexts: list[BrowserContext] = []
        self.people: list[Person] = []

    def __call__(self, username: str = "ann", *, phone: bool = False, **options: Any) -> Person:
        """Signed in already; "" is nobody."""
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        context = self.browser.new_context(viewport=size, has_touch=phone, **{**USUAL, **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        if username:
            secret = self.shop.site.session(username).secret
            context.add_cookies([{"name": COOKIE, "value": secret, "url": self.shop.url}])
        page, complaints = context.new_page(), []

        def hear(message: ConsoleMessage) -> None:
            # The browser itself reports every refused form; that is how a refusal is sent.
            is_refusal = "the server responded with a status of 4" in message.text
            if message.type in ("error", "warning") and not is_refusal:
                complaints.append(f"{message.type}: {message.text}")

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " e => console.error('CSP', e.violatedDirective, e.blockedURI, e.sample))"
        )
        person = Person(page, self.shop.url, self.axe, complaints)
        self.people.append(person)
        return person

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        assert [complaint for person in self.people for complaint in person.complaints] == []
