"""What changed last, of what a person may see."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.testing import Running, running

PACKAGE = """
package: p
version: 1.0.0
label: P
---
object: note
label: Note
fields:
  name: {type: text, label: Name, required: true}
---
object: plan
label: Plan
fields:
  name: {type: text, label: Name, required: true}
---
role: writer
label: Writer
objects:
  note: {can: [create, read, update, delete], rows: "owner == user.id"}
"""
START = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture
def office(database_url: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE], now=START) as office:
        office.user("ann", "writer")
        office.user("bob", "writer")
        yield office


def later(office: Running, minutes: int) -> None:
    office.fixed_now = START + timedelta(minutes=minutes)


def test_the_last_changes_come_first_and_each_record_once(office: Running) -> None:
    ann = office.records("ann")
    one = ann.create("note", {"name": "One"})
    later(office, 5)
    office.records("ann").create("note", {"name": "Two"})
    later(office, 9)
    office.records("ann").update("note", one["id"], {"name": "One, mended"})
    found = office.records("ann").recent(10)
    assert [(r.object, r.title) for r in found] == [("note", "One, mended"), ("note", "Two")]
    assert found[0].at == START + timedelta(minutes=9)
    assert [r.title for r in office.records("ann").recent(1)] == ["One, mended"]


def test_nothing_of_what_a_person_may_not_see(office: Running) -> None:
    office.records("bob").create("note", {"name": "Bob's"})
    office.records().create("plan", {"name": "An object that writers do not know"})
    gone = office.records("ann").create("note", {"name": "Gone"})
    office.records("ann").create("note", {"name": "Mine"})
    office.records("ann").delete("note", gone["id"])
    assert [r.title for r in office.records("ann").recent()] == ["Mine"]


def test_many_changes_by_others_do_not_hide_ones_own(office: Running) -> None:
    office.records("ann").create("note", {"name": "Mine"})
    later(office, 1)
    many = [{"action": "create", "values": {"name": f"Bob's {n}"}} for n in range(250)]
    office.records("bob").batch("note", many)
    assert [r.title for r in office.records("ann").recent()] == ["Mine"]
