"""Are roll-ups what they should be after every kind of change, by several writers at once too?"""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from engine.cli import main
from engine.rules import rollups
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
fields:
  name: {type: text, required: true}
  sales: {type: rollup, of: customer.region, operation: sum, field: sales, returns: currency}
---
object: customer
label: Customer
fields:
  name: {type: text, required: true}
  region: {type: reference, to: region}
  sales:
    {type: rollup, of: order.customer, operation: sum, field: total, filter: state != 'cancelled', returns: currency}
  orders: {type: rollup, of: order.customer, operation: count, returns: integer}
  first_on: {type: rollup, of: order.customer, operation: min, field: ordered_on, returns: date}
  is_good: {type: formula, formula: sales > 100, returns: boolean}
---
object: product
label: Product
fields:
  name: {type: text, required: true}
  price: {type: decimal, scale: 4}
---
object: order
label: Order
title: name
fields:
  name: {type: text}
  customer: {type: reference, to: customer}
  state: {type: choice, choices: {open: Open, cancelled: Cancelled}, default: open}
  ordered_on: {type: date}
  lines: {type: table, of: order_line}
  total: {type: rollup, of: lines, operation: sum, field: amount, returns: currency}
  count: {type: rollup, of: lines, operation: count, returns: integer}
  large: {type: rollup, of: lines, operation: count, filter: quantity >= 10, returns: integer}
  most: {type: rollup, of: lines, operation: max, field: amount, returns: currency}
  mean: {type: rollup, of: lines, operation: average, field: quantity, returns: decimal, scale: 2}
---
object: order_line
label: Line
kind: child
title: name
fields:
  name: {type: text}
  order: {type: reference, to: order, master: true, required: true}
  product: {type: reference, to: product}
  quantity: {type: integer}
  amount: {type: formula, formula: quantity * product.price, returns: currency, scale: 4}
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [SHOP], now=NOW) as site:
        yield site


def made(shop: Running, object_name: str, **values: Any) -> str:
    record: str = shop.records().create(object_name, values)["id"]
    return record


def held(shop: Running, object_name: str, record: str, *fields: str) -> list[Any]:
    row = shop.records().get_row(object_name, record, fields)
    return [row[field] if not hasattr(row[field], "is_finite") else float(row[field]) for field in fields]


def all_right(shop: Running) -> bool:
    with shop.tenant.database.read() as connection:
        return list(rollups.verify(connection, shop.tenant.snapshot())) == []


def test_a_new_record_has_none_and_zero(shop: Running) -> None:
    record = shop.records().create("order", {"name": "A"})
    assert [record[name] for name in ("total", "count", "large", "most", "mean")] == [0.0, 0, 0, None, None]


def test_lines_that_come_change_and_go(shop: Running) -> None:
    bolt, order = made(shop, "product", name="bolt", price="0.3350"), made(shop, "order", name="A")
    first = made(shop, "order_line", order=order, product=bolt, quantity=3)
    made(shop, "order_line", order=order, product=bolt, quantity=10)
    assert held(shop, "order", order, "total", "count", "large", "most", "mean") == [4.36, 2, 1, 3.35, 6.5]
    shop.records().update("order_line", first, {"quantity": 11})
    assert held(shop, "order", order, "total", "count", "large", "mean") == [7.04, 2, 2, 10.5]
    shop.records().delete("order_line", first)
    assert held(shop, "order", order, "total", "count", "large", "mean") == [3.35, 1, 1, 10.0]
    shop.records().restore("order_line", first)
    assert held(shop, "order", order, "total", "count", "large", "mean") == [7.04, 2, 2, 10.5]
    assert all_right(shop)


def test_a_price_that_changes_reaches_the_region(shop: Running) -> None:
    bolt, region = made(shop, "product", name="bolt", price=2), made(shop, "region", name="East")
    customer = made(shop, "customer", name="Acme", region=region)
    order = made(shop, "order", name="A", customer=customer, ordered_on="2026-11-20")
    made(shop, "order", name="B", customer=customer, ordered_on="2026-11-05")
    made(shop, "order_line", order=order, product=bolt, quantity=60)
    assert held(shop, "customer", customer, "sales", "orders", "first_on", "is_good") == [
        120.0, 2, date(2026, 11, 5), True,
    ]  # fmt: skip
    shop.records().update("product", bolt, {"price": 1.5})
    assert held(shop, "customer", customer, "sales", "is_good") == [90.0, False]
    assert held(shop, "region", region, "sales") == [90.0]
    shop.records().update("order", order, {"state": "cancelled"})
    assert held(shop, "region", region, "sales") == [0.0]
    assert all_right(shop)


def test_a_child_that_moves_leaves_its_former_parent(shop: Running) -> None:
    bolt = made(shop, "product", name="bolt", price=1)
    one, other = made(shop, "order", name="A"), made(shop, "order", name="B")
    line = made(shop, "order_line", order=one, product=bolt, quantity=5)
    shop.records().update("order_line", line, {"order": other})
    assert held(shop, "order", one, "total", "count") == [0.0, 0]
    assert held(shop, "order", other, "total", "count") == [5.0, 1]


def test_deleting_what_is_referred_to_is_seen(shop: Running) -> None:
    bolt, region = made(shop, "product", name="bolt", price=3), made(shop, "region", name="East")
    customer = made(shop, "customer", name="Acme", region=region)
    order = made(shop, "order", name="A", customer=customer)
    made(shop, "order_line", order=order, product=bolt, quantity=2)
    shop.records().delete("product", bolt)  # the line's product is blank now: it is worth nothing
    assert held(shop, "region", region, "sales") == [0.0]
    shop.records().restore("product", bolt)
    assert held(shop, "region", region, "sales") == [6.0]
    shop.records().delete("order", order)  # with its lines
    assert held(shop, "customer", customer, "sales", "orders", "first_on") == [0.0, 0, None]
    shop.records().restore("order", order)
    assert held(shop, "customer", customer, "sales", "orders") == [6.0, 1]
    shop.records().delete("customer", customer)
    assert held(shop, "region", region, "sales") == [0.0]
    assert all_right(shop)


def test_many_at_once_are_like_one_by_one(shop: Running) -> None:
    bolt, order = made(shop, "product", name="bolt", price="9999999999.9999"), made(shop, "order", name="A")
    line = {"action": "create", "values": {"order": order, "product": bolt, "quantity": 1000}}
    shop.records().batch("order_line", [line] * 300)
    assert held(shop, "order", order, "count", "large", "total") == [300, 300, 2999999999999970.0]


def test_it_is_filtered_and_sorted_like_a_column(shop: Running) -> None:
    bolt = made(shop, "product", name="bolt", price=1)
    for name, quantity in (("A", 5), ("B", 20), ("C", 7)):
        made(shop, "order_line", order=made(shop, "order", name=name), product=bolt, quantity=quantity)
    query = Query("order", ("name", "total"), filter="total > 5", sort=(SortKey("total", True),))
    assert [record["name"] for record in shop.records().list(query).records] == ["B", "C"]


def test_writers_at_the_same_time_lose_nothing(shop: Running) -> None:
    bolt, order = made(shop, "product", name="bolt", price=1), made(shop, "order", name="A")
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(8):
                made(shop, "order_line", order=order, product=bolt, quantity=1)
        except BaseException as error:
            failed.append(error)

    writers = [threading.Thread(target=write) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    assert held(shop, "order", order, "count", "total") == [48, 48.0]


def test_a_publish_works_out_what_is_new(shop: Running) -> None:
    bolt, order = made(shop, "product", name="bolt", price=1), made(shop, "order", name="A")
    for quantity in (5, 20, 30):
        made(shop, "order_line", order=order, product=bolt, quantity=quantity)
    shop.publish(
        SHOP.replace("quantity >= 10", "quantity >= 25").replace(
            "  mean:", "  least: {type: rollup, of: lines, operation: min, field: quantity, returns: integer}\n  mean:"
        )
    )
    assert held(shop, "order", order, "large", "least") == [1, 5]
    shop.publish(SHOP.replace("quantity * product.price", "quantity * product.price * 2"))
    assert held(shop, "order", order, "total", "large") == [110.0, 2]


def test_a_formula_that_it_does_not_read_is_of_no_concern(shop: Running) -> None:
    def marks() -> dict[str, str]:
        snapshot = shop.tenant.snapshot()
        return {group.parent: rollups.fingerprint(snapshot, group) for group in rollups.groups_of(snapshot)}

    before = marks()
    shop.publish(SHOP.replace("formula: sales > 100", "formula: sales > 200"))
    assert marks() == before
    shop.publish(SHOP.replace("quantity * product.price", "quantity * product.price * 3"))
    assert [name for name, mark in marks().items() if mark != before[name]] == ["order"]


def test_a_measured_field_may_be_called_as_an_operator(sqlite_url: str) -> None:
    text = SHOP.replace("field: quantity, returns: decimal", "field: in, returns: decimal")
    text = text.replace("  quantity: {type: integer}", "  quantity: {type: integer}\n  in: {type: integer}")
    with running(sqlite_url, [text], now=NOW) as site:
        order = made(site, "order", name="A")
        made(site, "order_line", **{"order": order, "in": 4})
        assert held(site, "order", order, "mean") == [4.0]


def test_the_command_finds_and_mends_what_is_wrong(
    shop: Running, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bolt, order = made(shop, "product", name="bolt", price=1), made(shop, "order", name="A")
    made(shop, "order_line", order=order, product=bolt, quantity=4)
    table = shop.tenant.snapshot().physical.table("order")
    with shop.tenant.database.write() as connection:
        connection.sa.execute(sa.update(table).values({table.c.count: 7}))
    common = ["--database", database_url, "--data", str(shop.folder)]
    assert main(["rollups", "verify", *common]) == 1
    assert capsys.readouterr().out == f"order.count: {order}\n1 roll-up is wrong\n"
    assert main(["rollups", "rebuild", *common]) == 0
    assert capsys.readouterr().out == "1 record had to be mended\n"
    assert held(shop, "order", order, "count") == [1]
    assert main(["rollups", "verify", *common]) == 0
    assert capsys.readouterr().out == "all roll-ups are right\n"


def test_a_merge_and_its_undoing(shop: Running) -> None:
    east, west = made(shop, "region", name="east"), made(shop, "region", name="west")
    one, two = made(shop, "customer", name="One", region=east), made(shop, "customer", name="Two", region=west)
    bolt = made(shop, "product", name="bolt", price="10")
    for customer, quantity in ((one, 3), (two, 4)):
        order = made(shop, "order", name="A", customer=customer)
        made(shop, "order_line", order=order, product=bolt, quantity=quantity)
    merged = shop.records().merge("customer", one, [two])
    assert (merged.record["sales"], merged.record["orders"]) == (70.0, 2)
    assert held(shop, "region", east, "sales") + held(shop, "region", west, "sales") == [70.0, 0.0]
    assert all_right(shop)
    shop.records().unmerge("customer", one)
    assert held(shop, "region", east, "sales") + held(shop, "region", west, "sales") == [30.0, 40.0]
    assert all_right(shop)
