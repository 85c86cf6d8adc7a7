"""Does a change wait for its approval, unseen by readers, and come then as its author's?"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from engine.audit.search import Wanted, find
from engine.errors import BadInput, Conflict, Forbidden, NotFound
from engine.process import requests
from engine.process.approval import kept, ports
from engine.process.approval.door import Given, act
from engine.process.approvers import Slot
from engine.service_writes import update_many_in
from engine.testing import Running, running
from tests.process.orders import NOW
from tests.records.state import refused

PRICES = """
package: prices
version: 1.0.0
label: Prices
---
object: price
label: Price
fields:
  name: {type: text, label: Name, required: true}
  code: {type: text, label: Code, unique: true}
  amount: {type: integer, label: Amount, min: 0}
  pin: {type: secret, label: Pin}
  steps: {type: table, of: step, by: price, label: Steps}
---
object: step
label: Step
kind: child
title: name
fields:
  name: {type: text, label: Name}
  price: {type: reference, to: price, label: Price, master: true}
---
approval: change
label: Change of a price
object: price
trigger: {update: amount > 100}
storage: before_save
lock: LOCK
flow: [{approve: boss, label: Boss, approvers: [{user: boss}]}]
---
approval: removal
label: Removal of a price
object: price
trigger: delete
storage: before_save
when: name != 'open'
flow: [{approve: boss, label: Boss, approvers: [{user: boss}]}]
---
approval: large_step
label: Large step
object: step
trigger: create
storage: before_save
when: name == 'large'
flow: [{approve: boss, label: Boss, approvers: [{user: boss}]}]
---
approval: last_step
label: Last step
object: step
trigger: delete
storage: before_save
when: price.amount == 77
flow: [{approve: boss, label: Boss, approvers: [{user: boss}]}]
---
role: seller
label: Seller
objects: {price: [create, read, update, delete]}
"""


def opened(database_url: str, monkeypatch: pytest.MonkeyPatch, lock: str = "record") -> Iterator[Running]:
    with running(database_url, [PRICES.replace("LOCK", lock)], now=NOW) as site:
        for user, role in (("boss", "admin"), ("lin", "seller"), ("sam", "seller")):
            site.user(user, role)

        def slots_of(*args: Any, **more: Any) -> Sequence[Slot]:
            return (Slot(site.user("boss")),)

        monkeypatch.setattr(ports, "slots_of", slots_of)
        for name in ("notify", "announce", "run_steps"):
            monkeypatch.setattr(ports, name, lambda *args, **more: {})
        yield site


@pytest.fixture
def site(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    yield from opened(database_url, monkeypatch)


@pytest.fixture
def open_site(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Others may write the record while it is approved."""
    yield from opened(database_url, monkeypatch, lock="none")


def price(site: Running, **values: Any) -> str:
    return str(site.records("lin").create("price", {"name": "P", "amount": 10, **values})["id"])


def asked(site: Running, record: str, values: dict[str, Any]) -> str:
    ctx_records = site.records("lin")
    ctx_records.update("price", record, values)
    [request] = ctx_records.ctx.requests
    return str(request.instance)


def does(site: Running, user: str, instance: str, action: str, **values: Any) -> str:
    with site.tenant.database.write() as connection:
        state = kept.load(connection, instance)
        assert state is not None
        task = next((one.id for one in state.tasks.values() if one.state == "PENDING"), "")
        given = Given(task=task if action in ("approve", "reject") else "", values=values)
        return act(site.context(user), connection, instance, action, given).state


def amount(site: Running, record: str) -> tuple[int, str]:
    found = site.records("sam").get("price", record)
    return found["amount"], found["approval_status"]


def state_of(site: Running, instance: str) -> str:
    with site.tenant.database.read() as connection:
        found = requests.of_instance(site.context(), connection, instance)
    assert found is not None
    return found.state


def test_readers_see_the_record_as_it_was_until_it_is_approved(site: Running) -> None:
    record = price(site)
    instance = asked(site, record, {"amount": 200, "steps": [{"name": "s"}]})
    assert amount(site, record) == (10, "pending")
    assert state_of(site, instance) == "waiting"
    assert does(site, "boss", instance, "approve") == "APPROVED"
    assert amount(site, record) == (200, "approved")
    found = site.records("sam").get("price", record, ("steps", "modified_by"))
    assert ([one["name"] for one in found["steps"]], state_of(site, instance)) == (["s"], "applied")
    [change] = [one for one in site.records("boss").history("price", record) if "amount" in one.changes][:1]
    assert (change.by, change.changes["amount"]) == (site.user("lin"), (10, 200))


def test_what_the_approval_is_not_for_is_saved_at_once(site: Running) -> None:
    record = price(site)
    for values in ({"amount": 50}, {"name": "Q"}):
        records = site.records("lin")
        records.update("price", record, values)
        assert records.ctx.requests == []
    site.records().update("price", record, {"amount": 150})  # the system itself
    assert amount(site, record) == (150, "none")
    records = site.records("lin")
    records.update("price", record, {"amount": 160})  # it held already
    assert (records.ctx.requests, amount(site, record)[0]) == ([], 160)


def test_what_is_wrong_is_told_at_once_and_nothing_waits(site: Running) -> None:
    price(site, code="a")
    record = price(site, code="b")
    for values, kind in (
        ({"amount": "many"}, BadInput),
        ({"amount": 200, "code": "a"}, Conflict),
        ({"amount": 200, "pin": "x"}, BadInput),
    ):  # fmt: skip
        with refused(site, kind):
            site.records("lin").update("price", record, values)


def test_a_second_change_waits_for_the_first(site: Running) -> None:
    record = price(site)
    asked(site, record, {"amount": 200})
    with refused(site, Conflict):
        site.records("sam").update("price", record, {"amount": 300})


def test_a_change_that_is_rejected_or_withdrawn_is_dropped(site: Running) -> None:
    for user, action, status in (("boss", "reject", "rejected"), ("lin", "withdraw", "withdrawn")):
        record = price(site)
        instance = asked(site, record, {"amount": 200})
        does(site, user, instance, action)
        assert (amount(site, record), state_of(site, instance)) == ((10, status), "dropped")


def test_a_record_that_was_changed_meanwhile_returns_it_and_nothing_is_lost(open_site: Running) -> None:
    site = open_site
    record = price(site)
    instance = asked(site, record, {"amount": 200})
    site.records("sam").update("price", record, {"name": "Other"})
    assert does(site, "boss", instance, "approve") == "RETURNED"
    assert (amount(site, record), state_of(site, instance)) == ((10, "returned"), "conflict")
    does(site, "lin", instance, "resubmit")
    assert does(site, "boss", instance, "approve") == "APPROVED"
    assert amount(site, record) == (200, "approved")
    assert site.records("sam").get("price", record)["name"] == "Other"


def test_what_others_may_write_and_its_approvers_do_is_no_change_meanwhile(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = "approvers: [{user: boss}], editable: [code]}]\n---\napproval: removal"
    package = PRICES.replace("approvers: [{user: boss}]}]\n---\napproval: removal", step)
    monkeypatch.setattr(f"{__name__}.PRICES", package)
    for site in opened(sqlite_url, monkeypatch, lock="{exempt: [name]}"):
        record = price(site)
        instance = asked(site, record, {"amount": 200, "steps": [{"name": "s"}]})
        site.records("sam").update("price", record, {"name": "Other"})
        site.records().update("price", record, {"owner": site.user("sam")})
        renamed = package.replace("LOCK", "{exempt: [name]}")
        for old, new in (("steps: {", "stages: {was: steps, "), ("title: name", "title: title"),
                         ("name: {type: text, label: Name}\n", "title: {was: name, type: text, label: Name}\n"),
                         ("when: name ==", "when: title ==")):  # fmt: skip
            renamed = renamed.replace(old, new)
        site.publish(renamed)
        assert does(site, "boss", instance, "approve", code="c") == "APPROVED"
        found = site.records("sam").get("price", record, ("name", "code", "amount", "stages"))
        assert (found["name"], found["code"], found["amount"]) == ("Other", "c", 200)
        assert [one["title"] for one in found["stages"]] == ["s"]
        second = price(site)
        instance = asked(site, second, {"amount": 200, "name": "Mine"})
        site.records("sam").update("price", second, {"name": "Theirs"})
        assert does(site, "boss", instance, "approve") == "RETURNED"


def test_a_deletion_waits_too(site: Running) -> None:
    record = price(site)
    answer = site.client("lin").delete(f"/api/v1/records/price/{record}")
    assert (answer.status_code, answer.json()["approval"]) == (202, "removal")
    assert amount(site, record) == (10, "pending")
    does(site, "boss", answer.json()["instance"], "approve")
    with pytest.raises(NotFound):
        site.records("sam").get("price", record)


def test_the_api_says_that_it_waits(site: Running) -> None:
    record = price(site)
    path = f"/api/v1/records/price/{record}"
    answer = site.client("lin").patch(path, json={"amount": 200})
    body = answer.json()
    assert (answer.status_code, body["approval"], body["record"]["amount"]) == (202, "change", 10)
    other = price(site)
    operations = [{"action": "update", "id": other, "values": {"amount": 300}}]
    [result] = site.client("lin").post("/api/v1/records/price/batch", json={"operations": operations}).json()["results"]
    assert (result["status"], result["waiting"]["approval"]) == (202, "change")


def test_who_has_left_had_the_right_when_it_was_asked(site: Running) -> None:
    record = price(site)
    instance = asked(site, record, {"amount": 200})
    site.records("boss").update("user", site.user("lin"), {"is_active": False})
    site.fixed_now = NOW + timedelta(hours=1)
    does(site, "boss", instance, "approve")
    assert amount(site, record) == (200, "approved")


def test_what_cannot_wait_is_refused_and_what_the_system_writes_is_told(site: Running) -> None:
    record, other = price(site), price(site)
    for one, amount_ in ((record, 10), (other, 150)):
        site.records().update("price", one, {"amount": amount_})
    entries = find(site.context("boss"), Wanted(kind="approval.unasked"))[0]
    assert [(one.record, one.details["approval"]) for one in entries] == [(other, "change")]
    with refused(site, Conflict):  # a line does not wait by itself
        site.records("lin").update("price", record, {"steps": [{"name": "large"}]})
    with refused(site, Conflict):  # the others of a merge are removed, which waits for an approval
        site.records("lin").merge("price", record, [other])
    with site.tenant.database.write() as connection:
        ctx = site.context("lin")
        update_many_in(ctx, connection, "price", {one: {"amount": 500} for one in (record, other)})
    assert [(one.record, one.action) for one in ctx.requests] == [(record, "update")]  # the other's amount was above it
    assert (amount(site, record)[0], amount(site, other)[0]) == (10, 500)
    last, free = (price(site, name="open", amount=one, steps=[{"name": "s"}]) for one in (77, 78))
    with refused(site, Conflict):  # its lines are removed, too
        site.records("lin").delete("price", last)
    site.records("lin").delete("price", free)
    site.records().delete("price", last)
    entries = find(site.context("boss"), Wanted(kind="approval.unasked"))[0]
    assert entries[0].details["approval"] == "last_step"


def test_who_may_not_change_it_asks_for_nothing(site: Running) -> None:
    site.user("ann")
    record = price(site)
    with refused(site, (Forbidden, NotFound)):  # type: ignore[arg-type]
        site.records("ann").update("price", record, {"amount": 200})


TOTAL = "total: {type: rollup, of: steps, operation: sum, field: quantity, returns: integer}"


def started(site: Running, record: str) -> list[str]:
    with site.tenant.database.read() as connection:
        return [one.approval for one in kept.running_on(connection, record)]


def test_lines_that_are_saved_alone_change_what_is_reckoned_of_their_record(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = PRICES
    for old, new in (
        ("  steps: {", f"  {TOTAL}\n  steps: {{"),
        ("  price: {", "  quantity: {type: integer}\n  price: {"),
        ("{update: amount > 100}", "{update: total > 1000}"),
        (
            "---\napproval: removal",
            """---
approval: heavy
label: Heavy
object: price
group: heavy
trigger: {update: total > 100}
lock: none
flow: [{approve: boss, label: Boss, approvers: [{user: boss}]}]
---
approval: removal""",
        ),
    ):
        package = package.replace(old, new)
    monkeypatch.setattr(f"{__name__}.PRICES", package)
    for site in opened(sqlite_url, monkeypatch):
        record, lin = price(site), site.records("lin")

        step = lin.create("step", {"name": "s", "quantity": 90, "price": record})["id"]
        assert started(site, record) == []
        lin.update("step", step, {"quantity": 110})
        assert started(site, record) == ["heavy"]
        with refused(site, Conflict):
            lin.update("step", step, {"quantity": 1100})
        lin.update("price", record, {"steps": [{"id": step, "quantity": 1100}]})
        assert [one.approval for one in lin.ctx.requests] == ["change"]
        other = price(site)
        site.records().create("step", {"name": "s", "quantity": 2000, "price": other})
        entries = find(site.context("boss"), Wanted(kind="approval.unasked"))[0]
        assert [(one.record, one.details["approval"]) for one in entries] == [(other, "change")]
