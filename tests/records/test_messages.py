"""Do messages of validations tell values as the person's screens show them, and nothing that is hidden there?"""

from collections.abc import Iterator

import pytest

from engine.errors import BadInput
from engine.service import Records
from engine.testing import Running, running
from tests.records.conftest import NOW

FILES = """
package: sales
version: 1.0.0
label: Sales
languages: [en, zh-CN]
---
object: product
label: Product
fields:
  name: {type: text, required: true}
  stock: {type: integer, default: 0}
---
object: secretive
label: Secretive
fields:
  name: {type: text, required: true}
---
object: order
label: Order
fields:
  name: {type: text, required: true}
  status: {type: choice, choices: {new: {label: {en: New, zh-CN: 新建}}, sent: {label: {en: Sent, zh-CN: 已发}}}}
  product: {type: reference, to: product}
  hidden: {type: reference, to: secretive}
  quantity: {type: decimal, scale: 2}
  amount: {type: currency, scale: 2}
  share: {type: percent}
  due: {type: date}
  at: {type: datetime}
  total: {type: rollup, of: lines, operation: sum, field: price, returns: decimal, scale: 2}
  lines: {type: table, of: line}
validations:
  - {rule: stock, field: quantity, error_if: quantity > product.stock,
     message: {en: "Only {product.stock - 0.5} left for {product}, not {quantity} ({{sic}})",
               zh-CN: "“{product.name}”仅剩{product.stock}"}}
  - {rule: known, error_if: not ISBLANK(due),
     message: {en: "{status}: {amount}, {share}, {due}, {at}, was {PRIOR(quantity)}",
               zh-CN: "{status}:{amount},{due},{at}"}}
  - {rule: hidden, error_if: not ISBLANK(hidden), message: "Not {hidden} nor {hidden.name}"}
  - {rule: total, error_if: total > 100, message: "{total} in {COUNT(lines)} lines is too much"}
  - {rule: each, each: lines, field: price, error_if: price > parent.amount,
     message: "{price} is more than {parent.amount} of {order}"}
---
object: line
label: Line
kind: child
title: text
fields:
  text: {type: text}
  order: {type: reference, to: order, master: true}
  price: {type: decimal, scale: 2}
---
role: seller
label: Seller
objects:
  order: [create, read, update, delete]
  product: {can: [read], rows: "name != 'Rare'"}
"""


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [FILES], now=NOW) as site:
        site.user("boss", "admin")
        site.user("lin", "seller", language="zh-CN", time_zone="Asia/Shanghai")
        site.user("sam", "seller")
        yield site


def told(site: Running, person: str, values: dict[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(BadInput) as refusal:
        site.records(person).create("order", {"name": "O"} | values)
    return [(problem.path, problem.message) for problem in refusal.value.problems]


def test_values_are_told_as_screens_show_them(site: Running) -> None:
    product = site.records("boss").create("product", {"name": "Bolt", "stock": 1200})["id"]
    values = {"product": product, "quantity": 2500.5}
    assert told(site, "sam", values) == [("quantity", "Only 1,199.50 left for Bolt, not 2,500.50 ({sic})")]
    assert told(site, "lin", values) == [("quantity", "“Bolt”仅剩1,200")]
    values = {"due": "2026-12-01", "at": "2026-12-01T20:30:00Z", "amount": 1234.5, "status": "sent", "share": 12.5}
    assert told(site, "sam", values) == [("", "Sent: ¥1,234.50, 12.5%, Dec 1, 2026, Dec 1, 2026 8:30\u00a0PM, was ")]
    assert told(site, "lin", values) == [("", "已发:¥1,234.50,2026年12月1日,2026年12月2日 04:30")]


def test_a_change_is_told_with_what_was(site: Running) -> None:
    records = site.records("sam")
    order = records.create("order", {"name": "O", "quantity": 3})
    with pytest.raises(BadInput) as refusal:
        records.update("order", order["id"], {"due": "2026-12-01", "quantity": 4})
    assert refusal.value.problems[0].message == ": , , Dec 1, 2026, , was 3"


def test_what_a_person_may_not_read_is_left_out(site: Running) -> None:
    boss = site.records("boss")
    rare = boss.create("product", {"name": "Rare", "stock": 1})["id"]
    hidden = boss.create("secretive", {"name": "Nobody"})["id"]
    order = boss.create("order", {"name": "O", "product": rare})["id"]
    with pytest.raises(BadInput) as refusal:
        site.records("sam").update("order", order, {"quantity": 9})
    assert refusal.value.problems[0].message == "Only … left for …, not 9 ({sic})"
    assert told(site, "boss", {"hidden": hidden}) == [("", "Not Nobody nor Nobody")]
    with site.tenant.database.write() as connection:
        table = site.tenant.snapshot().physical.table("order")
        connection.sa.execute(table.update().values(hidden=hidden))
    with pytest.raises(BadInput) as refusal:
        site.records("sam").update("order", order, {"name": "P"})
    assert refusal.value.problems[-1].message == "Not … nor …"


def test_lines_are_told_with_their_record(site: Running) -> None:
    lines = [{"price": 70}, {"price": 50.25}]
    assert told(site, "sam", {"amount": 60, "lines": lines}) == [
        ("", "120.25 in 2 lines is too much"),
        ("lines.0.price", "70 is more than ¥60 of O"),
    ]


WARNED = """
package: sales
version: 1.0.0
label: Sales
---
object: order
label: Order
fields:
  name: {type: text, required: true}
  items: {type: table, of: item, label: Items}
validations:
  - {rule: much, each: items, field: price, level: warning, error_if: price > 50, message: "{price} is much"}
---
object: item
label: Item
kind: child
fields:
  name: {type: text}
  order: {type: reference, to: order, master: true}
  price: {type: decimal, scale: 2, label: Price}
validations:
  - {rule: odd, field: price, level: warning, error_if: price < 0, message: "{price} is odd"}
"""


def test_a_warning_of_a_line_says_which_line(database_url: str) -> None:
    with running(database_url, [WARNED], now=NOW, ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        context = site.context("boss")
        items = [{"price": 5}, {"price": -1}, {"price": 70}]
        order = Records(context).create("order", {"name": "O", "items": items})
        wanted = [("items.1.price", "-1 is odd"), ("items.2.price", "70 is much")]
        assert [(one.path, one.message) for one in context.warnings] == wanted
        lines = site.records("boss").get("order", order["id"])["items"]
        context = site.context("boss")
        sent = [{"id": lines[1]["id"], "price": -2}, {"id": lines[0]["id"]}]
        Records(context).update("order", order["id"], {"items": sent})
        assert [(one.path, one.message) for one in context.warnings] == [("items.0.price", "-2 is odd")]
        form = {"name": "P", "items": "", "items.0.price": "5", "items.1.price": "-1", "items.2.price": "70"}
        page = site.client("boss", by="session").post("/o/order/new", data=form)
        assert page.status_code == 409
        assert "Items, line 2: Price: -1 is odd" in page.text
        assert "Items, line 3: Price: 70 is much" in page.text
