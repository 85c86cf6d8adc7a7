"""Do the rules of an object hold on every way in, and with the same answers?"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import BadInput, EngineError, NeedsConfirmation
from engine.sampledata import load
from engine.service import Query, Records
from engine.testing import Running, running
from metadata.model import Data, Place, Record
from tests.records.state import refused

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
FIRM = """
package: firm
version: 1.0.0
languages: [en, zh-CN]
label: Firm
---
object: settings
label: Settings
kind: single
fields:
  limit: {type: currency}
---
object: account
label: Account
fields:
  name: {type: text, required: true}
  code: {type: text}
  region: {type: choice, choices: {east: East, west: West}}
  rating: {type: integer}
  discount: {type: decimal, scale: 3}
  is_blocked: {type: boolean}
  level: {type: formula, formula: rating * 10, returns: integer}
---
object: contact
label: Contact
fields:
  name: {type: text, required: true}
  account: {type: reference, to: account}
  is_active: {type: boolean, default: true}
---
object: deal
label: Deal
record_types:
  sale: {label: Sale, default: true, choices: {stage: [new, won, lost]}}
  service: {label: Service, choices: {stage: [new, done], city: [bonn, tianjin, anywhere]}}
fields:
  name: {type: text, required: true}
  key: {type: text, unique: true}
  account: {type: reference, to: account}
  contact: {type: reference, to: contact, filter: "account == record.account and is_active"}
  region: {type: choice, choices: {east: East, west: West}, fetch: account.region, read_only: true}
  discount: {type: percent, scale: 1, fetch: account.discount, fetch_when: blank}
  account_name: {type: text, fetch: account.name}
  stage: {type: choice, required: true, default: lost, choices: {new: New, won: Won, lost: Lost, done: Done}}
  reason: {type: text, show_if: "stage == 'lost'", require_if: "stage == 'lost' and CHANGED(stage) and not IS_NEW()"}
  hint: {type: text, required: true, show_if: "amount > 1000", default: {formula: "name + '?'"}}
  amount: {type: currency, lock_if: "stage == 'won'"}
  share: {type: currency, default: {formula: "amount / 3"}}
  half: {type: currency, default: {formula: "share / 2"}}
  contract: {type: text, set_once: true}
  country: {type: choice, choices: {de: Germany, cn: China}}
  state: {type: choice, depends_on: country, choices: {nrw: {label: NRW, for: de}, hebei: {label: Hebei, for: [cn]}}}
  city:
    type: choice
    depends_on: state
    choices: {bonn: {label: Bonn, for: nrw}, tianjin: {label: Tianjin, for: hebei}, anywhere: Anywhere}
  total: {type: formula, formula: "amount * (100 - discount) / 100", returns: currency}
  note: {type: text, history: false}
validations:
  - {rule: positive, error_if: amount < 0, message: {en: Not below zero, zh-CN: 不能为负}, field: amount}
  - {rule: blocked, error_if: account.is_blocked and CHANGED(account), message: The account is blocked}
  - rule: level
    error_if: account.level > 50 and total > config.settings.limit
    unless: HAS_ROLE('boss')
    message: Too much
  - {rule: large, error_if: amount > 100000, message: Is it that much?, field: amount, level: warning}
  - {rule: shrink, error_if: not IS_NEW() and amount < PRIOR(amount) / 2, message: Less than half}
---
role: clerk
label: Clerk
objects:
  "*": [create, read, update, delete]
---
role: boss
label: Boss
objects:
  "*": [create, read, update, delete]
"""


@pytest.fixture
def firm(database_url: str) -> Iterator[Running]:
    with running(database_url, [FIRM], now=NOW) as site:
        site.user("ann", "clerk")
        site.user("bob", "boss")
        set_limit(site, 1000)
        yield site


def set_limit(site: Running, limit: int) -> None:
    records = site.records()
    (known,) = records.list(Query("settings")).records
    records.update("settings", known["id"], {"limit": limit})


def problems_of(error: EngineError) -> list[tuple[str, str]]:
    return sorted((problem.path, problem.code) for problem in error.problems)


def account(firm: Running, **values: Any) -> str:
    made: str = firm.records().create("account", {"name": "Acme", **values})["id"]
    return made


def create(firm: Running, who: str = "ann", **values: Any) -> dict[str, Any]:
    return firm.records(who).create("deal", {"name": "a", "stage": "new", **values})


def codes(firm: Running, values: Mapping[str, Any], record: str = "") -> list[tuple[str, str]]:
    """What a write of these values is refused with."""
    with refused(firm, BadInput) as refusal:
        if record:
            firm.records("ann").update("deal", record, values)
        else:
            firm.records("ann").create("deal", {"name": "a", "stage": "new", **values})
    return problems_of(refusal.value)


def test_default_formulas_follow_each_other(firm: Running) -> None:
    made = create(firm, amount=100)
    assert (made["share"], made["half"], made["hint"], made["total"]) == (33.33, 16.67, "a?", 100.0)
    assert create(firm, amount=100, share=8)["half"] == 4.0
    assert create(firm, amount=100, share=None)["half"] == 0.0


def test_values_are_fetched_when_their_reference_changes(firm: Running) -> None:
    acme = account(firm, region="east", discount="12.345")
    other = account(firm, name="Other", region="west", discount="7.25")
    made = create(firm, account=acme)
    assert (made["region"], made["discount"], made["account_name"]) == ("east", 12.3, "Acme")
    moved = firm.records("ann").update("deal", made["id"], {"account": other})
    assert (moved["region"], moved["discount"], moved["account_name"]) == ("west", 12.3, "Other")
    firm.records().update("account", other, {"name": "Renamed"})
    assert firm.records("ann").update("deal", made["id"], {"name": "b"})["account_name"] == "Other"
    cleared = firm.records("ann").update("deal", made["id"], {"account": None})
    assert (cleared["region"], cleared["discount"], cleared["account_name"]) == (None, 12.3, None)


def test_a_value_that_is_sent_wins_over_one_that_is_fetched(firm: Running) -> None:
    acme = account(firm, region="east", discount=5)
    made = create(firm, account=acme, discount=1, account_name="Mine")
    assert (made["discount"], made["account_name"]) == (1.0, "Mine")
    assert create(firm, account=acme, discount=None)["discount"] == 5.0
    assert create(firm, account=acme, account_name=None)["account_name"] is None
    assert codes(firm, {"account": acme, "region": "west"}) == [("region", "value.read_only")]


def test_a_field_that_is_set_once_stays(firm: Running) -> None:
    made = create(firm)
    assert firm.records("ann").update("deal", made["id"], {"contract": "C-1"})["contract"] == "C-1"
    assert firm.records("ann").update("deal", made["id"], {"contract": "C-1", "name": "b"})["name"] == "b"
    assert codes(firm, {"contract": "C-2"}, made["id"]) == [("contract", "value.set_once")]
    assert codes(firm, {"contract": None}, made["id"]) == [("contract", "value.set_once")]


def test_a_lock_asks_the_record_as_it_was(firm: Running) -> None:
    made = create(firm, amount=10)
    assert firm.records("ann").update("deal", made["id"], {"stage": "won", "amount": 20})["amount"] == 20.0
    assert firm.records("ann").update("deal", made["id"], {"amount": 20, "name": "b"})["name"] == "b"
    assert codes(firm, {"amount": 21, "stage": "new"}, made["id"]) == [("amount", "value.locked")]
    assert firm.records().update("deal", made["id"], {"amount": 30})["amount"] == 30.0
    assert create(firm, stage="won", amount=5)["amount"] == 5.0  # its default stage is another


def test_a_condition_demands_a_value(firm: Running) -> None:
    assert create(firm, stage="lost")["reason"] is None
    made = create(firm)
    assert codes(firm, {"stage": "lost"}, made["id"]) == [("reason", "value.required")]
    lost = firm.records("ann").update("deal", made["id"], {"stage": "lost", "reason": "price"})
    kept = firm.records("ann").update("deal", made["id"], {"stage": "new"})
    assert (lost["reason"], kept["reason"]) == ("price", "price")  # hiding is no deletion


def test_a_hidden_field_is_not_required(firm: Running) -> None:
    assert create(firm, amount=5, hint=None)["hint"] is None
    assert codes(firm, {"amount": 5000, "hint": None}) == [("hint", "value.required")]
    made = create(firm, amount=5, hint=None)
    assert codes(firm, {"amount": 5000}, made["id"]) == [("hint", "value.required")]


def test_a_record_type_has_its_own_choices(firm: Running) -> None:
    assert firm.records("ann").create("deal", {"name": "a"})["stage"] == "lost"
    assert firm.records("ann").create("deal", {"name": "a", "record_type": "service"})["stage"] == "new"
    assert codes(firm, {"record_type": "service", "stage": "won"}) == [("stage", "value.choice.record_type")]
    made = create(firm, stage="won")
    assert codes(firm, {"record_type": "service"}, made["id"]) == [("stage", "value.choice.record_type")]
    assert codes(firm, {"record_type": "nothing"}) == [("record_type", "value.choice.unknown")]
    with pytest.raises(BadInput) as refusal:
        create(firm, record_type="service", stage="won")
    assert [(p.message, p.fix) for p in refusal.value.problems] == [
        ("'stage': 'won' is no choice of records of the type 'service'", "write one of new, done")
    ]


def test_choices_depend_on_choices_in_a_chain(firm: Running) -> None:
    made = create(firm, country="de", state="nrw", city="bonn")
    assert (made["state"], made["city"]) == ("nrw", "bonn")
    assert create(firm, city="anywhere")["city"] == "anywhere"
    assert codes(firm, {"country": "cn", "state": "nrw", "city": "bonn"}) == [("state", "value.choice.dependent")]
    assert codes(firm, {"city": "bonn"}) == [("city", "value.choice.dependent")]
    assert codes(firm, {"country": "cn"}, made["id"]) == [("state", "value.choice.dependent")]
    with pytest.raises(BadInput) as refusal:
        firm.records("ann").update("deal", made["id"], {"state": None})
    assert [(p.path, p.message, p.fix) for p in refusal.value.problems] == [
        ("city", "'city': 'bonn' is no choice with 'state' being blank", "write one of anywhere")
    ]


def test_a_reference_leads_only_where_its_filter_lets_it(firm: Running) -> None:
    acme, other = account(firm), account(firm, name="Other")
    records = firm.records()
    eve = records.create("contact", {"name": "Eve", "account": acme})["id"]
    gone = records.create("contact", {"name": "Gone", "account": acme, "is_active": False})["id"]
    made = create(firm, account=acme, contact=eve)
    assert codes(firm, {"account": acme, "contact": gone}) == [("contact", "reference.filter")]
    assert codes(firm, {"contact": eve}) == [("contact", "reference.filter")]
    assert codes(firm, {"account": other}, made["id"]) == [("contact", "reference.filter")]
    records.update("contact", eve, {"is_active": False})
    assert firm.records("ann").update("deal", made["id"], {"name": "b"})["contact"] == eve  # an old one may stay


def test_validations_stand_at_their_field_or_at_the_record(firm: Running) -> None:
    blocked = account(firm, is_blocked=True)
    with refused(firm, BadInput) as refusal:
        create(firm, amount=-1, account=blocked)
    assert [(p.path, p.code, p.message, dict(p.values)) for p in refusal.value.problems] == [
        ("amount", "validation.failed", "Not below zero", {"rule": "positive"}),
        ("", "validation.failed", "The account is blocked", {"rule": "blocked"}),
    ]
    made = create(firm, amount=100)
    assert codes(firm, {"amount": 40}, made["id"]) == [("", "validation.failed")]
    assert firm.records("ann").update("deal", made["id"], {"amount": 50})["amount"] == 50.0


def test_a_rule_reads_settings_formulas_and_who_is_acting(firm: Running) -> None:
    good = account(firm, rating=6)
    assert codes(firm, {"account": good, "amount": 1001}) == [("", "validation.failed")]
    assert create(firm, account=good, amount=1001, discount=10)["total"] == 900.9
    assert create(firm, who="bob", account=good, amount=1001)["amount"] == 1001.0


def test_a_warning_does_not_stop_a_write(firm: Running) -> None:
    records = firm.records("ann")
    made = records.create("deal", {"name": "a", "stage": "new", "amount": 200_000})
    (warning,) = records.ctx.warnings
    assert (warning.path, warning.code, warning.message, warning.record) == (
        "amount", "validation.warning", "Is it that much?", made["id"],
    )  # fmt: skip
    asking = Records(replace(records.ctx, warnings=[], stops_at_warnings=True))
    with refused(firm, NeedsConfirmation):
        asking.update("deal", made["id"], {"name": "b"})
    assert firm.client("ann").patch(f"/api/v1/records/deal/{made['id']}", json={"name": "b"}).json()["_warnings"] == [
        {"path": "amount", "code": "validation.warning", "message": "Is it that much?", "candidates": []}
    ]


def test_all_that_is_wrong_is_told_at_once(firm: Running) -> None:
    values = {"amount": "much", "country": "xx", "state": "nrw", "contract": 7, "key": "k", "stage": "done", "nmae": 1}
    assert codes(firm, values) == [
        ("amount", "value.number"), ("contract", "value.type"), ("country", "value.choice.unknown"),
        ("nmae", "field.unknown"), ("stage", "value.choice.record_type"),
    ]  # fmt: skip


def test_a_rule_that_cannot_be_evaluated_refuses_the_save(
    firm: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    create(firm, amount=1)
    functions = firm.context().snapshot.plugins.functions

    def fails(here: object, role: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setitem(functions._items, "HAS_ROLE", replace(functions["HAS_ROLE"], python=fails))
    firm.context().snapshot.cache.clear()
    good = account(firm, rating=6)
    assert codes(firm, {"account": good, "amount": 1001}) == [("", "validation.broken")]
    assert "'unless' of the rule 'level' of 'deal' cannot be evaluated" in caplog.text


def test_what_is_not_tracked_is_not_told(firm: Running) -> None:
    made = create(firm, note="secret")
    firm.records("ann").update("deal", made["id"], {"note": "other"})
    firm.records("ann").update("deal", made["id"], {"note": "third", "name": "b"})
    changes = [change.changes for change in firm.records("ann").history("deal", made["id"])]
    assert (len(changes), changes[0], "note" in changes[1]) == (2, {"name": ("a", "b")}, False)


def data(object_name: str, *records: dict[str, object]) -> Data:
    made = (
        Record(str(values.pop("_key", "")), values, Place("data.yaml", line)) for line, values in enumerate(records)
    )
    return Data(object_name, tuple(made), "firm", Place("data.yaml"))


def test_sample_data_keeps_the_rules(firm: Running) -> None:
    """Records refer to later ones: values are fetched from these, and rules are asked when all are there."""

    def samples(account: str, amount: int) -> list[Data]:
        return [
            data("deal", {"name": "first", "account": "acme", "amount": 90, "contact": "eve"},
                 {"name": "second", "account": account, "stage": "new", "amount": amount}),
            data("contact", {"_key": "eve", "name": "Eve", "account": "acme"}),
            data("account", {"_key": "acme", "name": "Acme", "region": "east", "discount": 5},
                 {"_key": "bad", "name": "Bad", "is_blocked": True}),
        ]  # fmt: skip

    with refused(firm, BadInput) as refusal:
        load(firm.tenant, samples("bad", -5), NOW)
    assert [(p.path, p.message) for p in refusal.value.problems] == [
        ("data.yaml:1 amount", "Not below zero"), ("data.yaml:1", "The account is blocked"),
    ]  # fmt: skip
    assert load(firm.tenant, samples("acme", 5), NOW) == {"deal": 2, "contact": 1, "account": 2}
    found = firm.records().list(Query("deal", ("region", "discount", "share"), filter="name == 'first'")).records
    assert [(one["region"], one["discount"], one["share"]) for one in found] == [("east", 5.0, 30.0)]


def test_a_lookup_offers_what_the_filter_lets_through(firm: Running) -> None:
    acme, other = account(firm), account(firm, name="Other")
    records = firm.records("ann")
    for name, owner, is_active in (("Eve", acme, True), ("Gone", acme, False), ("Max", other, True)):
        records.create("contact", {"name": name, "account": owner, "is_active": is_active})

    def offered(**record: object) -> list[str]:
        return [title for _, title, _ in records.options("contact", "", 20, "deal.contact", record)]

    assert (offered(account=acme), offered(account=other), offered(), offered(account="x")) == (
        ["Eve"],
        ["Max"],
        [],
        [],
    )
    made = create(firm, account=acme)
    assert (offered(id=made["id"]), offered(id=made["id"], account=other)) == (["Eve"], ["Max"])
    assert [title for _, title, _ in records.options("contact")] == ["Eve", "Gone", "Max"]
    with pytest.raises(BadInput, match="no reference to 'contact'"):
        records.options("contact", "", 20, "deal.account", {})
