"""Does a record that belongs to two masters at once follow both: rights, deletion, roll-ups, lines of either?"""

from collections.abc import Iterator

import pytest

from engine.errors import BadInput, Conflict, Forbidden, NotFound
from engine.service import AggregateQuery, Query, SortKey
from engine.testing import Running, running
from tests.records.conftest import NOW
from tests.records.state import refused

FILES = """
package: school
version: 1.0.0
label: School
---
object: course
label: Course
fields:
  name: {type: text, required: true}
  seats: {type: table, of: seat, by: course}
  taken: {type: rollup, of: seats, operation: count, returns: integer}
---
object: student
label: Student
fields:
  name: {type: text, required: true}
  credits: {type: rollup, of: seat.student, operation: sum, field: credits, returns: integer}
---
object: seat
label: Seat
kind: child
title: "{student.name} in {course.name}"
fields:
  course: {type: reference, to: course, master: true, required: true}
  student: {type: reference, to: student, master: true, required: true}
  credits: {type: integer, default: 5}
---
role: teacher
label: Teacher
objects:
  course: {can: [create, read, update, delete], rows: "owner == user.id"}
  student: {can: [read, update], rows: "name != 'Zoe'"}
---
role: viewer
label: Viewer
objects:
  course: [read]
  student: {can: [read], rows: "name == 'Ann'"}
---
role: half
label: Half
objects:
  course: [create, read, update, delete]
---
role: reader
label: Reader
objects:
  course: [create, read, update, delete]
  student: [read]
"""


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [FILES], now=NOW) as site:
        for name, role in (
            ("boss", "admin"), ("tom", "teacher"), ("vera", "viewer"), ("hal", "half"), ("rea", "reader"),
        ):  # fmt: skip
            site.user(name, role)
        yield site


@pytest.fixture
def ids(site: Running) -> dict[str, str]:
    boss = site.records("boss")
    found = {name: boss.create("student", {"name": name})["id"] for name in ("Ann", "Bob", "Zoe")}
    for name, owner in (("Maths", "tom"), ("Art", "boss")):
        found[name] = boss.create("course", {"name": name, "owner": site.user(owner)})["id"]
        for student in ("Ann", "Bob", "Zoe"):
            seat = boss.create("seat", {"course": found[name], "student": found[student]})
            found[f"{student} in {name}"] = seat["id"]
    return found


def seen(site: Running, person: str) -> list[str]:
    query = Query("seat", ("display_name",), sort=(SortKey("display_name"),), count="exact")
    page = site.records(person).list(query)
    assert page.count == len(page.records)
    return [record["display_name"] for record in page.records]


def test_it_is_seen_where_both_are(site: Running, ids: dict[str, str]) -> None:
    assert len(seen(site, "boss")) == 6
    assert seen(site, "tom") == ["Ann in Maths", "Bob in Maths"]
    assert seen(site, "vera") == ["Ann in Art", "Ann in Maths"]
    assert len(seen(site, "rea")) == 6
    assert not site.context("hal").scope.can("read", "seat")
    for person, seat in (("tom", "Zoe in Maths"), ("tom", "Ann in Art"), ("vera", "Bob in Art"), ("hal", "Ann in Art")):
        with pytest.raises(NotFound):
            site.records(person).get("seat", ids[seat])
    groups = site.records("tom").aggregate(AggregateQuery("seat", ("course.name",), ("count()",))).groups
    assert groups == [{"course.name": "Maths", "count()": 2}]


def test_it_is_written_where_both_may_be_changed(site: Running, ids: dict[str, str]) -> None:
    tom = site.records("tom")
    assert site.context("tom").scope.actions("seat") == ("create", "read", "update", "delete")
    assert site.context("vera").scope.actions("seat") == ("read",)
    assert site.context("rea").scope.actions("seat") == ("read",)
    made = tom.create("seat", {"course": ids["Maths"], "student": ids["Bob"], "credits": 2})
    assert made["owner"] == site.user("tom")  # of the first master
    assert tom.update("seat", made["id"], {"credits": 3})["credits"] == 3
    tom.delete("seat", made["id"])
    for values in ({"course": ids["Art"], "student": ids["Bob"]}, {"course": ids["Maths"], "student": ids["Zoe"]}):
        with refused(site, BadInput):
            tom.create("seat", values)
    with refused(site, NotFound):
        tom.update("seat", ids["Zoe in Maths"], {"credits": 1})
    for person in ("vera", "rea"):
        with refused(site, Forbidden):
            site.records(person).update("seat", ids["Ann in Art"], {"credits": 1})
    for values in ({"course": ids["Maths"]}, {"student": ids["Ann"]}):
        with refused(site, BadInput) as refusal:
            tom.create("seat", values)
        assert [one.code for one in refusal.value.problems] == ["value.required"]


def test_lines_of_one_need_the_other(site: Running, ids: dict[str, str]) -> None:
    tom = site.records("tom")
    made = tom.create(
        "course", {"name": "Go", "seats": [{"student": ids["Ann"]}, {"student": ids["Bob"], "credits": 1}]}
    )
    assert made["taken"] == 2
    with refused(site, BadInput):
        tom.create("course", {"name": "Chess", "seats": [{"student": ids["Zoe"]}]})
    with refused(site, BadInput) as refusal:
        tom.create("course", {"name": "Chess", "seats": [{}]})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("seats.0.student", "value.required")]
    with refused(site, Forbidden):  # students may be read, not changed
        site.records("rea").create("course", {"name": "Chess", "seats": [{"student": ids["Ann"]}]})
    seats = [{"id": ids["Ann in Maths"], "credits": 9}, {"student": ids["Bob"]}]
    tom.update("course", ids["Maths"], {"seats": seats})
    assert site.records("boss").get("student", ids["Ann"])["credits"] == 5 + 9 + 5
    assert seen(site, "boss").count("Zoe in Maths") == 1  # out of Tom's sight, it stays


def test_deletion_and_roll_ups_follow_either(site: Running, ids: dict[str, str]) -> None:
    boss = site.records("boss")
    assert (boss.get("course", ids["Maths"])["taken"], boss.get("student", ids["Ann"])["credits"]) == (3, 10)
    boss.delete("course", ids["Maths"])
    assert boss.get("student", ids["Ann"])["credits"] == 5
    boss.delete("student", ids["Ann"])
    assert boss.get("course", ids["Art"])["taken"] == 2
    assert seen(site, "boss") == ["Bob in Art", "Zoe in Art"]
    with refused(site, Conflict):  # a seat of it would come back without its student
        boss.restore("course", ids["Maths"])
    boss.restore("student", ids["Ann"])
    boss.restore("course", ids["Maths"])
    assert (boss.get("course", ids["Maths"])["taken"], boss.get("student", ids["Ann"])["credits"]) == (3, 10)
    assert len(seen(site, "boss")) == 6
