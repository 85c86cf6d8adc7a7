"""Do rules that read lines and roll-ups hold, whoever changes these?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import BadInput
from engine.service import Query
from engine.testing import Running, running
from tests.records.state import refused

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
SHOP = """
package: shop
version: 1.0.0
label: Shop
---
object: customer
label: Customer
fields:
  name: {type: text, required: true}
  limit: {type: currency}
  open: {type: rollup, of: order.customer, operation: sum, field: total, returns: currency}
validations:
  - {rule: credit, error_if: open > limit, message: Above the limit, field: limit}
---
object: order
label: Order
fields:
  name: {type: text, required: true}
  number: {type: autonumber, format: "O-{000}"}
  customer: {type: reference, to: customer}
  is_sent: {type: boolean}
  most: {type: integer, default: 3}
  cheapest: {type: text, require_if: "COUNT(lines, price < 1) > 0"}
  lines: {type: table, of: line}
  total: {type: rollup, of: lines, operation: sum, field: net, returns: currency}
validations:
  - {rule: empty, error_if: is_sent and COUNT(lines) == 0, message: Nothing to send, field: lines}
  - {rule: many, error_if: COUNT(lines) > most, message: Too many lines}
  - {rule: shrink, error_if: not IS_NEW() and total < PRIOR(total) / 2, message: Less than half}
  - {rule: unlucky, error_if: "ENDS(number, '004')", message: Unlucky}
  - rule: cheap
    each: lines
    error_if: price < 5 and parent.is_sent
    unless: name == 'gift'
    message: Too cheap
    field: price
  - {rule: share, each: lines, error_if: net > parent.total * 9 / 10 and parent.most == 2, message: Too large a part}
---
object: line
label: Line
kind: child
fields:
  name: {type: text, required: true}
  order: {type: reference, to: order, master: true}
  price: {type: currency}
  quantity: {type: integer, default: 1}
  note: {type: text, lock_if: order.is_sent}
  net: {type: formula, formula: price * quantity, returns: currency}
  code: {type: text, default: {formula: "order.name + '/' + name"}}
validations:
  - {rule: whole, error_if: quantity < 1, message: At least one, field: quantity}
  - {rule: closed, error_if: "CONTAINS(order.name, 'closed')", message: The order is closed}
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [SHOP], now=NOW) as site:
        yield site


def problems(shop: Running, values: dict[str, Any], record: str = "", of: str = "order") -> list[tuple[str, str]]:
    with refused(shop, BadInput) as refusal:
        if record:
            shop.records().update(of, record, values)
        else:
            shop.records().create(of, {"name": "a", **values})
    return [(problem.path, problem.message) for problem in refusal.value.problems]


def order(shop: Running, *prices: float, **values: Any) -> dict[str, Any]:
    lines = [{"name": f"n{index}", "price": price} for index, price in enumerate(prices)]
    return shop.records().create("order", {"name": "a", "lines": lines, **values})


def test_a_rule_counts_the_lines_that_are_sent_along(shop: Running) -> None:
    assert problems(shop, {"is_sent": True}) == [("lines", "Nothing to send")]
    assert problems(shop, {"lines": [{"name": str(n), "price": 0.5} for n in range(4)]}) == [
        ("cheapest", "'cheapest' must have a value"), ("", "Too many lines"),
    ]  # fmt: skip
    made = order(shop, 5, 6, is_sent=True)
    assert made["total"] == 11.0
    assert problems(shop, {"lines": []}, made["id"]) == [("lines", "Nothing to send"), ("", "Less than half")]


def test_a_rule_of_each_line_stands_at_the_line(shop: Running) -> None:
    lines = [{"name": "a", "price": 9}, {"name": "gift", "price": 1}, {"name": "c", "price": 4}]
    values = {"is_sent": True, "lines": lines, "cheapest": "gift"}
    assert problems(shop, values) == [("lines.2.price", "Too cheap")]


def test_a_line_reads_what_its_record_sums(shop: Running) -> None:
    lines = [{"name": "a", "price": 95}, {"name": "b", "price": 5}]
    assert problems(shop, {"most": 2, "lines": lines}) == [("lines.0", "Too large a part")]


def test_lines_have_rules_of_their_own(shop: Running) -> None:
    assert problems(shop, {"lines": [{"name": "a", "price": 5}, {"name": "b", "quantity": 0, "price": 5}]}) == [
        ("lines.1.quantity", "At least one")
    ]
    assert problems(shop, {"name": "closed", "lines": [{"name": "a", "price": 5}]}) == [
        ("lines.0", "The order is closed")
    ]
    made = order(shop, 5)
    assert made["lines"][0]["code"] == "a/n0"
    line = made["lines"][0]["id"]
    assert problems(shop, {"lines": [{"id": line, "quantity": 0}]}, made["id"]) == [
        ("lines.0.quantity", "At least one")
    ]
    assert problems(shop, {"quantity": 0}, line, "line") == [("quantity", "At least one")]


def test_the_lock_of_a_line_asks_its_record_as_it_was(shop: Running) -> None:
    shop.user("ann", "admin")
    made = order(shop, 5)
    line = {"id": made["lines"][0]["id"], "price": 5}
    sent = shop.records("ann").update("order", made["id"], {"is_sent": True, "lines": [{**line, "note": "last"}]})
    assert (sent["is_sent"], sent["lines"][0]["note"]) == (True, "last")
    with refused(shop, BadInput) as refusal:
        shop.records("ann").update("order", made["id"], {"is_sent": False, "lines": [{**line, "note": "more"}]})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("lines.0.note", "value.locked")]


def test_a_line_that_comes_or_goes_by_itself_asks_its_record(shop: Running) -> None:
    made = order(shop, 5, 6, 7, is_sent=True)
    assert problems(shop, {"order": made["id"], "price": 5}, of="line") == [("", "Too many lines")]
    assert problems(shop, {"price": 0.5}, made["lines"][2]["id"], "line") == [
        ("", "'cheapest' must have a value"), ("", "Too cheap"),
    ]  # fmt: skip
    lone = order(shop, 8, is_sent=True)
    with refused(shop, BadInput) as refusal:
        shop.records().delete("line", lone["lines"][0]["id"])
    assert [one.message for one in refusal.value.problems] == ["Nothing to send"]
    shop.records().delete("order", lone["id"])


def test_a_rule_reads_the_roll_ups_of_others(shop: Running) -> None:
    customer = shop.records().create("customer", {"name": "Acme", "limit": 10})["id"]
    assert order(shop, 9, customer=customer)["total"] == 9.0
    values = {"customer": customer, "lines": [{"name": "a", "price": 2}]}
    assert problems(shop, values) == [("", "Above the limit")]
    assert problems(shop, {"limit": 8}, customer, "customer") == [("limit", "Above the limit")]
    other = order(shop, 2)
    assert problems(shop, {"customer": customer}, other["id"]) == [("", "Above the limit")]


def test_a_rule_reads_the_number_that_is_given(shop: Running) -> None:
    for number in ("O-001", "O-002", "O-003"):
        assert order(shop, 5)["number"] == number
    assert problems(shop, {}) == [("", "Unlucky")]


def test_batches_ask_the_same(shop: Running) -> None:
    lines = [{"name": "a", "price": 5}, {"name": "b", "quantity": 0, "price": 5}]
    found = shop.records().batch("order", [
        {"action": "create", "values": {"name": "a", "lines": lines}},
        {"action": "create", "values": {"name": "b", "lines": lines[:1]}},
        {"action": "create", "values": {"name": "c", "is_sent": True}},
    ], atomic=False)  # fmt: skip
    told = [[(one.path, one.message) for one in result.error.problems] if result.error else [] for result in found]
    assert told == [[("lines.1.quantity", "At least one")], [], [("lines", "Nothing to send")]]


def test_numbers_count_by_values_of_their_record(database_url: str) -> None:
    text = """
package: shop
version: 1.0.0
label: Shop
---
object: site
label: Site
fields:
  name: {type: text, required: true}
  code: {type: text}
---
object: job
label: Job
fields:
  name: {type: text, required: true}
  kind: {type: choice, choices: {fix: Fix, new: New}}
  site: {type: reference, to: site}
"""
    number = "  number: {type: autonumber, format: '{kind}{site.code}-{YYYY}-{00}', restart: year}\n"
    with running(database_url, [text], now=NOW) as site:
        records = site.records()
        one, other = (records.create("site", {"name": "x", "code": code})["id"] for code in ("A", "B"))
        records.create("job", {"name": "old", "kind": "fix", "site": one})
        site.publish(text + number)
        records = site.records()
        old = records.list(Query("job", ("number",))).records[0]["number"]
        made = records.create("job", {"name": "a", "kind": "fix", "site": one})["number"]
        rows = [{"kind": "fix", "site": one}, {"kind": "fix", "site": other}, {"kind": "new", "site": one}, {}]
        found = records.batch("job", [{"action": "create", "values": {"name": "b", **row}} for row in rows])
        assert (old, made) == ("fixA-2026-01", "fixA-2026-02")
        assert [one.record["number"] for one in found if one.record] == [
            "fixA-2026-03", "fixB-2026-01", "newA-2026-01", "-2026-01",
        ]  # fmt: skip
        with refused(site, BadInput):
            records.create("job", {"kind": "fix", "site": one})
        assert records.create("job", {"name": "c", "kind": "fix", "site": one})["number"] == "fixA-2026-04"
