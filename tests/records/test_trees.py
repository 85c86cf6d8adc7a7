"""Trees: nothing is below itself, whoever writes at the same time; what is below a record is found."""

import threading
from collections.abc import Iterator

import pytest

from engine.errors import BadInput, Busy, Conflict
from engine.service import Query, SortKey
from engine.testing import Running, running
from tests.records.conftest import NOW
from tests.records.state import refused

AREAS = """
package: areas
version: 1.0.0
label: Areas
---
object: area
label: Area
tree: parent
fields:
  name: {type: text, required: true}
  parent: {type: reference, to: area}
---
object: shop
label: Shop
fields:
  name: {type: text, required: true}
  area: {type: reference, to: area}
"""


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [AREAS], now=NOW) as site:
        yield site


@pytest.fixture
def places(site: Running) -> dict[str, str]:
    """China above East above Shanghai; North beside East."""
    ids: dict[str, str] = {}
    for name, parent in (("China", ""), ("East", "China"), ("Shanghai", "East"), ("North", "China")):
        ids[name] = site.records().create("area", {"name": name, "parent": ids.get(parent)})["id"]
        site.records().create("shop", {"name": f"Shop {name}", "area": ids[name]})
    return ids


@pytest.mark.parametrize("under", ["China", "East", "Shanghai"])
def test_nothing_is_below_itself(site: Running, places: dict[str, str], under: str) -> None:
    with refused(site, BadInput) as refusal:
        site.records().update("area", places["China"], {"parent": places[under]})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("parent", "tree.circle")]


def test_a_batch_makes_no_circle(site: Running, places: dict[str, str]) -> None:
    records = site.records()
    with refused(site, BadInput) as refusal:
        records.batch("area", [
            {"action": "update", "id": places["East"], "values": {"parent": places["North"]}},
            {"action": "update", "id": places["North"], "values": {"parent": places["Shanghai"]}},
        ])  # fmt: skip
    assert [(one.path, one.code) for one in refusal.value.problems] == [("operations.1.values.parent", "tree.circle")]
    moved = records.update("area", places["East"], {"parent": places["North"]})
    assert moved["parent"] == places["North"]


def test_a_tree_has_fifty_levels(site: Running) -> None:
    records = site.records()
    above, ids = None, []
    for level in range(50):
        above = records.create("area", {"name": str(level), "parent": above})["id"]
        ids.append(above)
    for write in (
        lambda: records.create("area", {"name": "x", "parent": ids[-1]}),
        lambda: records.batch("area", [{"action": "create", "values": {"name": "x", "parent": ids[-1]}}] * 2),
    ):
        with refused(site, BadInput) as refusal:
            write()
        assert refusal.value.problems[0].code == "tree.depth"
    top = records.create("area", {"name": "top"})["id"]
    with refused(site, BadInput):
        records.update("area", ids[0], {"parent": top})
    records.update("area", ids[1], {"parent": top})


def test_what_is_below_is_found(site: Running, places: dict[str, str]) -> None:
    def found(name: str, path: str, root: str) -> list[str]:
        query = Query(
            name, ("name",), sort=(SortKey("name"),), conditions=((path, "under", places[root]),), count="exact"
        )
        page = site.records().list(query)
        assert page.count == len(page.records)
        return [record["name"] for record in page.records]

    assert found("shop", "area", "East") == ["Shop East", "Shop Shanghai"]
    assert found("shop", "area", "China") == ["Shop China", "Shop East", "Shop North", "Shop Shanghai"]
    assert found("area", "id", "East") == ["East", "Shanghai"]
    assert found("area", "parent", "East") == ["Shanghai"]
    with pytest.raises(BadInput, match="leads to no tree"):
        site.records().list(Query("shop", conditions=(("id", "under", places["East"]),)))


def test_what_comes_back_makes_no_circle(site: Running, places: dict[str, str]) -> None:
    records = site.records()
    records.delete("area", places["East"])
    assert records.get("area", places["Shanghai"])["parent"] is None
    records.update("area", places["China"], {"parent": places["Shanghai"]})
    with refused(site, Conflict) as refusal:
        records.restore("area", places["East"])
    assert refusal.value.code == "tree.circle"
    records.update("area", places["China"], {"parent": None})
    records.restore("area", places["East"])
    assert records.get("area", places["Shanghai"])["parent"] == places["East"]


def test_two_who_move_at_once_make_no_circle(site: Running) -> None:
    for _ in range(5):
        one, other = (site.records().create("area", {"name": name})["id"] for name in ("a", "b"))
        barrier, done = threading.Barrier(2), []

        def move(record: str, under: str, barrier: threading.Barrier = barrier, done: list[str] = done) -> None:
            barrier.wait()
            try:
                site.records().update("area", record, {"parent": under})
                done.append(record)
            except (BadInput, Busy):
                pass

        threads = [threading.Thread(target=move, args=pair) for pair in ((one, other), (other, one))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 1
