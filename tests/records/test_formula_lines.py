"""Do formulas of records read lines, settings and trees, and only what a person may?"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.errors import BadInput
from engine.service import Query, SortKey
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
SHOP = """
package: shop
version: 1.0.0
label: Shop
---
object: region
label: Region
tree: within
fields:
  name: {type: text, required: true}
  within: {type: reference, to: region}
  orders: {type: inverse, of: order}
---
object: house
label: House
kind: single
fields:
  name: {type: text}
  tax: {type: percent}
---
object: order
label: Order
fields:
  name: {type: text, required: true}
  region: {type: reference, to: region}
  rebate: {type: currency}
  items: {type: table, of: item}
  total: {type: formula, formula: "SUM(items, net)", returns: currency}
  gross: {type: formula, formula: "total * (100 + config.house.tax) / 100 - rebate", returns: currency}
---
object: item
label: Item
kind: child
fields:
  name: {type: text, required: true}
  order: {type: reference, to: order, master: true, required: true}
  price: {type: currency}
  quantity: {type: integer}
  net: {type: formula, formula: price * quantity, returns: currency}
  more: {type: formula, formula: "price + 1 - (1 - (1 - (1 - (1 - (1 - (1 - (1 - 1)))))))", returns: currency}
  most: {type: formula, formula: "more * 1 + (0 - (0 - (0 - (0 - (0 - (0 - more))))))", returns: currency}
  deep: {type: formula, formula: "most + (0 * (1 + (1 + (1 + (1 + (1 + (1 + most)))))))", returns: currency}
  share: {type: formula, formula: "net * 100 / parent.total", returns: percent}
---
role: clerk
label: Clerk
objects:
  order: [read]
  item: []
  region: [read]
---
role: mapper
label: Mapper
objects:
  region: [read]
---
role: seller
label: Seller
objects:
  order: [read]
  item: {can: [read], rows: "quantity > 1"}
  house: [read]
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [SHOP], now=NOW) as site:
        site.user("ann", "clerk")
        site.user("max", "mapper")
        site.user("sam", "seller")
        records = site.records()
        (house,) = records.list(Query("house")).records
        records.update("house", house["id"], {"name": "ours", "tax": 20})
        world = records.create("region", {"name": "world"})["id"]
        europe = records.create("region", {"name": "europe", "within": world})["id"]
        spain = records.create("region", {"name": "spain", "within": europe})["id"]
        big = records.create("order", {"name": "big", "region": spain, "rebate": 5})["id"]
        records.create("order", {"name": "empty", "region": world})
        for name, price, quantity in (("bolt", 10.5, 2), ("nut", 0.5, 8), ("gear", 75, 1)):
            records.create("item", {"name": name, "order": big, "price": price, "quantity": quantity})
        yield site


def names(site: Running, filter_: str, who: str = "", object_: str = "order") -> list[str]:
    query = Query(object_, ("name",), filter=filter_, sort=(SortKey("name"),))
    records = site.records(who) if who else site.records()
    return [record["name"] for record in records.list(query).records]


def test_a_formula_field_sums_formulas_of_lines(shop: Running) -> None:
    found = shop.records().list(Query("order", ("name", "total", "gross"), sort=(SortKey("gross", True),))).records
    assert [(record["name"], record["total"], record["gross"]) for record in found] == [
        ("big", 100.0, 115.0), ("empty", 0.0, 0.0),
    ]  # fmt: skip


def test_a_line_reads_what_its_record_sums(shop: Running) -> None:
    found = shop.records().list(Query("item", ("name", "share"), sort=(SortKey("share"),))).records
    assert [(record["name"], record["share"]) for record in found] == [("nut", 4.0), ("bolt", 21.0), ("gear", 75.0)]


def test_a_filter_counts_lines(shop: Running) -> None:
    assert names(shop, "COUNT(items, quantity > 1) == 2") == ["big"]
    assert names(shop, "COUNT(items) == 0") == ["empty"]
    assert names(shop, "SUM(items, price * quantity + config.house.tax) > 159") == ["big"]
    assert names(shop, "parent.name == 'big' and parent.rebate == 5", object_="item") == ["bolt", "gear", "nut"]


def test_a_filter_asks_for_a_subtree(shop: Running) -> None:
    europe = shop.records().list(Query("region", ("id",), filter="name == 'europe'")).records[0]["id"]
    assert names(shop, f"IN_TREE(region, '{europe}')") == ["big"]
    assert names(shop, f"not IN_TREE(region, '{europe}')") == ["empty"]
    assert names(shop, f"IN_TREE(id, '{europe}')", object_="region") == ["europe", "spain"]
    assert names(shop, f"IN_TREE(region.id, '{europe}') and COUNT(items) > 0") == ["big"]


def test_deleted_lines_do_not_count(shop: Running) -> None:
    gear = shop.records().list(Query("item", ("id",), filter="name == 'gear'")).records[0]["id"]
    shop.records().delete("item", gear)
    assert names(shop, "COUNT(items) == 2 and total == 25") == ["big"]


def test_lines_that_a_person_may_not_read_do_not_count(shop: Running) -> None:
    assert names(shop, "COUNT(items) == 2 and SUM(items, net) == 25", "sam") == ["big"]
    assert names(shop, "COUNT(orders) == 1", "ann", "region") == ["spain", "world"]
    with pytest.raises(BadInput, match="no field 'orders'"):
        names(shop, "COUNT(orders) == 1", "max", "region")


def test_settings_that_a_person_may_not_read_are_unknown(shop: Running) -> None:
    assert names(shop, "config.house.tax == 20", "sam") == ["big", "empty"]
    with pytest.raises(BadInput, match=r"no setting 'config\.house\.tax'"):
        names(shop, "config.house.tax == 20", "ann")


def test_a_tree_that_a_person_may_not_read_is_none(shop: Running) -> None:
    with pytest.raises(BadInput):
        names(shop, "IN_TREE(region, 'x')", "sam")
    assert names(shop, "IN_TREE(region, 'x')", "ann") == []


def test_formulas_of_formulas_may_be_deep(shop: Running) -> None:
    found = shop.records().list(Query("item", ("name", "deep"), filter="deep + 1 + 1 + 1 > 4", sort=(SortKey("deep"),)))
    assert [(record["name"], record["deep"]) for record in found.records] == [
        ("nut", 3.0), ("bolt", 23.0), ("gear", 152.0)
    ]  # fmt: skip
    assert names(shop, "SUM(items, deep) == 178", object_="order") == ["big"]
