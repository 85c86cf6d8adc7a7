"""Fields that a person does not see, or sees the mask of, on every path: hidden and missing give the same answer."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors import BadInput, EngineError
from engine.service import AggregateQuery, Query, SortKey
from engine.testing import Running, running
from tests.access.conftest import NOW, TEAM, sales

HIDDEN = ("salary", "passport", "tax", "twice", "called")
"""Hidden from marketing: by their grant, or because what they are worked out from is hidden or masked to them."""


def lead(team: Running, name: str) -> str:
    found = team.records().list(Query("lead", ("id",), filter=f"name == '{name}'"))
    return str(found.records[0]["id"])


CLAUSES: dict[str, Any] = {
    "fields": lambda r, f: r.list(Query("lead", (f,))),
    "get": lambda r, f: r.get("lead", r.list(Query("lead", ("id",))).records[0]["id"], (f,)),
    "get_row": lambda r, f: r.get_row("lead", r.list(Query("lead", ("id",))).records[0]["id"], (f,)),
    "filter": lambda r, f: r.list(Query("lead", filter=f"{f} == null")),
    "filter through a reference": lambda r, f: r.list(Query("call", filter=f"lead.{f} == null")),
    "sort": lambda r, f: r.list(Query("lead", sort=(SortKey(f),))),
    "sort through a reference": lambda r, f: r.list(Query("call", sort=(SortKey(f"lead.{f}"),))),
    "conditions": lambda r, f: r.list(Query("lead", conditions=((f, "filled", None),))),
    "group": lambda r, f: r.aggregate(AggregateQuery("lead", group=(f,))),
    "group of a formula": lambda r, f: r.aggregate(AggregateQuery("lead", group=(f"IF({f} == null, 1, 2)",))),
    "measure": lambda r, f: r.aggregate(AggregateQuery("lead", measures=(f"count({f})",))),
    "having": lambda r, f: r.aggregate(AggregateQuery("lead", group=("stage",), having=f"count({f}) > 0")),
    "aggregate filter": lambda r, f: r.aggregate(AggregateQuery("lead", filter=f"{f} != null")),
    "create": lambda r, f: r.create("lead", {"name": "x", f: "1"}),
    "update": lambda r, f: r.update("lead", own(r), {f: "1"}),
    "upsert": lambda r, f: r.upsert("lead", f, "1", {"name": "x"}),
    "batch": lambda r, f: r.batch("lead", [{"action": "update", "id": own(r), "values": {f: "1"}}]),
    "merge": lambda r, f: r.merge("lead", own(r), [others(r)], {f: others(r)}),
}


def own(records: Any) -> str:
    return str(records.list(Query("lead", ("id",), filter="owner == user.id")).records[0]["id"])


def others(records: Any) -> str:
    return str(records.list(Query("lead", ("id",), filter="owner != user.id")).records[0]["id"])


@pytest.fixture
def market(database_url: str) -> Iterator[Running]:
    """max, from marketing, owns a lead, and may create and delete, too."""
    with running(database_url, [TEAM], now=NOW, fill=sales_and_marketing) as site:
        yield site


def sales_and_marketing(site: Running) -> None:
    sales(site)
    site.user("kim", "helper")
    site.records().create("lead", {"name": "max", "phone": "13900139000", "owner": site.user("max")})


def answer_of(team: Running, clause: str, name: str) -> tuple[str, str, str]:
    with pytest.raises(EngineError) as refusal:
        CLAUSES[clause](team.records("kim"), name)
    error = refusal.value
    words = f"{error} | {error.fix} | {[(p.path, p.code, p.message, p.fix, p.values) for p in error.problems]}"
    # A nearest name may be guessed of what is visible; the name itself is what was asked for.
    return type(error).__name__, error.code, re.sub(rf"\b{name}\b", "NAME", re.sub(r"write '[^']*'\?", "", words))


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_and_missing_give_the_same_answer(market: Running, name: str) -> None:
    kim = market.user("kim")
    market.records().create("lead", {"name": "kim", "owner": kim})
    hidden = {clause: answer_of(market, clause, name) for clause in CLAUSES}
    assert hidden == {clause: answer_of(market, clause, "nosuchxyz") for clause in CLAUSES}


def test_a_hidden_field_is_in_no_answer(market: Running) -> None:
    records = market.records("max")
    record = records.get("lead", lead(market, "max"))
    assert set(record) & {*HIDDEN, "calls"} == set()
    assert (record["name"], record["phone"], record["shown"]) == ("max", "139****9000", 0)
    written = records.update("lead", record["id"], {"stage": "won"})
    assert set(written) & {*HIDDEN, "calls"} == set()
    market.records().update("lead", record["id"], {"salary": "5.00", "stage": "new"})
    changes = [one.changes for one in records.history("lead", record["id"])]
    assert set(changes[0]) == {"stage"}
    assert changes[-1]["phone"] == (None, "139****9000")


def test_the_definitions_and_the_api_tell_nothing_of_it(market: Running) -> None:
    client = market.client("max")
    told = client.get("/api/v1/objects/lead").json()
    assert {field["name"] for field in told["fields"]} & {*HIDDEN, "calls"} == set()
    openapi = client.get("/api/v1/openapi.json").text
    assert "salary" not in openapi
    assert "passport" not in openapi
    assert client.get("/api/v1/records/lead", params={"fields": "salary"}).status_code == 400
    listed = client.get("/api/v1/records/lead", params={"filter": "name == 'max'"}).json()["records"][0]
    assert listed["phone"] == "139****9000"


def test_a_formula_through_a_reference_is_hidden_with_what_it_reads(market: Running) -> None:
    assert "limit" not in market.context("max").scope.readable("lead")
    assert "limit" in market.context("eve").scope.readable("lead")


def test_what_reveals_is_shown(market: Running) -> None:
    record = market.records("max").get("lead", lead(market, "eve"))
    assert record["shown"] == 300


@pytest.mark.parametrize(
    "clause", ["filter", "filter through a reference", "sort", "conditions", "group", "group of a formula", "measure",
               "having", "aggregate filter"],
)  # fmt: skip
def test_a_mask_cannot_be_searched_through(market: Running, clause: str) -> None:
    with pytest.raises(BadInput) as refusal:
        CLAUSES[clause](market.records("max"), "phone")
    assert refusal.value.code in ("field.masked", "formula.secret", "field.unknown")


def test_a_mask_is_not_found_by_the_search_box_or_by_upsert(market: Running) -> None:
    assert market.records("max").list(Query("lead", ("name",), search="1390013")).records == []
    assert len(market.records("boss").list(Query("lead", ("name",), search="1390013")).records) == 1
    assert market.records("max").options("lead", "1390013") == []


def test_options_show_the_mask(market: Running) -> None:
    assert [option[1:] for option in market.records("max").options("lead", "max")] == [("max", "139****9000")]


def test_read_only_is_refused_in_the_words_of_a_read_only_field(market: Running) -> None:
    with pytest.raises(BadInput) as refusal:
        market.records("max").update("lead", lead(market, "max"), {"name": "other"})
    assert (refusal.value.code, str(refusal.value)) == ("value.read_only", "'name' cannot be changed")
    assert market.records("max").update("lead", lead(market, "max"), {"name": "max", "stage": "won"})["stage"] == "won"


def test_a_mask_that_comes_back_changes_nothing_and_a_new_value_is_taken(market: Running) -> None:
    deb = market.user("deb", "desk")
    made = market.records().create("lead", {"name": "deb", "phone": "13700137000", "owner": deb})["id"]
    records = market.records("deb")
    same = records.update("lead", made, {"phone": "137****7000"})
    assert (same["phone"], same["version"]) == ("137****7000", 1)
    changed = records.update("lead", made, {"phone": "13600136000"})
    assert (changed["phone"], changed["version"]) == ("136****6000", 2)
    assert market.records().get("lead", made)["phone"] == "13600136000"
    with pytest.raises(BadInput) as refusal:
        market.records("max").update("lead", lead(market, "max"), {"phone": "13600136000"})
    assert refusal.value.code == "value.read_only"


def test_a_value_is_unmasked_one_at_a_time_and_noted(market: Running) -> None:
    import orjson
    import sqlalchemy as sa

    from engine.store import system

    own = lead(market, "max")
    refused = market.client("max").post(f"/api/v1/records/lead/{own}/unmask", json={"field": "phone"})
    assert (refused.status_code, refused.json()["code"]) == (403, "record.unmask.forbidden")
    market.user("una", "marketing", "keeper")
    client = market.client("una")
    got = client.post(f"/api/v1/records/lead/{own}/unmask", json={"field": "phone"})
    assert (got.status_code, got.json()) == (200, {"field": "phone", "value": "13900139000"})
    missing = client.post(f"/api/v1/records/lead/{own}/unmask", json={"field": "nosuch"}).json()
    hidden = client.post(f"/api/v1/records/lead/{own}/unmask", json={"field": "name"}).json()
    assert (missing["code"], hidden["code"]) == ("field.unknown", "field.unmasked")
    with market.tenant.database.read() as connection:
        kept = connection.sa.execute(sa.select(system.audit).where(system.audit.c.kind == "unmask")).all()
    assert [(one.record, orjson.loads(one.details)) for one in kept] == [(own, {"field": "phone"})]


def test_a_token_that_is_narrowed_shows_no_more_than_its_person_sees(market: Running) -> None:
    from engine.access.narrow import NarrowScope, TokenScope

    ctx = market.context("max")
    narrow = NarrowScope(ctx.scope, TokenScope(read_only=True))
    assert set(narrow.masks("lead")) == {"phone"}
    assert narrow.sees("lead", "salary") == 0
    assert "salary" not in narrow.readable("lead")


COUNTED = """
package: counted
version: 1.0.0
label: Counted
---
object: account
label: Account
fields:
  name: {type: text, required: true}
  owed: {type: rollup, of: bill.account, operation: sum, field: amount, returns: integer}
---
object: bill
label: Bill
fields:
  name: {type: text, required: true}
  amount: {type: integer}
  account: {type: reference, to: account}
---
role: front
objects: {account: [read]}
---
role: back
objects: {account: [read], bill: [read]}
"""


def test_a_roll_up_over_what_may_not_be_read_is_hidden_though_no_grant_names_fields(database_url: str) -> None:
    with running(database_url, [COUNTED]) as site:
        site.user("fay", "front")
        site.user("ben", "back")
        account = site.records().create("account", {"name": "Acme"})["id"]
        site.records().create("bill", {"name": "B1", "amount": 7, "account": account})
        assert "owed" not in site.records("fay").get("account", account)
        with pytest.raises(BadInput):
            site.records("fay").list(Query("account", filter="owed > 5"))
        assert site.records("ben").get("account", account)["owed"] == 7


def test_what_a_mask_covers_cannot_be_guessed_by_writing_it(market: Running) -> None:
    own_ = lead(market, "max")
    for value in ("13900139000", "13900139001"):
        with pytest.raises(BadInput) as refusal:
            market.records("max").update("lead", own_, {"phone": value})
        assert refusal.value.code == "value.read_only"
    assert market.records("max").update("lead", own_, {"phone": "139****9000"})["version"] == 1


LIKE = """
package: like
version: 1.0.0
label: Like
---
object: firm
label: Firm
fields:
  name: {type: text, required: true}
  phone: {type: text, mask: phone}
  debt: {type: integer}
duplicates:
  - {rule: rich, match: {name: company}, filter: "debt > 500"}
  - {rule: rung, match: {phone: phone}}
---
role: front
objects: {firm: {can: [create, read], fields: {debt: hidden, phone: {access: edit, mask: true}}}}
---
role: back
objects: {firm: [create, read]}
"""


def test_a_duplicate_is_not_told_by_what_a_rule_filters_by_or_compares_out_of_sight(database_url: str) -> None:
    with running(database_url, [LIKE]) as site:
        site.user("fay", "front")
        site.user("ben", "back")
        site.records().create("firm", {"name": "Acme", "phone": "13800138000", "debt": 700})
        sent = {"name": "Acme", "phone": "13800138000"}
        assert site.client("fay").post("/api/v1/records/firm", json=sent).json().get("_warnings") is None
        warned = site.client("ben").post("/api/v1/records/firm", json=sent).json()["_warnings"]
        assert [one["path"] for one in warned] == ["name", "phone"]
