"""Is a formula field a field like others: read, filtered, sorted, grouped, summed, also through references?"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.errors import BadInput
from engine.service import AggregateQuery, Query, SortKey
from engine.testing import Running, running

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
  discount: {type: percent}
  label: {type: formula, formula: "name + ' (' + TEXT(discount) + ')'", returns: text}
---
object: item
label: Item
title: title
fields:
  product: {type: text}
  customer: {type: reference, to: customer}
  quantity: {type: integer}
  price: {type: currency}
  due: {type: date}
  gross: {type: formula, formula: quantity * price, returns: currency}
  net: {type: formula, formula: "gross * (100 - customer.discount) / 100", returns: currency}
  third: {type: formula, formula: quantity / 3, returns: decimal, scale: 3}
  whole: {type: formula, formula: quantity / 2, returns: integer}
  is_late: {type: formula, formula: due < TODAY(), returns: boolean}
  due_next: {type: formula, formula: "ADDMONTHS(due, 1)", returns: date}
  title: {type: formula, formula: "product + ' for ' + customer.name", returns: text}
---
role: clerk
label: Clerk
objects:
  item: [create, read, update]
---
role: seller
label: Seller
objects:
  item: {can: [create, read, update], rows: "net > 100"}
  customer: [read]
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [SHOP], now=NOW) as site:
        site.user("ann", "clerk")
        site.user("sam", "seller")
        yield site


@pytest.fixture
def items(shop: Running) -> Running:
    records = shop.records()
    acme = records.create("customer", {"name": "Acme", "discount": 10})["id"]
    for product, quantity, price, due in (
        ("bolt", 3, 19.99, "2026-11-20"), ("nut", 100, 0.05, "2026-11-30"), ("gear", 7, 250, None),
    ):  # fmt: skip
        values = {"product": product, "quantity": quantity, "price": price, "customer": acme, "due": due}
        records.create("item", values)
    records.create("item", {"product": "alone", "price": 5})
    return shop


def test_a_new_record_answers_with_what_is_worked_out(items: Running) -> None:
    customer = items.records().create("customer", {"name": "Wide", "discount": 12.5})
    assert customer["label"] == "Wide (12.5)"
    values = {"product": "bolt", "quantity": 5, "price": 2.01, "customer": customer["id"], "due": "2026-01-31"}
    record = items.records().create("item", values)
    record["due_next"] = str(record["due_next"])
    found = {name: record[name] for name in ("gross", "net", "third", "whole", "is_late", "due_next", "title")}
    assert found == {
        "gross": 10.05, "net": 8.79, "third": 1.667, "whole": 3, "is_late": True, "due_next": "2026-02-28",
        "title": "bolt for Wide",
    }  # fmt: skip
    changed = items.records().update("item", record["id"], {"quantity": 10})
    assert (changed["gross"], changed["net"]) == (20.1, 17.59)


def test_it_is_filtered_sorted_and_paged(items: Running) -> None:
    query = Query("item", ("product", "net"), filter="net > 4.4", sort=(SortKey("net", True),), limit=2, count="exact")
    page = items.records().list(query)
    assert [(record["product"], record["net"]) for record in page.records] == [("gear", 1575.0), ("bolt", 53.97)]
    assert page.count == 3
    rest = items.records().list(Query("item", query.fields, query.filter, query.sort, 2, page.next or ""))
    assert [(record["product"], record["net"]) for record in rest.records] == [("nut", 4.5)]
    late = items.records().list(Query("item", ("product",), filter="is_late"))
    assert [record["product"] for record in late.records] == ["bolt"]
    not_late = items.records().list(Query("item", ("product",), filter="not is_late", sort=(SortKey("product"),)))
    assert [record["product"] for record in not_late.records] == ["alone", "gear", "nut"]


def test_it_is_grouped_and_summed(items: Running) -> None:
    query = AggregateQuery("item", ("is_late",), ("sum(net)", "count()"), sort=(SortKey("is_late"),))
    found = items.records().aggregate(query)
    assert found.groups == [
        {"is_late": False, "sum(net)": 1579.5, "count()": 3}, {"is_late": True, "sum(net)": 53.97, "count()": 1},
    ]  # fmt: skip
    by_half = AggregateQuery("item", ("whole",), ("count()",), having="count() > 0", sort=(SortKey("count()", True),))
    assert {group["whole"]: group["count()"] for group in items.records().aggregate(by_half).groups} == {
        2: 1, 50: 1, 4: 1, 0: 1,
    }  # fmt: skip
    monthly = AggregateQuery("item", ("due_next:month",), ("count()",), filter="due_next != null")
    assert [group["due_next:month"] for group in items.records().aggregate(monthly).groups] == ["2026-12"]


def test_it_is_reached_through_a_reference(items: Running) -> None:
    query = Query(
        "item", ("customer.label",), filter="customer.label == 'Acme (10)'", sort=(SortKey("customer.label"),)
    )
    assert [record["customer.label"] for record in items.records().list(query).records] == ["Acme (10)"] * 3


def test_what_a_person_may_not_read_is_blank_in_it(items: Running) -> None:
    query = Query("item", ("net", "title"), filter="product == 'bolt'")
    assert [(record["net"], record["title"]) for record in items.records("ann").list(query).records] == [
        (59.97, "bolt for ")
    ]
    with pytest.raises(BadInput, match="no field 'name' in 'customer'"):
        items.records("ann").list(Query("item", ("product",), filter="customer.name == 'Acme'"))


def test_a_row_rule_asks_it(items: Running) -> None:
    assert [record["product"] for record in items.records("sam").list(Query("item", ("product",))).records] == ["gear"]
    with pytest.raises(Exception, match="may not create"):
        items.records("sam").create("item", {"product": "x", "quantity": 1, "price": 1})


def test_a_write_answers_with_it_where_as_many_fields_are_hidden(database_url: str) -> None:
    text = "package: one\nversion: 1.0.0\n---\nobject: one\nfields:\n  name: {type: text}\n"
    text += "  secret: {type: text, hidden: true}\n  twice: {type: formula, formula: name + name, returns: text}\n"
    with running(database_url, [text]) as site:
        made = site.records().create("one", {"name": "x", "secret": "s"})
        assert (made["twice"], "secret" in made) == ("xx", False)
        assert site.records().update("one", made["id"], {"name": "y"})["twice"] == "yy"


def test_it_cannot_be_written(items: Running) -> None:
    with pytest.raises(BadInput) as refused:
        items.records().create("item", {"product": "x", "gross": 7})
    assert [(p.path, p.code) for p in refused.value.problems] == [("gross", "value.read_only")]


def test_a_result_without_room_is_blank(items: Running) -> None:
    values = {"product": "x", "quantity": 9_000_000_000_000_000_000, "price": "9999999999999999.99"}
    record = items.records().create("item", values)
    assert (record["gross"], record["whole"]) == (None, None)


def test_a_field_becomes_a_formula_and_back(items: Running) -> None:
    items.publish(
        SHOP.replace("price: {type: currency}", 'price: {type: formula, formula: "quantity * 2", returns: currency}')
    )
    found = items.records().list(Query("item", ("gross",), filter="product == 'bolt'")).records
    assert [record["gross"] for record in found] == [18.0]
    items.publish(SHOP)
    record = items.records().list(Query("item", ("gross", "price"), filter="product == 'bolt'")).records[0]
    assert (record["gross"], record["price"]) == (0.0, None)
