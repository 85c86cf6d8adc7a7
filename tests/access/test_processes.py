"""What automations and approvals tell whom, where they act for somebody who may see more than whoever reads it."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.process.approval.service import Approvals
from engine.process.automation import desk
from engine.service import Records
from engine.testing import Running, running
from tests.access.conftest import NOW

VAULT = """
package: vault
version: 1.0.0
label: Vault
---
object: payroll
label: Payroll
duplicates:
  - {rule: same_name, action: warn, match: {name: exact}}
fields:
  name: {type: text, required: true}
  salary: {type: integer, label: Pay}
validations:
  - {rule: most, error_if: "salary > 900", message: "Pay {salary} is over 900.", field: salary}
  - {rule: much, level: warning, error_if: "salary > 800", message: "Pay {salary} is much.", field: salary}
---
object: claim
label: Claim
fields:
  name: {type: text, required: true}
  amount: {type: integer}
  cost: {type: integer, label: Cost price}
  margin: {type: integer, label: Margin}
validations:
  - {rule: low, error_if: "amount < cost", message: "It costs {cost}.", field: cost}
---
automation: pay
object: claim
phase: after_save
when: "name == 'pay'"
run_as: svc
log: none
do: [{create: {object: payroll, values: {name: "=name", salary: "=cost"}}}]
---
automation: check
object: claim
phase: before_save
when: "name == 'stop'"
run_as: svc
do: [{refuse: {message: "It costs {cost}."}}]
---
automation: margins
object: claim
phase: before_save
when: "name == 'm'"
log: all
do: [{set: {margin: "=cost * 2", amount: "=amount"}}]
---
automation: pay_now
object: claim
button: {label: Pay}
run_as: svc
do: [{set: {margin: "=cost * 3"}}, {create: {object: payroll, values: {name: "=name", salary: "=cost"}}}]
---
automation: call_out
object: claim
on: [update]
when: "name == 'out'"
run_as: svc
do:
  - {webhook: {url: "https://example.com/hook", values: {cost: "=cost"}}}
  - {create: {object: payroll, values: {name: x}}}
  - {set: {margin: "=cost"}}
---
automation: raise
object: payroll
button: {label: Raise}
do: [{set: {name: "x"}}]
---
approval: ok
label: Ok
object: claim
flow:
  - {approve: boss, label: Boss, approvers: [{user: ann}], hidden: [cost, margin], editable: [amount]}
  - {condition: size, branches: [{branch: dear, when: "cost > 5", flow: []}, {branch: rest, else: true, flow: []}]}
on: {approve: [{set: {amount: "=-1"}}], submit: [{webhook: {url: "https://example.com/a", values: {cost: "=cost"}}}]}
---
role: clerk
objects:
  claim: {can: [create, read, update], fields: {cost: hidden, margin: hidden}}
---
role: desk
system: [manage_processes]
objects:
  claim: {can: [read], rows: "name != 'own'", fields: {cost: hidden, margin: hidden}}
---
role: service
objects:
  claim: [create, read, update]
  payroll: [create, read, update]
"""


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("vault")
    with running(f"sqlite:///{folder / 'a.db'}", [VAULT], now=NOW) as site:
        for name, role in (("boss", "admin"), ("gus", "clerk"), ("dan", "desk"), ("svc", "service")):
            site.user(name, role)
        site.user("ann")
        yield site


def claim(site: Running, name: str = "a", cost: int = 950) -> str:
    return str(site.records("boss").create("claim", {"name": name, "amount": 1000, "cost": cost})["id"])


def send(site: Running, user: str, path: str, body: Any = None, method: str = "POST") -> Any:
    answer = site.client(user).request(method, f"/api/v1{path}", json=body or {})
    return answer.json() | {"status": answer.status_code}


UNSEEN = "this record cannot be saved like this: what you may not see does not allow it"


def test_what_a_service_identity_is_refused_tells_nothing_that_the_person_may_not_see(vault: Running) -> None:
    own = claim(vault)
    told = send(vault, "gus", f"/records/claim/{own}", {"name": "pay"}, "PATCH")
    assert (told["status"], told["code"], told["detail"]) == (
        422,
        "automation.step",
        f"'pay' could not create: {UNSEEN}",
    )
    assert [(one["path"], one["message"]) for one in told["problems"]] == [("", f"'pay' could not create: {UNSEEN}")]
    told = send(vault, "gus", f"/records/claim/{own}/run/pay_now")
    assert told["detail"] == f"'pay_now' could not create: {UNSEEN}"
    told = send(vault, "svc", f"/records/claim/{own}", {"name": "pay"}, "PATCH")
    assert told["detail"] == "'pay' could not create: Pay 950 is over 900."


def test_words_of_a_refusal_are_as_who_reads_them_may_see(vault: Running) -> None:
    told = send(vault, "gus", f"/records/claim/{claim(vault)}", {"name": "stop"}, "PATCH")
    assert (told["code"], told["detail"]) == ("automation.refused", "It costs ….")


def test_what_a_service_identity_is_warned_of_is_told_to_who_may_see_it(vault: Running) -> None:
    vault.records("boss").create("payroll", {"name": "pay", "salary": 1})
    for user, codes in (("gus", []), ("svc", ["duplicate.possible", "validation.warning"])):
        ctx = vault.context(user)
        Records(ctx).update("claim", claim(vault, cost=850), {"name": "pay"})
        assert sorted(one.code for one in ctx.warnings) == codes


def test_a_button_of_a_hidden_object_is_as_one_of_no_object(vault: Running) -> None:
    own = claim(vault)
    paths = (f"/records/payroll/{own}/run/raise", f"/records/payroll/{own}/run/none", f"/records/none/{own}/run/raise")
    told = [send(vault, "gus", path) for path in paths]
    assert [(one["status"], one["code"], one["detail"]) for one in told] == [
        (404, "object.unknown", "no object 'payroll'"), (404, "object.unknown", "no object 'payroll'"),
        (404, "object.unknown", "no object 'none'"),
    ]  # fmt: skip


def test_a_button_answers_with_what_its_person_may_see_of_what_it_did(vault: Running) -> None:
    told = send(vault, "gus", f"/records/claim/{claim(vault, cost=7)}/run/pay_now")
    assert (told["state"], told["outputs"]["0"]) == ("done", {"margin": "…"})
    assert desk.get_run(vault.context("boss"), told["id"]).outputs["0"] == {"margin": 21}


def test_rehearsals_and_runs_show_what_who_looks_after_processes_sees_anyway(vault: Running) -> None:
    own = claim(vault)
    told = send(vault, "dan", "/automations/margins/rehearse", {"record": own})
    assert [one["fields"] for one in told["changes"]] == []
    told = send(vault, "boss", "/automations/margins/rehearse", {"record": own})
    assert [one["fields"] for one in told["changes"]] == [{"margin": [None, 1900]}]
    told = send(vault, "dan", "/automations/pay/rehearse", {"record": own})
    assert told["refused"]["message"] == f"'pay' could not create: {UNSEEN}"
    told = send(vault, "dan", "/automations/call_out/rehearse", {"record": own})
    assert [(one["object"], "margin" in one["fields"]) for one in told["changes"]] == [("claim", False)]
    assert [(one["url"], one["body"]) for one in told["calls"]] == [("https://example.com/hook", {"cost": "…"})]
    told = send(vault, "boss", "/automations/call_out/rehearse", {"record": own})
    assert {one["object"] for one in told["changes"]} == {"claim", "payroll"}
    assert [one["body"] for one in told["calls"]] == [{"cost": 950}]
    vault.records("boss").update("claim", own, {"name": "m"})
    for user, shown in (("dan", {"margin": "…", "amount": 1000}), ("boss", {"margin": 1900, "amount": 1000})):
        found = send(vault, user, f"/automations/runs?automation=margins&record={own}", method="GET")
        assert [one["outputs"]["0"] for one in found["runs"]] == [shown]


def test_an_approval_is_rehearsed_on_what_one_reads_and_shows_no_more(vault: Running) -> None:
    for name, status in (("own", 404), ("a", 200)):
        body = {"object": "claim", "id": claim(vault, name), "as": vault.user("gus")}
        told = send(vault, "dan", "/approvals/rehearse", body)
        assert told["status"] == status
    assert [one["read"] for one in told["steps"] if one["node"] == "size"] == [{"cost": "…"}]
    assert [(one["kind"], one["payload"].get("body")) for one in told["sent"]] == [("webhook", {"cost": "…"})]
    told = send(vault, "boss", "/approvals/rehearse", body)
    assert [one["read"] for one in told["steps"] if one["node"] == "size"] == [{"cost": 950}]


def test_what_a_step_hides_is_not_told_by_what_it_refuses(vault: Running) -> None:
    own = claim(vault)
    instance = Approvals(vault.context("gus")).submit("claim", own).instance
    (task,) = (one.task for one in Approvals(vault.context("ann")).inbox().rows if one.instance == instance)
    told = send(vault, "ann", f"/approvals/tasks/{task}/approve", {"values": {"amount": 3}})
    assert (told["status"], [(one["path"], one["code"]) for one in told["problems"]]) == (422, [("", "record.refused")])
    assert "950" not in str(told)
    assert "Cost price" not in str(told)
    # What comes after it is refused as well: that suspends the approval, and all who see it read why.
    send(vault, "ann", f"/approvals/tasks/{task}/approve")
    found = Approvals(vault.context("ann")).instance(instance)
    assert (found.state, found.reason) == ("SUSPENDED", "'approval ok: approve' could not set: It costs ….")


def test_the_title_as_submitted_is_for_those_who_take_part(vault: Running) -> None:
    own = claim(vault, "own")
    instance = Approvals(vault.context("boss")).submit("claim", own).instance
    titles = [Approvals(vault.context(user)).instance(instance).title for user in ("dan", "ann", "boss")]
    assert titles == ["", "own", "own"]
