"""Is an amount shown in the currency that stands elsewhere?"""

from zoneinfo import ZoneInfo

from engine.service import Query, SortKey
from engine.testing import Running, running
from ui.columns import plan_of
from ui.formats import formats_for

SHOP = """
package: shop
version: 1.0.0
label: Shop
---
object: country
label: Country
fields:
  name: {type: text, required: true}
  code: {type: text, hidden: true}
---
object: order
label: Order
fields:
  name: {type: text, required: true}
  country: {type: reference, to: country}
  fee: {type: currency, currency_from: country.code, currency: USD}
  lines: {type: table, of: line}
  total: {type: rollup, of: lines, operation: sum, field: price, returns: currency, currency_from: country.code}
---
object: line
label: Line
kind: child
fields:
  name: {type: text, required: true}
  order: {type: reference, to: order, master: true}
  price: {type: currency, currency_from: parent.country.code}
---
role: seller
label: Seller
objects:
  order: [create, read, update]
  country: [read]
---
role: packer
label: Packer
objects:
  order: [read]
"""


def shown(site: Running, who: str, object_name: str, *paths: str) -> list[list[str]]:
    records = site.records(who)
    scope, snapshot = records.ctx.scope, records.ctx.snapshot
    plan = plan_of(snapshot, scope, object_name, paths, formats_for("en", ZoneInfo("UTC")), "en")
    page = records.page(Query(object_name, plan.paths, sort=(SortKey("name"),)))
    return [[column.cell(row) for column in plan.columns] for row in page.rows]


def test_an_amount_is_shown_in_the_currency_of_its_record() -> None:
    with running("", [SHOP]) as site:
        for name in ("seller", "packer"):
            site.user(name, name)
        records = site.records()
        for name, code in (("a", "EUR"), ("b", "CHF"), ("c", None), ("d", "euro")):
            country = records.create("country", {"name": name, "code": code})["id"]
            lines = [{"name": name, "price": 7}]
            records.create("order", {"name": name, "country": country, "fee": 5, "lines": lines})
        assert shown(site, "seller", "order", "fee", "total") == [
            ["€5", "€7"], ["CHF 5", "CHF 7"], ["$5", "¥7"], ["$5", "¥7"],
        ]  # fmt: skip
        assert shown(site, "seller", "line", "price", "order.fee")[:2] == [["€7", "€5"], ["CHF 7", "CHF 5"]]
        assert shown(site, "packer", "order", "fee")[0] == ["$5"]
