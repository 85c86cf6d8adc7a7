"""Do fiscal periods begin in the month that a package names?"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.context import Context
from engine.service import Query, SortKey
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
SHOP = """
package: shop
version: 1.0.0
label: Shop
fiscal_year_start: 4
---
object: sale
label: Sale
fields:
  name: {type: text, required: true}
  day: {type: date}
  year: {type: formula, formula: "FISCAL_YEAR(day)", returns: integer}
  quarter: {type: formula, formula: "FISCAL_QUARTER(day)", returns: integer}
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [SHOP], now=NOW) as site:
        for day in ("2026-03-31", "2026-04-01", "2026-12-31", "2027-03-31", "2027-04-01"):
            site.records().create("sale", {"name": day, "day": day})
        yield site


def names(site: Running, filter_: str) -> list[str]:
    query = Query("sale", ("name",), filter=filter_, sort=(SortKey("name"),))
    return [record["name"] for record in site.records().list(query).records]


def test_a_fiscal_year_begins_in_the_month_that_the_package_names(shop: Running) -> None:
    found = shop.records().list(Query("sale", ("year", "quarter"), sort=(SortKey("day"),))).records
    assert [(record["year"], record["quarter"]) for record in found] == [
        (2026, 4),
        (2027, 1),
        (2027, 3),
        (2027, 4),
        (2028, 1),
    ]
    assert names(shop, "THIS_FISCAL_YEAR(day)") == ["2026-04-01", "2026-12-31", "2027-03-31"]
    assert names(shop, "LAST_FISCAL_YEAR(day)") == ["2026-03-31"]
    assert names(shop, "NEXT_FISCAL_YEAR(day)") == ["2027-04-01"]
    assert names(shop, "THIS_FISCAL_QUARTER(day)") == ["2026-12-31"]


def test_rules_know_it_as_filters_do(shop: Running) -> None:
    context: Context = shop.records().ctx
    assert context.here.fiscal_start == 4


def test_it_changes_with_the_package(shop: Running) -> None:
    shop.publish(SHOP.replace("fiscal_year_start: 4", "fiscal_year_start: 1"))
    assert names(shop, "THIS_FISCAL_YEAR(day)") == ["2026-03-31", "2026-04-01", "2026-12-31"]
