"""Merges where records are held by references of every kind, stand in trees, have lines and rules."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import BadInput, Conflict
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
PACKAGE = """
package: works
version: 1.0.0
label: Works
---
object: firm
label: Firm
tree: parent
fields:
  name: {type: text, label: Name, required: true}
  parent: {type: reference, to: firm, label: Parent}
  partners: {type: multi_reference, to: firm, label: Partners}
  status: {type: choice, label: Status, choices: {live: Live, closed: Closed}}
  tax: {type: text, label: Tax, set_once: true}
  note: {type: text, label: Note, lock_if: status == 'closed'}
  credit: {type: integer, label: Credit}
validations:
  - {rule: limit, error_if: credit > 100, message: Too much credit, field: credit}
---
object: visit
label: Visit
fields:
  name: {type: text, label: Name}
  about: {type: polymorphic_reference, to: [firm, visit], label: About}
  guests: {type: multi_reference, to: firm, label: Guests}
---
object: order
label: Order
fields:
  name: {type: text, label: Name}
  lines: {type: table, of: order_line}
---
object: order_line
label: Line
kind: child
title: name
fields:
  name: {type: text, label: Name}
  order: {type: reference, to: order, master: true}
duplicates:
  - {rule: same_line, match: {order: exact, name: exact}, action: block}
"""


@pytest.fixture
def works(database_url: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE], now=NOW) as site:
        site.user("boss", "admin")
        yield site


def made(works: Running, object_name: str, name: str, **values: Any) -> str:
    record: str = works.records("boss").create(object_name, {"name": name, **values})["id"]
    return record


def held(works: Running, object_name: str, record: str, field: str) -> Any:
    return works.records("boss").get(object_name, record, (field,))[field]


def test_references_of_every_kind_are_moved_and_go_back(works: Running) -> None:
    one, two, three = (made(works, "firm", name) for name in ("one", "two", "three"))
    about = made(works, "visit", "about", about=f"firm/{two}")
    other = made(works, "visit", "other", about=f"visit/{about}")
    both = made(works, "visit", "both", guests=[two, three, one])
    alone = made(works, "visit", "alone", guests=[three, two])
    merged = works.records("boss").merge("firm", one, [two])
    assert merged.moved == {("visit", "about"): 1, ("visit", "guests"): 2}
    assert held(works, "visit", about, "about") == f"firm/{one}"
    assert held(works, "visit", other, "about") == f"visit/{about}"
    assert [held(works, "visit", v, "guests") for v in (both, alone)] == [[one, three], [three, one]]
    undone = works.records("boss").unmerge("firm", one)
    assert (undone.moved, undone.kept) == (merged.moved, ())
    assert held(works, "visit", about, "about") == f"firm/{two}"
    assert set(held(works, "visit", both, "guests")) == {one, two, three}
    assert held(works, "visit", alone, "guests") == [three, two]


def test_a_record_that_lists_what_goes_into_it_does_not_list_itself(works: Running) -> None:
    one, two, three = (made(works, "firm", name) for name in ("one", "two", "three"))
    works.records("boss").update("firm", one, {"partners": [two, three]})
    works.records("boss").update("firm", two, {"partners": [one, three]})
    works.records("boss").merge("firm", one, [two], {"partners": two})
    assert held(works, "firm", one, "partners") == [three]
    works.records("boss").unmerge("firm", one)
    assert set(held(works, "firm", one, "partners")) == {two, three}
    assert held(works, "firm", two, "partners") == [one, three]


def test_no_record_comes_to_stand_below_itself(works: Running) -> None:
    top = made(works, "firm", "top")
    middle = made(works, "firm", "middle", parent=top)
    below = made(works, "firm", "below", parent=middle)
    with pytest.raises(Conflict) as refused:
        works.records("boss").merge("firm", below, [top])
    assert refused.value.code == "tree.circle"
    assert held(works, "firm", middle, "parent") == top
    works.records("boss").merge("firm", top, [below])
    assert held(works, "firm", middle, "parent") == top


def test_rules_hold_for_values_that_are_taken(works: Running) -> None:
    one = made(works, "firm", "one", tax="T1", note="mine", status="closed", credit=1)
    two = made(works, "firm", "two", tax="T2", note="other", status="live", credit=100)
    with works.tenant.database.write() as connection:  # from before there was a limit
        connection.run(f"UPDATE firm SET credit = 101 WHERE id = '{two}'")
    with pytest.raises(BadInput) as refused:
        works.records("boss").merge("firm", one, [two], {"tax": two, "note": two, "credit": two})
    assert {(problem.path, problem.code) for problem in refused.value.problems} == {
        ("values.tax", "value.set_once"), ("values.note", "value.locked"), ("values.credit", "validation.failed"),
    }  # fmt: skip
    assert works.records("boss").merge("firm", one, [two]).record["tax"] == "T1"


def test_lines_come_behind_those_of_the_master_and_go_back(works: Running) -> None:
    one = made(works, "order", "one", lines=[{"name": "a"}, {"name": "b"}])
    two = made(works, "order", "two", lines=[{"name": "c"}, {"name": "d"}])
    works.records("boss").merge("order", one, [two])
    lines = works.records("boss").get("order", one)["lines"]
    assert [line["name"] for line in lines] == ["a", "b", "c", "d"]
    works.records("boss").unmerge("order", one)
    names = [[line["name"] for line in works.records("boss").get("order", order)["lines"]] for order in (one, two)]
    assert names == [["a", "b"], ["c", "d"]]


def test_a_double_among_lines_is_placed_at_the_line(works: Running) -> None:
    with pytest.raises(Conflict) as refused:
        made(works, "order", "one", lines=[{"name": "a"}, {"name": "A "}])
    assert [(problem.path, problem.code) for problem in refused.value.problems[:2]] == [
        ("lines.0.order", "duplicate.found"), ("lines.0.name", "duplicate.found"),
    ]  # fmt: skip
    order = made(works, "order", "two", lines=[{"name": "a"}, {"name": "b"}])
    lines = works.records("boss").get("order", order)["lines"]
    sent = [{"id": lines[0]["id"]}, {"id": lines[1]["id"], "name": "A"}]
    with pytest.raises(Conflict) as refused:
        works.records("boss").update("order", order, {"lines": sent})
    assert refused.value.problems[0].path == "lines.1.order"
