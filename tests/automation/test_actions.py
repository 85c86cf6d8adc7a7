"""Each action of the base plugins does what it says."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from engine.errors import EngineError
from engine.service import Query
from engine.store import system_jobs
from engine.testing import Running

Made = Callable[..., Running]


def owners(site: Running, object_name: str = "lead") -> list[str]:
    people = {site.user(name): name for name in ("boss", "lin", "sam", "new")}
    found = site.records().list(Query(object_name, ("name", "owner"))).records
    return [people[one["owner"]] for one in sorted(found, key=lambda one: one["name"])]


def jobs(site: Running, kind: str) -> list[dict[str, Any]]:
    job = system_jobs.job
    with site.tenant.database.read() as connection:
        found = connection.sa.execute(sa.select(job.c.payload).where(job.c.kind == kind).order_by(job.c.id)).scalars()
        return [orjson.loads(one) for one in found]


def create(site: Running, *names: str, **values: Any) -> None:
    for name in names:
        site.records("new").create("lead", {"name": name, **values})


TURN = """
automation: give
object: lead
on: [create]
phase: PHASE
run_as: boss
do: [{assign: {among: {role: seller}}}]
"""


@pytest.mark.parametrize("phase", ["before_save", "after_save"])
def test_work_is_given_in_turn_in_bulk_as_one_by_one(firm: Made, phase: str) -> None:
    site = firm(TURN.replace("PHASE", phase))
    create(site, "a", "b", "c")
    site.records("new").batch("lead", [{"action": "create", "values": {"name": name}} for name in ("d", "e")])
    assert owners(site) == ["lin", "sam", "lin", "sam", "lin"]


def test_a_turn_that_was_refused_is_nobodys(firm: Made) -> None:
    site = firm(TURN.replace("PHASE", "before_save"))
    create(site, "a")
    with pytest.raises(EngineError):
        site.records("new").create("lead", {"name": "b", "key": "x" * 300})
    create(site, "c")
    assert owners(site) == ["lin", "sam"]


def test_work_is_given_to_whoever_has_least_of_what_counts(firm: Made) -> None:
    site = firm("""
automation: give
object: lead
on: [create]
run_as: boss
do: [{assign: {among: {role: seller}, by: least_loaded, load: "rating == 'hot'"}}]
""")
    for rating in ("hot", "hot", "cold", "hot"):
        create(site, f"a{rating}", rating=rating)
    hot = site.records().list(Query("lead", ("owner",), filter="rating == 'hot'")).records
    assert sorted([sum(one["owner"] == site.user(who) for one in hot) for who in ("lin", "sam")]) == [1, 2]


def test_work_is_given_by_a_formula_over_people(firm: Made) -> None:
    site = firm("""
automation: give
object: lead
on: [create]
phase: before_save
do: [{assign: {by: first, where: "username == record.hint"}}]
""")
    create(site, "a", hint="sam")
    create(site, "b", hint="lin")
    create(site, "c", hint="nobody")
    assert owners(site) == ["sam", "lin", "new"]


def test_work_is_given_to_whom_the_record_names_while_it_is_being_saved(firm: Made) -> None:
    site = firm("""
automation: give
object: account
on: [create, update]
phase: before_save
run_as: boss
do:
  - {assign: {by: first, among: [{field: parent.owner}, {field: keeper, when: "region == 'north'"}], field: keeper}}
""")
    lin, sam = site.user("lin"), site.user("sam")
    records = site.records()
    head = records.create("account", {"name": "head", "owner": lin, "region": "north", "keeper": sam})
    assert head["keeper"] == sam
    made = records.create("account", {"name": "a", "parent": head["id"]})
    assert made["keeper"] == lin
    assert records.update("account", made["id"], {"parent": None, "keeper": None})["keeper"] is None


def test_people_are_told_and_mailed(firm: Made) -> None:
    site = firm("""
automation: tell
object: lead
when: "rating == 'hot'"
do:
  - {notify: {to: [owner, {role: seller}], subject: "{name} is hot", body: "Score {score}"}}
  - {mail: {to: owner, address: "x@example.com", subject: "Hot: {name}", body: Look}}
""")
    site.records().update("user", site.user("new"), {"email": "new@example.com"})
    create(site, "ada", rating="hot", score=7)
    note = system_jobs.notification
    with site.tenant.database.read() as connection:
        told = connection.sa.execute(sa.select(note.c.user, note.c["values"], note.c.link)).all()
    assert {str(row[0]) for row in told} == {site.user(name) for name in ("new", "lin", "sam")}
    assert {orjson.loads(row[1])["subject"] for row in told} == {"ada is hot"}
    assert sorted((one["to"], one["subject"]) for one in jobs(site, "mail")) == [
        ("new@example.com", "Hot: ada"), ("x@example.com", "Hot: ada"),
    ]  # fmt: skip


def test_calls_leave_through_the_outbox_with_plain_values(firm: Made) -> None:
    site = firm("""
automation: tell
object: lead
do:
  - webhook: {url: "https://example.com/hook", event: lead.saved, values: {name: "{name}", amount: "=amount", n: 1}}
""")
    create(site, "ada", amount=12.5)
    [sent] = jobs(site, "webhook")
    assert (sent["url"], sent["event"], sent["body"]) == (
        "https://example.com/hook", "lead.saved", {"name": "ada", "amount": 12.5, "n": 1},
    )  # fmt: skip


def test_many_records_are_changed_by_a_filter_that_reads_the_record(firm: Made) -> None:
    site = firm("""
automation: close
object: lead
when: "rating == 'cold'"
becomes: true
do:
  - update:
      object: task
      filter: "lead == record.id and state == 'open'"
      values: {state: done, name: "shut by {name}"}
  - {find: {object: task, filter: "state == 'open'", sort: name}, as: next}
  - {set: {hint: "=next.name"}}
""")
    records = site.records("lin")
    one, two = (records.create("lead", {"name": name})["id"] for name in ("ada", "bob"))
    for lead, name in ((one, "x"), (one, "y"), (two, "z")):
        records.create("task", {"name": name, "lead": lead})
    assert records.update("lead", one, {"rating": "cold"})["hint"] == "z"
    found = records.list(Query("task", ("name", "state"))).records
    assert sorted((task["name"], task["state"]) for task in found) == [
        ("shut by ada", "done"), ("shut by ada", "done"), ("z", "open"),
    ]  # fmt: skip


def test_one_automation_starts_another(firm: Made) -> None:
    site = firm("""
automation: first
object: lead
on: [create]
do: [{start: second}]
---
automation: second
object: lead
button: true
do: [{set: {hint: started}}]
""")
    create(site, "ada")
    site.work()
    assert [one["hint"] for one in site.records().list(Query("lead", ("hint",))).records] == ["started"]


def test_a_record_is_deleted_where_a_formula_leads(firm: Made) -> None:
    site = firm("""
automation: leave
object: task
on: [update]
when: "state == 'done'"
do: [{delete: {object: lead, record: lead}}]
""")
    records = site.records("lin")
    lead = records.create("lead", {"name": "ada"})["id"]
    task = records.create("task", {"name": "x", "lead": lead})["id"]
    records.update("task", task, {"state": "done"})
    assert records.list(Query("lead", ("id",))).records == []
