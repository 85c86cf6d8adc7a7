"""Do rules reach trees, settings and lines of other records, in a number of statements that does not grow?"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import BadInput
from engine.service import Query
from engine.store.database import Connection
from engine.testing import Running, running
from tests.records.state import refused

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
FIRM = """
package: firm
version: 1.0.0
label: Firm
---
object: region
label: Region
tree: within
fields:
  name: {type: text, required: true}
  within: {type: reference, to: region}
---
object: settings
label: Settings
kind: single
fields:
  name: {type: text}
  bonus: {type: integer}
---
object: depot
label: Depot
fields:
  name: {type: text, required: true}
  region: {type: reference, to: region}
  shelves: {type: table, of: shelf}
---
object: shelf
label: Shelf
kind: child
fields:
  name: {type: text, required: true}
  depot: {type: reference, to: depot, master: true}
  size: {type: integer}
  region: {type: reference, to: region}
---
object: order
label: Order
fields:
  name: {type: text, required: true}
  region: {type: reference, to: region}
  depot:
    type: reference
    to: depot
    filter: "IN_TREE(region, record.region) and SUM(shelves, size + config.settings.bonus) >= record.size"
  size: {type: integer, default: {formula: config.settings.bonus}}
  other: {type: reference, to: depot}
  place: {type: text, fetch: other.name}
validations:
  - {rule: far, error_if: "other != null and not IN_TREE(other.region, region)", message: Too far}
  - {rule: shelf, error_if: "other.region.name == 'moon'", message: Not there}
---
object: plain
label: Plain
fields: {name: {type: text}, depot: {type: reference, to: depot}}
"""


@pytest.fixture
def firm(database_url: str) -> Iterator[Running]:
    with running(database_url, [FIRM], now=NOW) as site:
        records = site.records()
        (settings,) = records.list(Query("settings")).records
        records.update("settings", settings["id"], {"bonus": 1})
        yield site


def made(firm: Running) -> dict[str, str]:
    records, ids = firm.records(), dict[str, str]()
    for name, within in (("world", ""), ("europe", "world"), ("spain", "europe"), ("moon", "")):
        ids[name] = records.create("region", {"name": name, "within": ids.get(within)})["id"]
    for name, region, sizes in (("madrid", "spain", (4, 5)), ("luna", "moon", (9,)), ("empty", "spain", ())):
        shelves = [{"name": str(size), "size": size, "region": ids[region]} for size in sizes]
        ids[name] = records.create("depot", {"name": name, "region": ids[region], "shelves": shelves})["id"]
    return ids


def problems(firm: Running, **values: Any) -> list[tuple[str, str]]:
    with refused(firm, BadInput) as refusal:
        firm.records().create("order", {"name": "a", **values})
    return [(one.path, one.code) for one in refusal.value.problems]


def test_a_filter_asks_trees_settings_and_lines_of_what_is_referred_to(firm: Running) -> None:
    ids = made(firm)
    order = firm.records().create("order", {"name": "a", "region": ids["europe"], "depot": ids["madrid"], "size": 11})
    assert order["depot"] == ids["madrid"]
    assert problems(firm, region=ids["europe"], depot=ids["madrid"], size=12) == [("depot", "reference.filter")]
    assert problems(firm, region=ids["europe"], depot=ids["luna"]) == [("depot", "reference.filter")]
    assert problems(firm, region=ids["europe"], depot=ids["empty"]) == [("depot", "reference.filter")]
    assert problems(firm, depot=ids["madrid"]) == [("depot", "reference.filter")]
    offered = firm.records().options("depot", "", 20, "order.depot", {"region": ids["world"], "size": 1})
    assert [title for _, title, _ in offered] == ["madrid"]


def test_a_rule_asks_a_tree_behind_a_reference(firm: Running) -> None:
    ids = made(firm)
    near = firm.records().create("order", {"name": "a", "region": ids["world"], "other": ids["madrid"]})
    assert (near["place"], near["size"]) == ("madrid", 1)
    assert problems(firm, region=ids["moon"], other=ids["madrid"]) == [("", "validation.failed")]
    assert problems(firm, region=ids["moon"], other=ids["luna"]) == [("", "validation.failed")]
    with refused(firm, BadInput):
        firm.records().update("order", near["id"], {"region": ids["spain"], "other": ids["luna"]})


def test_a_batch_asks_as_often_as_a_few_records(firm: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, asked = made(firm), list[str]()
    ask = Connection.rows

    def counted(self: Connection, sql: str, *more: Any) -> Sequence[Any]:
        asked.append(sql)
        return ask(self, sql, *more)

    monkeypatch.setattr(Connection, "rows", counted)
    values = {"name": "a", "region": ids["europe"], "depot": ids["madrid"], "other": ids["madrid"]}
    counts = []
    for many in (2, 60):
        asked.clear()
        firm.records().batch("order", [{"action": "create", "values": values}] * many)
        counts.append(len(asked))
    records = firm.records()
    asked.clear()
    records.create("plain", {"name": "a", "depot": ids["madrid"]})
    assert (counts[0] == counts[1], counts[1] < 16, len(asked)) == (True, True, 2)  # is there the depot?; the insert
