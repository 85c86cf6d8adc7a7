"""An approval tried on a real record: what would happen, and that nothing has."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.cli import main
from engine.errors import BadInput, Conflict, Forbidden
from engine.process.approval.captured import Change
from engine.process.approval.rehearsal import Rehearsal, rehearse
from engine.testing import Running, running
from tests.state import refused, state

NOW = datetime(2026, 11, 27, 2, 15, tzinfo=UTC)  # a Friday
PACKAGE = """
package: shop
version: 1.0.0
languages: [en]
---
object: quote
fields:
  name: {type: text}
  amount: {type: integer}
  discount: {type: integer}
  reason: {type: text}
  stage: {type: choice, choices: {draft: Draft, sent: Sent, lost: Lost}, default: draft}
---
object: task
fields:
  name: {type: text}
---
role: seller
objects: {quote: [create, read, update], task: [read]}
---
role: finance
objects: {quote: [read, approve]}
---
approval: quote_discount
object: quote
when: discount > 10
submit_by: seller
on:
  approve:
    - set: {stage: sent}
    - create: {object: task, values: {name: "Send {name}"}}
    - mail: {address: ops@example.com, subject: "Sold {name}"}
    - webhook: https://example.com/hook
  reject: [{set: {stage: lost}}]
flow:
  - approve: manager
    approvers: [submitter_manager, {user: old}]
    mode: all
    required: [reason]
    due: 2 workdays
    empty: admin
  - condition: size
    branches:
      - branch: large
        when: amount > 1000
        flow:
          - parallel: sign_off
            branches:
              - {branch: finance, flow: [{approve: finance, approvers: {role: finance}, duplicate: skip_if_approved}]}
              - {branch: chief, flow: [{delay: cool_off, for: 1 day}, {approve: chief, approvers: {user: boss}}]}
      - {branch: small, else: true, flow: []}
  - {cc: told, to: {role: finance}}
  - {handle: file_it, approvers: submitter}
---
approval: check
object: quote
group: check
priority: 200
lock: none
flow:
  - {subprocess: discount, process: quote_discount}
  - {end: approved}
"""


@pytest.fixture
def shop(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator["Shop"]:
    with running(database_url, [PACKAGE], now=NOW, fill=Filled) as site:
        yield Shop(site)


class Filled:
    def __init__(self, site: Running) -> None:
        people = {"boss": ["admin"], "pia": ["finance"], "lin": ["seller"], "old": ["seller"], "zoe": ["finance"]}
        self.ids = {name: site.user(name, *roles, name=name.title()) for name, roles in people.items()}
        records = site.records()
        for below, above in (("lin", "pia"), ("old", "boss")):
            records.update("user", self.ids[below], {"manager": self.ids[above]})
        records.update("user", self.ids["old"], {"is_active": False})
        values = {"name": "Q1", "amount": 5000, "discount": 20, "reason": "volume", "owner": self.ids["lin"]}
        self.quote = records.create("quote", values)["id"]


class Shop:
    def __init__(self, site: Running) -> None:
        self.site, self.ids, self.quote = site, site.filled.ids, site.filled.quote

    def rehearse(self, user: str = "lin", approval: str = "quote_discount", **more: Any) -> Rehearsal:
        return rehearse(self.site.context(user), "quote", self.quote, approval, **more)


def asked(found: Rehearsal) -> dict[str, list[tuple[str, str, str, str]]]:
    return {
        visit.node: [(one.name, one.source, one.instead_of, one.skipped) for one in visit.asked]
        for visit in found.visits if visit.asked
    }  # fmt: skip


def test_all_that_would_happen_is_told_and_nothing_has(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(shop.site)
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("a call was made"))
    if shop.site.tenant.database.dialect == "postgresql":
        monkeypatch.undo()  # that is how its database is reached
    found = shop.rehearse()
    monkeypatch.undo()
    assert (found.approval, found.outcome, found.reason) == ("quote_discount", "approved", "")
    assert [(visit.type, visit.node, visit.state) for visit in found.visits] == [
        ("approve", "manager", "APPROVED"), ("condition", "size", "APPROVED"), ("parallel", "sign_off", "APPROVED"),
        ("approve", "finance", "APPROVED"), ("delay", "cool_off", "APPROVED"), ("approve", "chief", "APPROVED"),
        ("cc", "told", "APPROVED"), ("handle", "file_it", "APPROVED"),
    ]  # fmt: skip
    assert asked(found) == {
        "manager": [("Pia", "submitter_manager", "", ""), ("Boss", "user", "Old", "")],
        "finance": [("Pia", "role", "", "duplicate"), ("Zoe", "role", "", "")],
        "chief": [("Boss", "user", "", "")],
        "told": [("Pia", "", "", ""), ("Zoe", "", "", "")],
        "file_it": [("Lin", "submitter", "", "")],
    }
    visits = {visit.node: visit for visit in found.visits}
    assert (visits["size"].branches, visits["size"].read) == (["large"], {"amount": 5000})
    assert visits["manager"].decided_by == ["Pia", "Boss"]
    assert visits["manager"].due == datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    assert (visits["file_it"].decision, visits["file_it"].decided_by) == ("complete", ["Lin"])
    changed = {change.object: change for change in found.changes}
    fields = {"approval_status": ("none", "approved"), "stage": ("draft", "sent")}
    assert changed["quote"] == Change("quote", shop.quote, "update", fields)
    assert changed["task"].fields["name"] == (None, "Send Q1")
    assert [(notice.name, notice.kind) for notice in found.notices] == [
        ("Pia", "approval.asked"), ("Boss", "approval.asked"), ("Zoe", "approval.asked"), ("Boss", "approval.asked"),
        ("Pia", "approval.cc"), ("Zoe", "approval.cc"), ("Lin", "approval.asked"), ("Lin", "approval.decided"),
    ]  # fmt: skip
    assert [(sent.kind, sent.payload.get("to"), sent.payload.get("url")) for sent in found.sent] == [
        ("mail", "ops@example.com", None), ("webhook", None, "https://example.com/hook"),
    ]  # fmt: skip
    assert state(shop.site) == before
    assert shop.rehearse().outcome == "approved"  # and again


def test_decisions_are_those_that_are_asked_for(shop: Shop) -> None:
    before = state(shop.site)
    rejected = shop.rehearse(decide={"finance": "reject"})
    assert rejected.outcome == "rejected"
    assert [(visit.node, visit.state) for visit in rejected.visits][2:] == [
        ("sign_off", "REJECTED"), ("finance", "REJECTED"), ("cool_off", "CANCELLED"),
    ]  # fmt: skip
    assert rejected.changes[0].fields == {"approval_status": ("none", "rejected"), "stage": ("draft", "lost")}
    returned = shop.rehearse(decide={"manager": "return"})
    assert (returned.outcome, [visit.node for visit in returned.visits]) == ("returned", ["manager"])
    assert state(shop.site) == before


def test_what_would_be_refused_is_told_and_forced(shop: Shop) -> None:
    shop.site.records().update("quote", shop.quote, {"reason": None, "amount": 10})
    found = shop.rehearse()
    manager = found.visits[0]
    assert found.outcome == "approved"
    assert "reason" in manager.problem.lower()
    assert (manager.decided_by, manager.state) == ([], "APPROVED")
    assert [visit.branches for visit in found.visits if visit.type == "condition"] == [["small"]]


def test_system_submits_for_the_owner(shop: Shop) -> None:
    found = rehearse(shop.site.context(), "quote", shop.quote, "quote_discount")
    assert asked(found)["file_it"] == [("Lin", "submitter", "", "")]
    other = rehearse(shop.site.context(), "quote", shop.quote, "quote_discount", submitter=shop.ids["lin"])
    assert other.outcome == "approved"


def test_approvals_that_are_called_are_played_too(shop: Shop) -> None:
    found = shop.rehearse(approval="check")
    assert found.outcome == "approved"
    assert [(visit.approval, visit.node) for visit in found.visits][:2] == [
        ("check", "discount"), ("quote_discount", "manager"),
    ]  # fmt: skip


def test_what_cannot_be_submitted_is_refused_as_it_would_be(shop: Shop) -> None:
    with refused(shop.site, BadInput):
        shop.rehearse(decide={"manager": "shrug"})
    with refused(shop.site, Forbidden):
        shop.rehearse("zoe")
    shop.site.records().update("quote", shop.quote, {"discount": 5})
    with refused(shop.site, Conflict) as refusal:
        shop.rehearse()
    assert refusal.value.code == "approval.none"


def test_api_tells_those_who_look_after_processes(shop: Shop) -> None:
    path, lin, boss = "/api/v1/approvals/rehearse", shop.site.client("lin"), shop.site.client("boss")
    before = state(shop.site)
    body = {"object": "quote", "id": shop.quote, "as": shop.ids["lin"], "decide": {"finance": "reject"}}
    assert lin.post(path, json=body).status_code == 403
    answer = boss.post(path, json=body)
    told = answer.json()
    assert (answer.status_code, told["approval"], told["outcome"]) == (200, "quote_discount", "rejected")
    assert told["steps"][0]["asked"][1] == {
        "user": shop.ids["boss"], "name": "Boss", "queue": [], "source": "user", "instead_of": "Old", "skipped": None,
    }  # fmt: skip
    assert told["steps"][0]["due"] == "2026-12-01T09:00:00Z"
    assert told["steps"][1]["read"] == {"amount": 5000}
    assert told["changes"][0]["fields"]["stage"] == {"before": "draft", "after": "lost"}
    assert {"user": shop.ids["lin"], "name": "Lin", "kind": "approval.decided", "template": None} in (
        told["notifications"]
    )
    for wrong in ({"object": "quote"}, {**body, "decide": "reject"}, {**body, "extra": 1}, {**body, "chosen": [1]}):
        assert boss.post(path, json=wrong).status_code == 422
    assert boss.post(path, json={**body, "id": "x"}).status_code == 404
    assert state(shop.site) == before


def test_command_prints_what_would_happen(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(shop.site)
    url = shop.site.config.database_url
    common = ["--database", url, "--data", str(shop.site.folder)]
    code = main(["approval", "rehearse", "quote_discount", "quote", shop.quote, "--decide", "chief=reject", *common])
    assert code == 0
    said = capsys.readouterr().out
    assert said.startswith("quote_discount: rejected\n  approve manager: approved\n    Pia (submitter_manager)\n")
    assert "    Boss, in the place of Old (user)\n" in said
    assert "    amount is 5000\n    takes large\n" in said
    assert "    stage: draft -> lost\n" in said
    assert main(["approval", "rehearse", "-", "quote", shop.quote, "--as", "zoe", *common]) == 1
    assert "may not submit" in capsys.readouterr().err
    assert main(["approval", "rehearse", "-", "quote", shop.quote, "--decide", "chief", *common]) == 1
    assert state(shop.site) == before
