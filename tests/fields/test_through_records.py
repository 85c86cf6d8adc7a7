"""What the record service does with retired choices and with numbers given in turn."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.errors import BadInput
from engine.testing import Running, running

PACKAGE = """
package: shop
version: 1.0.0
label: Shop
---
object: lead
label: Lead
fields:
  name: {type: text, label: Name}
  number: {type: autonumber, label: Number, format: 'L-{YYYY}{MM}-{000}', start: 17}
  status: {type: choice, label: Status, choices: {new: New, old: Old}}
  tags: {type: multi_choice, label: Tags, choices: {red: Red, blue: Blue}}
  amount: {type: currency, label: Amount}
"""
RETIRED = PACKAGE.replace("old: Old", "old: {label: Old, retired: true}").replace(
    "blue: Blue", "blue: {label: Blue, retired: true}"
)


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE], now=datetime(2026, 11, 22, 2, 15, tzinfo=UTC)) as site:
        yield site


def test_numbers_begin_at_start_and_begin_again_each_month(shop: Running) -> None:
    numbers = [shop.records().create("lead", {"name": name})["number"] for name in ("a", "b")]
    shop.fixed_now = datetime(2026, 12, 1, tzinfo=UTC)
    numbers += [shop.records().create("lead", {"name": name})["number"] for name in ("c", "d")]
    assert numbers == ["L-202611-017", "L-202611-018", "L-202612-017", "L-202612-018"]


def test_a_retired_choice_stays_where_it_is_and_comes_nowhere_else(shop: Running) -> None:
    old = shop.records().create("lead", {"name": "a", "status": "old", "tags": ["blue"]})
    new = shop.records().create("lead", {"name": "b", "status": "new", "tags": ["red"]})
    shop.publish(RETIRED)
    records = shop.records()
    kept = records.update("lead", old["id"], {"name": "c", "status": "old", "tags": ["red", "blue"]})
    assert (kept["status"], kept["tags"]) == ("old", ["red", "blue"])
    with pytest.raises(BadInput) as refused:
        records.update("lead", new["id"], {"status": "old", "tags": ["red", "blue"]})
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [
        ("status", "value.choice.retired"),
        ("tags", "value.choice.retired"),
    ]


def test_an_amount_comes_back_with_every_digit(shop: Running) -> None:
    records = shop.records()
    made = records.create("lead", {"amount": "9999999999999999.99"})
    assert records.get_row("lead", made["id"], ["amount"])["amount"].as_tuple().digits == (9,) * 18
    assert records.create("lead", {"amount": 19.990000000000002})["amount"] == 19.99
