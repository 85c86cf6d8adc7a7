"""References to several records, and to a record of one of several objects: written, filtered, deleted, renamed."""

from collections.abc import Iterator

import pytest

from engine.errors import BadInput, Conflict
from engine.publish import plan
from engine.service import Query, SortKey
from engine.store.references import referring
from engine.testing import Running, running
from tests.records.conftest import NOW
from tests.records.state import refused

DESK = """
package: desk
version: 1.0.0
label: Desk
---
object: tag
label: Tag
fields:
  name: {type: text, required: true}
  tasks: {type: inverse, of: task, by: tags}
---
object: project
label: Project
fields:
  name: {type: text, required: true}
  notes: {type: inverse, of: note, by: about}
---
object: customer
label: Customer
fields:
  name: {type: text, required: true}
---
object: task
label: Task
fields:
  name: {type: text, required: true}
  tags: {type: multi_reference, to: tag}
  needed: {type: multi_reference, to: tag, on_delete: restrict}
  watchers: {type: multi_reference, to: user}
---
object: note
label: Note
fields:
  name: {type: text, required: true}
  about: {type: polymorphic_reference, to: [project, customer]}
  owner_of: {type: polymorphic_reference, to: [project, customer], on_delete: cascade}
  any: {type: polymorphic_reference, to: "*"}
---
role: clerk
label: Clerk
objects:
  tag: {can: [read], rows: "name != 'secret'"}
  task: {can: [create, read, update], rows: "owner == user.id or user.id in watchers"}
  note: [create, read, update]
  project: [read]
"""


@pytest.fixture
def desk(database_url: str) -> Iterator[Running]:
    with running(database_url, [DESK], now=NOW) as site:
        site.user("boss", "admin")
        site.user("lin", "clerk")
        site.user("sam", "clerk")
        yield site


def names(site: Running, query: Query, username: str = "boss") -> list[str]:
    return [record["name"] for record in site.records(username).list(query).records]


def test_several_references_are_a_list_of_ids(desk: Running) -> None:
    boss = desk.records("boss")
    red, blue, secret = (boss.create("tag", {"name": name})["id"] for name in ("red", "blue", "secret"))
    task = boss.create("task", {"name": "a", "tags": [blue.upper(), red]})
    assert task["tags"] == [blue, red]
    boss.create("task", {"name": "b", "tags": [red]})
    boss.create("task", {"name": "c"})
    by_name = (SortKey("name"),)
    assert names(desk, Query("task", filter=f"'{red}' in tags", sort=by_name)) == ["a", "b"]
    assert names(desk, Query("task", filter=f"not '{red}' in tags", sort=by_name)) == ["c"]
    assert names(desk, Query("task", filter="ISBLANK(tags)")) == ["c"]
    assert names(desk, Query("task", conditions=(("tags", "=", blue),))) == ["a"]
    assert names(desk, Query("task", conditions=(("tags", "in", [blue, red]),), sort=by_name)) == ["a", "b"]
    assert names(desk, Query("task", conditions=(("tags", "blank", None),))) == ["c"]
    assert boss.get("tag", red, ("tasks",))["tasks"] == sorted(
        record["id"] for record in boss.list(Query("task", filter=f"'{red}' in tags")).records
    )
    assert boss.history("task", task["id"])[0].changes["tags"] == (None, [blue, red])
    for value, code in (
        ([red, red], "value.references.twice"), ([red, "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"], "reference.unknown"),
        (red, "value.type"),
    ):  # fmt: skip
        with refused(desk, BadInput) as refusal:
            boss.create("task", {"name": "x", "tags": value})
        assert [(one.path, one.code) for one in refusal.value.problems] == [("tags", code)]
    with refused(desk, BadInput) as refusal:
        desk.records("lin").create("task", {"name": "x", "tags": [red, secret]})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("tags", "reference.unknown")]


def test_a_row_rule_asks_who_is_on_a_list(desk: Running) -> None:
    lin = desk.records("lin")
    task = lin.create("task", {"name": "a"})
    assert names(desk, Query("task"), "sam") == []
    with refused(desk, BadInput):  # lin may not read users
        lin.update("task", task["id"], {"watchers": [desk.user("sam")]})
    desk.records("boss").update("task", task["id"], {"watchers": [desk.user("sam")]})
    assert names(desk, Query("task"), "sam") == ["a"]


def test_deleting_takes_a_record_out_of_lists_and_restoring_puts_it_back(desk: Running) -> None:
    boss = desk.records("boss")
    red, blue, green = (boss.create("tag", {"name": name})["id"] for name in ("red", "blue", "green"))
    both = boss.create("task", {"name": "both", "tags": [blue, red]})["id"]
    one = boss.create("task", {"name": "one", "tags": [red]})["id"]
    boss.create("task", {"name": "needs", "needed": [blue]})
    boss.delete("tag", red)
    assert (boss.get("task", both)["tags"], boss.get("task", one)["tags"]) == ([blue], None)
    assert boss.history("task", both)[0].changes == {"tags": ([blue, red], [blue])}
    boss.update("task", both, {"tags": [green, blue]})
    boss.restore("tag", red)
    assert (boss.get("task", both)["tags"], boss.get("task", one)["tags"]) == ([blue, red, green], [red])
    with refused(desk, Conflict) as refusal:
        boss.delete("tag", blue)
    assert refusal.value.code == "delete.restricted"


def test_a_reference_to_one_of_several_objects(desk: Running) -> None:
    boss = desk.records("boss")
    project = boss.create("project", {"name": "P"})["id"]
    customer = boss.create("customer", {"name": "C"})["id"]
    first = boss.create("note", {"name": "a", "about": {"object": "project", "id": project.upper()}})
    second = boss.create("note", {"name": "b", "about": f"customer/{customer}", "any": f"note/{first['id']}"})
    assert (first["about"], second["any"]) == (f"project/{project}", f"note/{first['id']}")
    boss.create("note", {"name": "c"})
    by_name = (SortKey("name"),)
    assert names(desk, Query("note", filter=f"about == 'project/{project}'")) == ["a"]
    assert names(desk, Query("note", filter=f"about != 'project/{project}'", sort=by_name)) == ["b", "c"]
    assert names(desk, Query("note", filter="ISBLANK(about)")) == ["c"]
    assert names(desk, Query("note", conditions=(("about", "=", f"customer/{customer}"),))) == ["b"]
    assert names(desk, Query("note", conditions=(("about", "filled", None),), sort=by_name)) == ["a", "b"]
    assert boss.get("project", project, ("notes",))["notes"] == [first["id"]]
    found = boss.list(Query("project", ("name", "notes"))).records
    assert [(record["name"], record["notes"]) for record in found] == [("P", [first["id"]])]
    for value, code in (
        (f"task/{project}", "value.reference.object"), (f"customer/{project}", "reference.unknown"),
        (project, "value.reference.any"), ({"object": "project"}, "value.type"),
    ):  # fmt: skip
        with refused(desk, BadInput) as refusal:
            boss.create("note", {"name": "x", "about": value})
        assert [(one.path, one.code) for one in refusal.value.problems] == [("about", code)]
    for value in (f"customer/{customer}", f"nosuch/{customer}"):
        with refused(desk, BadInput) as refusal:
            desk.records("lin").create("note", {"name": "x", "any": value})
        assert [(one.path, one.code) for one in refusal.value.problems] == [("any", "reference.unknown")]


def test_deletion_follows_it_and_is_taken_back(desk: Running) -> None:
    boss = desk.records("boss")
    project = boss.create("project", {"name": "P"})["id"]
    about = boss.create("note", {"name": "a", "about": f"project/{project}", "any": f"project/{project}"})["id"]
    owned = boss.create("note", {"name": "b", "owner_of": f"project/{project}"})["id"]
    boss.delete("project", project)
    assert (boss.get("note", about)["about"], boss.get("note", about)["any"]) == (None, None)
    assert names(desk, Query("note")) == ["a"]
    desk.publish(DESK.replace("project", "venture").replace("object: venture", "object: venture\nwas: project"))
    desk.records("boss").restore("venture", project)
    assert desk.records("boss").get("note", about)["about"] == f"venture/{project}"
    assert desk.records("boss").get("note", owned)["owner_of"] == f"venture/{project}"


def test_a_renamed_object_keeps_what_refers_to_it(desk: Running) -> None:
    boss = desk.records("boss")
    project = boss.create("project", {"name": "P"})["id"]
    note = boss.create("note", {"name": "a", "about": f"project/{project}", "any": f"project/{project}"})["id"]
    boss.create("note", {"name": "gone", "any": f"project/{project}"})
    text = DESK.replace("project", "venture").replace("object: venture", "object: venture\nwas: project")
    desk.publish(text)
    record = desk.records("boss").get("note", note)
    assert (record["about"], record["any"]) == (f"venture/{project}", f"venture/{project}")
    assert desk.records("boss").get("venture", project, ("notes",))["notes"] == [note]
    assert [name for name, _ in referring(desk.tenant.snapshot(), "venture")] == ["note", "note", "note"]


def test_a_plan_counts_what_refers_to_an_object_that_goes(desk: Running) -> None:
    boss = desk.records("boss")
    project = boss.create("project", {"name": "P"})["id"]
    customer = boss.create("customer", {"name": "C"})["id"]
    note = boss.create("note", {"name": "a", "about": f"project/{project}", "any": f"project/{project}"})["id"]
    kept = boss.create("note", {"name": "b", "about": f"customer/{customer}"})["id"]
    head, rest = DESK.split("---\nobject: project")
    text = f"{head}---\nobject: customer{rest.split('object: customer', 1)[1]}"
    text = text.replace("[project, customer]", "customer").replace("  project: [read]\n", "")
    made = plan(desk.tenant, [desk.written(text)])
    assert [(step.what, step.loses) for step in made.steps if step.loses] == [
        ("field note.about", 1), ("field note.any", 1), ("object project", 1),
    ]  # fmt: skip
    desk.publish(text)
    boss = desk.records("boss")
    assert (boss.get("note", note)["about"], boss.get("note", note)["any"]) == (None, None)
    assert boss.get("note", kept)["about"] == f"customer/{customer}"


def test_a_plain_reference_becomes_one_of_several(desk: Running) -> None:
    text = DESK.replace(
        "about: {type: polymorphic_reference, to: [project, customer]}", "about: {type: reference, to: project}"
    )
    desk.publish(text.replace("tags: {type: multi_reference, to: tag}", "tags: {type: reference, to: tag}"))
    boss = desk.records("boss")
    project, tag = boss.create("project", {"name": "P"})["id"], boss.create("tag", {"name": "T"})["id"]
    note = boss.create("note", {"name": "a", "about": project})["id"]
    task = boss.create("task", {"name": "a", "tags": tag})["id"]
    desk.publish(DESK)
    assert desk.records("boss").get("note", note)["about"] == f"project/{project}"
    assert desk.records("boss").get("task", task)["tags"] == [tag]
