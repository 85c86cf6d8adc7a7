"""Scenarios: what people did with the sample data is played through the real engine, once."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from engine import sampledata, scenario
from engine.errors import BadInput
from engine.process.approval import kept
from engine.process.approval.state import Event
from engine.service import Query
from engine.store import system_approvals, system_jobs
from engine.testing import Running, running
from metadata import package
from metadata.scenarios import Scenario
from tests.state import state

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)  # a Sunday
SHOP = """
package: shop
version: 1.0.0
label: Shop
demo:
  users:
    - {username: ada, name: Ada, roles: [seller], email: ada@example.com, manager: bo}
    - {username: bo, name: Bo, roles: [boss], email: bo@example.com}
    - {username: cy, name: Cy, roles: [seller]}
---
object: quote
label: Quote
fields:
  name: {type: text, label: Name, required: true}
  discount: {type: integer, label: Discount}
  wanted_on: {type: date, label: Wanted on}
  helper: {type: reference, to: user, label: Helper}
  like: {type: reference, to: quote, label: Like}
  parts: {type: table, of: part, label: Parts}
---
object: part
label: Part
kind: child
fields:
  quote: {type: reference, to: quote, master: true, label: Quote}
  name: {type: text, label: Name}
  taken_from: {type: reference, to: quote, label: Taken from}
---
role: seller
label: Seller
objects: {quote: [create, read, update], user: [read]}
---
role: boss
label: Boss
objects: {quote: [read, approve], user: [read]}
---
calendar: always
label: Always
default: true
hours: {mon: &day "00:00-24:00", tue: *day, wed: *day, thu: *day, fri: *day, sat: *day, sun: *day}
---
approval: discount
label: Discount
object: quote
flow:
  - approve: boss
    label: Boss
    approvers: [{role: boss}]
    editable: [wanted_on]
    timers: [{after: 3 hours, do: remind, repeat: 2}]
---
approval: signing
label: Signing
object: quote
group: signing
trigger: {update: name == 'Signed'}
flow: [{approve: boss, label: Boss, approvers: [{role: boss}]}]
---
automation: thanks
label: Thanks
object: quote
on: [update]
phase: after_commit
when: name == 'Sold'
do: [{mail: {address: buyer@example.com, subject: Thanks, body: Thanks}}]
---
data: quote
records:
  - {_key: first, name: First, discount: 30, owner: ada, _created_at: now-9d}
  - {_key: second, name: Second, discount: 20, owner: ada, _created_at: now-9d}
---
"""
AGREED = """
scenario: agreed
steps:
  - {at: now-10h, as: ada, submit: {record: quote.first, approval: discount, comment: Please.}}
  - {at: now-2h, as: bo, read: {}}
  - {at: now-1h, as: bo, approve: {comment: Fine., values: {wanted_on: today+7}}}
---
scenario: refused
steps:
  - {at: now-30h, as: ada, update: {record: quote.second, values: {helper: bo, discount: 25}}}
  - {at: now-20h, as: ada, submit: {record: quote.second}}
  - {at: now-19h, as: bo, reject: Too much.}
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [SHOP], now=NOW) as site:
        site.user("ada", "seller", name="Ada", email="ada@example.com")
        site.user("bo", "boss", name="Bo", email="bo@example.com")
        site.user("cy", "seller", name="Cy")
        yield site


def written(site: Running, text: str) -> Sequence[Scenario]:
    """Scenarios as the package would say them; its sample data is loaded."""
    plugins = site.tenant.plugins
    loaded = package.load([site.written(SHOP + text)], plugins.kinds(), plugins.functions, plugins.parts())
    assert [problem for problem in loaded.problems if problem.level == "error"] == []
    sampledata.load(site.tenant, loaded.definitions.data, NOW)
    return loaded.definitions.scenarios


def events(site: Running) -> dict[str, list[Event]]:
    """Record -> what happened with its approval."""
    found = {}
    with site.tenant.database.read() as connection:
        table = system_approvals.approval
        for row, record in connection.sa.execute(sa.select(table.c.id, table.c.record)).all():
            title = site.records().get("quote", record)["name"]
            found[title] = kept.events_of(connection, row)
    return found


def test_each_step_is_done_by_that_person_at_that_time(shop: Running) -> None:
    assert scenario.play(shop.site, written(shop, AGREED), NOW) == ("agreed", "refused")
    names = {shop.user("ada"): "ada", shop.user("bo"): "bo"}
    told = [(one.action, names[one.actor], NOW - one.at, one.comment) for one in events(shop)["First"]
            if one.action in ("submit", "read", "approve")]  # fmt: skip
    assert told == [
        ("submit", "ada", timedelta(hours=10), "Please."),
        ("read", "bo", timedelta(hours=2), ""),
        ("approve", "bo", timedelta(hours=1), "Fine."),
    ]
    rows = shop.records().page(Query("quote", ("name", "approval_status", "discount", "helper.name", "wanted_on")))
    found = {row[0]: (row[1], row[2], row[3], str(row[4])) for row in rows.rows}
    assert found == {
        "First": ("approved", 30, None, "2026-11-29"), "Second": ("rejected", 25, "Bo", "None"),
    }  # fmt: skip


def test_timers_that_fell_due_in_between_fire_when_they_were_due(shop: Running) -> None:
    scenario.play(shop.site, written(shop, AGREED), NOW)
    reminded = [(NOW - one.at, one.actor, one.data.get("late")) for one in events(shop)["First"]
                if one.action == "timer_remind"]  # fmt: skip
    assert reminded == [(timedelta(hours=7), "system:timer", None), (timedelta(hours=4), "system:timer", None)]
    assert [one.action for one in events(shop)["Second"] if one.action == "timer_remind"] == []


def test_what_was_played_is_not_played_again(shop: Running) -> None:
    scenarios = written(shop, AGREED)
    scenario.play(shop.site, scenarios, NOW)
    before = state(shop)
    assert scenario.play(shop.site, scenarios, NOW + timedelta(days=1)) == ()
    assert state(shop) == before


def test_a_scenario_that_was_added_is_played_by_itself(shop: Running) -> None:
    scenarios = written(shop, AGREED)
    assert scenario.play(shop.site, scenarios[1:], NOW) == ("refused",)
    assert scenario.play(shop.site, scenarios, NOW) == ("agreed",)


def test_what_the_engine_refuses_is_told_with_its_place_and_nothing_is_played(shop: Running) -> None:
    scenarios = written(shop, AGREED + "  - {at: now-18h, as: bo, approve: {}}\n")
    before = state(shop)
    with pytest.raises(BadInput) as refusal:
        scenario.play(shop.site, scenarios, NOW)
    line = (SHOP + AGREED).rstrip().count("\n") + 2
    assert refusal.value.code == "approval.task_closed"
    assert str(refusal.value).startswith(f"package.yaml:{line}: scenario 'refused': bo could not approve: ")
    assert state(shop) == before


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("{at: now-1h, as: bo, approve: {}}", "scenario.submit"),
        ("{at: now-1h, as: bo, update: {record: quote.first, values: {discount: 1}}}", "record.update.forbidden"),
    ],
)
def test_nobody_may_more_than_at_work(shop: Running, step: str, code: str) -> None:
    scenarios = written(shop, f"scenario: wrong\nsteps: [{step}]\n")
    with pytest.raises(BadInput) as refusal:
        scenario.play(shop.site, scenarios, NOW)
    assert refusal.value.code == code


def test_somebody_who_is_not_asked_decides_nothing(shop: Running) -> None:
    step = "  - {at: now-5h, as: ada, approve: {}}\n"
    scenarios = written(shop, "\n".join(AGREED.splitlines()[:4]) + "\n" + step)
    with pytest.raises(BadInput) as refusal:
        scenario.play(shop.site, scenarios, NOW)
    assert refusal.value.code == "scenario.task"


def test_somebody_decides_for_who_is_away(shop: Running) -> None:
    text = """
scenario: away
steps:
  - {at: now-9h, as: bo, away: {agent: cy, until: now+1d, reason: A fair.}}
  - {at: now-8h, as: ada, submit: {record: quote.first}}
  - {at: now-7h, as: cy, approve: Bo agrees.}
"""
    scenario.play(shop.site, written(shop, text), NOW)
    [approved] = [one for one in events(shop)["First"] if one.action == "approve"]
    assert (approved.actor, approved.on_behalf_of) == (shop.user("cy"), shop.user("bo"))


def test_records_are_made_and_later_steps_know_them_and_no_mail_leaves(shop: Running) -> None:
    text = """
scenario: sold
steps:
  - {at: now-5h, as: ada, create: {object: quote, key: third, values: {name: Third}}}
  - {at: now-4h, as: ada, update: {record: quote.third, values: {name: Sold}}}
"""
    scenario.play(shop.site, written(shop, text), NOW)
    made = shop.records().list(Query("quote", ("name", "created_at", "modified_at"), "name == 'Sold'")).records
    assert [(one["created_at"], one["modified_at"]) for one in made] == [
        ("2026-11-21T21:15:00.000Z", "2026-11-21T22:15:00.000Z")
    ]
    assert jobs(shop) == {("automation.run", "done"), ("mail", "discarded")}


def test_values_lead_to_sample_data_and_a_save_may_begin_what_is_decided_on(shop: Running) -> None:
    text = """
scenario: signed
steps:
  - {at: now-6h, as: ada, submit: {record: quote.first, approval: discount}}
  - at: now-5h
    as: ada
    create: {object: quote, key: third, values: {name: Third, like: second, parts: [{name: Top, taken_from: first}]}}
  - {at: now-4h, as: ada, update: {record: quote.third, values: {name: Signed}}}
  - {at: now-3h, as: bo, approve: Fine.}
"""
    scenario.play(shop.site, written(shop, text), NOW)
    said = {name: [one.action for one in found if one.comment] for name, found in events(shop).items()}
    assert said == {"Signed": ["approve"], "First": []}
    [made] = shop.records().list(Query("quote", ("like.name", "approval_status", "parts"), "name == 'Signed'")).records
    assert (made["like.name"], made["approval_status"]) == ("Second", "approved")
    assert made["parts"][0]["taken_from"] == sampledata.id_of("quote", "first")


def jobs(site: Running) -> set[tuple[Any, ...]]:
    job = system_jobs.job
    with site.tenant.database.read() as connection:
        return {tuple(row) for row in connection.sa.execute(sa.select(job.c.kind, job.c.state))}
