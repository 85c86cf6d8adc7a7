"""Does a new record wait for its approval, unseen by everybody else, and come then through the whole of the door?"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import BadInput, Conflict, NotFound
from engine.process.approval import kept, ports
from engine.process.approval.door import Given, act
from engine.process.approval.service import Approvals
from engine.process.approvers import Slot
from engine.process.snapshots import forget
from engine.store.system_locks import change_request
from engine.testing import Running, running
from tests.process.orders import NOW
from tests.records.state import refused

FIRMS = """
package: firms
version: 1.0.0
label: Firms
---
object: firm
label: Firm
fields:
  name: {type: text, label: Name, required: true}
  code: {type: text, label: Code, unique: true}
  number: {type: autonumber, label: Number, format: "F-{0000}"}
  credit: {type: integer, label: Credit, min: 0}
  risk: {type: text, label: Risk}
  weighted: {type: formula, label: Weighted, formula: credit * 2, returns: decimal}
  sites: {type: table, of: site, by: firm, label: Sites}
---
object: site
label: Site
kind: child
title: name
fields:
  name: {type: text, label: Name}
  firm: {type: reference, to: firm, label: Firm, master: true}
---
approval: entry
label: New firm
object: firm
trigger: create
storage: before_save
when: credit > 100
summary: [credit]
flow:
  - condition: size
    branches:
      - branch: large
        when: weighted > 1000
        flow: [{approve: chief, label: Chief, approvers: [{user: boss}], hidden: [risk]}]
      - {branch: small, else: true, flow: [{approve: clerk, label: Clerk, approvers: [{user: boss}], editable: [risk]}]}
---
role: seller
label: Seller
objects: {firm: [create, read, update, delete], site: [create, read, update, delete]}
"""


@pytest.fixture
def site(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(database_url, [FIRMS], now=NOW) as site:
        for user, role in (("boss", "admin"), ("lin", "seller"), ("sam", "seller")):
            site.user(user, role)

        def slots_of(*args: Any, **more: Any) -> Sequence[Slot]:
            return (Slot(site.user("boss")),)

        monkeypatch.setattr(ports, "slots_of", slots_of)
        yield site


def entered(site: Running, **values: Any) -> str:
    """The instance of a new record that waits."""
    records = site.records("lin")
    answer = records.create("firm", {"name": "Acme", "credit": 200, **values})
    [request] = records.ctx.requests
    assert answer == {"id": request.record, "version": 0}
    return str(request.instance)


def does(site: Running, user: str, instance: str, action: str, **given: Any) -> str:
    with site.tenant.database.write() as connection:
        state = kept.load(connection, instance)
        assert state is not None
        task = next((one.id for one in state.tasks.values() if one.state == "PENDING"), "")
        of_task = action in ("approve", "reject", "return", "transfer")
        return act(site.context(user), connection, instance, action, Given(task=task if of_task else "", **given)).state


def names(site: Running) -> list[str]:
    return [one["name"] for one in site.client("sam").get("/api/v1/records/firm").json()["records"]]


def test_nothing_of_it_is_there_until_it_is_approved_and_then_all_of_it(site: Running) -> None:
    instance = entered(site, code="a", sites=[{"name": "North"}])
    assert names(site) == []
    assert "Acme" not in site.client("sam").get("/api/v1/records/firm", params={"search": "Acme"}).text
    assert site.records("sam").create("firm", {"name": "Other", "code": "b", "credit": 1})["number"] == "F-0001"
    assert [one.title for one in Approvals(site.context("boss")).inbox(text="acm").rows] == ["Acme"]
    assert "Please decide: Acme" in site.client("boss").get("/api/v1/notifications").text
    task = Approvals(site.context("boss")).inbox().rows[0]
    assert (task.title, [(one.name, one.value) for one in task.summary], task.node) == (
        "Acme", [("credit", 200)], "clerk",
    )  # fmt: skip
    seen = Approvals(site.context("boss")).task(task.task).record
    assert (seen["name"], seen["weighted"], seen.get("number"), seen["sites"][0]["name"]) == (
        "Acme",
        400,
        None,
        "North",
    )
    assert does(site, "boss", instance, "approve", values={"risk": "low"}) == "APPROVED"
    found = site.client("sam").get("/api/v1/records/firm", params={"filter": "name == 'Acme'"}).json()["records"]
    [record] = [one | {"sites": site.records("sam").get("firm", one["id"], ("sites",))["sites"]} for one in found]
    assert (record["number"], record["risk"], record["approval_status"], record["created_by"]) == (
        "F-0002", "low", "approved", site.user("lin"),
    )  # fmt: skip
    assert [one["name"] for one in record["sites"]] == ["North"]
    by = [(one.by, sorted(one.changes)) for one in site.records("boss").history("firm", record["id"])]
    assert (site.user("boss"), ["risk"]) in by


def test_the_api_says_that_it_waits_and_what_asks_for_nothing_is_made(site: Running) -> None:
    client, path = site.client("lin"), "/api/v1/records/firm"
    answer = client.post(path, json={"name": "Acme", "credit": 200})
    assert (answer.status_code, sorted(answer.json()), answer.json()["approval"]) == (
        202, ["approval", "instance", "request"], "entry",
    )  # fmt: skip
    assert client.post(path, json={"name": "Small", "credit": 5}).status_code == 201
    operations = [{"action": "create", "values": {"name": f"N{n}", "credit": n}} for n in (5, 500)]
    results = client.post(f"{path}/batch", json={"operations": operations}).json()["results"]
    assert [(one["status"], one.get("waiting", {}).get("approval")) for one in results] == [(201, None), (202, "entry")]
    assert client.put(f"{path}/by/code/x", json={"name": "U", "credit": 900}).status_code == 202
    site.records().create("firm", {"name": "System", "credit": 900})  # the system itself
    assert sorted(names(site)) == ["N5", "Small", "System"]
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    created = paths["/records/firm"]["post"]
    names_of = [one["$ref"].rpartition("/")[2] for one in created["parameters"]]
    assert ("202" in created["responses"], "423" in created["responses"], names_of) == (True, True, ["key"])
    own = site.client("boss").get("/api/v1/openapi.json").json()["paths"]["/records/firm/{id}"]["patch"]
    assert [one["$ref"].rpartition("/")[2] for one in own["parameters"]] == ["if_match", "override"]
    for values in ({"name": "", "credit": 200}, {"name": "A", "credit": 200, "code": 7}):
        with refused(site, BadInput):
            site.records("lin").create("firm", values)


def test_what_is_rejected_or_withdrawn_is_never_made(site: Running) -> None:
    for user, action, state in (("boss", "reject", "REJECTED"), ("lin", "withdraw", "WITHDRAWN")):
        instance = entered(site)
        assert does(site, user, instance, action) == state
    assert names(site) == []
    with site.tenant.database.write() as connection:
        forget(connection, site.tenant.snapshot(), "firm", [record_of(site, instance)], ["name"])
        [kept_] = [one for one in connection.sa.execute(sa.select(change_request)) if one.instance == instance]
        assert "Acme" not in kept_._mapping["values"] + kept_.draft
    with pytest.raises(NotFound):
        site.records("sam").get("firm", record_of(site, instance))


def record_of(site: Running, instance: str) -> str:
    with site.tenant.database.read() as connection:
        found = kept.instance_of(connection, instance)
    assert found is not None
    return found.record


def test_what_cannot_be_made_by_then_is_suspended_and_mended_by_who_entered_it(site: Running) -> None:
    instance = entered(site, code="a")
    taken = site.records("sam").create("firm", {"name": "First", "code": "a", "credit": 1})["id"]
    assert does(site, "boss", instance, "approve") == "SUSPENDED"
    assert names(site) == ["First"]
    assert does(site, "boss", instance, "resume", comment="once more") == "SUSPENDED"
    assert "'code'" in Approvals(site.context("lin")).instance(instance).reason
    with refused(site, Conflict):
        does(site, "lin", instance, "resubmit", values={"name": "Acme 2"})
    assert does(site, "lin", instance, "resubmit", values={"code": "c"}) == "RUNNING"
    assert does(site, "boss", instance, "approve") == "APPROVED"
    assert site.records("sam").get("firm", record_of(site, instance))["code"] == "c"
    second = entered(site, code="d")
    blocking = site.records("sam").create("firm", {"name": "Second", "code": "d", "credit": 1})["id"]
    assert does(site, "boss", second, "approve") == "SUSPENDED"
    site.records("sam").update("firm", blocking, {"code": "e"})
    assert does(site, "boss", second, "resume", comment="free now") == "APPROVED"
    assert sorted(names(site)) == ["Acme", "Acme", "First", "Second"]
    assert taken != blocking


def test_it_is_returned_and_changed_and_goes_another_way(site: Running) -> None:
    instance = entered(site, risk="secret")
    assert does(site, "boss", instance, "return") == "RETURNED"
    assert does(site, "lin", instance, "resubmit", values={"credit": 800}) == "RUNNING"
    task = Approvals(site.context("boss")).inbox().rows[0]
    seen = Approvals(site.context("boss")).task(task.task).record
    assert (task.node, seen["credit"], seen["weighted"], "risk" in seen) == ("chief", 800, 1600, False)
    with pytest.raises(NotFound):
        Approvals(site.context("sam")).instance(instance)
    assert does(site, "boss", instance, "approve") == "APPROVED"
    assert site.records("sam").get("firm", record_of(site, instance))["risk"] == "secret"
