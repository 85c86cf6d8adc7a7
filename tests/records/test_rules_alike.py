"""Whichever way values come in, they are refused for the same reasons."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.service import Query
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
FIRM = """
package: firm
version: 1.0.0
label: Firm
---
object: account
label: Account
fields:
  name: {type: text, required: true}
  region: {type: choice, choices: {east: East, west: West}}
---
object: deal
label: Deal
record_types:
  sale: {label: Sale, choices: {stage: [new, won]}}
  service: {label: Service, choices: {stage: [new, done]}}
fields:
  name: {type: text, required: true}
  key: {type: text, unique: true}
  account: {type: reference, to: account, filter: "record.region == null or region == record.region"}
  region: {type: choice, choices: {east: East, west: West}}
  fetched: {type: choice, choices: {east: East, west: West}, fetch: account.region}
  stage: {type: choice, choices: {new: New, won: Won, done: Done}}
  country: {type: choice, choices: {de: Germany, cn: China}}
  city: {type: choice, depends_on: country, choices: {bonn: {label: Bonn, for: de}, anywhere: Anywhere}}
  amount: {type: currency, min: -1000}
  reason: {type: text, require_if: stage == 'won' or amount > 100}
  hint: {type: text, required: true, show_if: country == 'cn'}
  lines: {type: table, of: line}
validations:
  - {rule: positive, error_if: amount < 0, message: Below zero, field: amount}
  - {rule: east, error_if: fetched == 'east' and city == 'bonn', message: Bonn is not in the east}
  - {rule: far, error_if: account.region == 'west' and amount > 50, unless: reason == 'far', message: Too far}
  - {rule: lines, error_if: "amount < SUM(lines, price)", message: Less than its lines}
---
object: line
label: Line
kind: child
fields:
  name: {type: text, required: true}
  deal: {type: reference, to: deal, master: true}
  price: {type: currency}
validations:
  - {rule: cheap, error_if: price < 1, message: Too cheap, field: price}
"""
LINES = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["x", ""]), "price": st.sampled_from([0, 5, 70])}), max_size=2
)  # fmt: skip
VALUES = st.fixed_dictionaries({}, optional={
    "name": st.sampled_from(["a", "", None]),
    "record_type": st.sampled_from(["sale", "service", "none"]),
    "account": st.sampled_from(["east", "west", "nobody", None]),
    "region": st.sampled_from(["east", "west", None]),
    "fetched": st.sampled_from(["east", None]),
    "stage": st.sampled_from(["new", "won", "done", None]),
    "country": st.sampled_from(["de", "cn", "fr", None]),
    "city": st.sampled_from(["bonn", "anywhere", None]),
    "amount": st.sampled_from([-2000, -5, 20, 60, 200, "x", None]),
    "reason": st.sampled_from(["far", "price", ""]),
    "hint": st.sampled_from(["h", ""]),
    "lines": LINES,
    "colour": st.just(1),
})  # fmt: skip


@pytest.fixture(scope="module")
def firm() -> Iterator[Running]:
    with running("", [FIRM], now=NOW) as site:
        site.accounts = {  # type: ignore[attr-defined]
            region: site.records().create("account", {"name": region, "region": region})["id"]
            for region in ("east", "west")
        }
        yield site


def told(error: EngineError | None, start: str = "") -> list[tuple[str, str, str]]:
    problems = error.problems if error is not None else ()
    return sorted((one.path.removeprefix(start), one.code, one.message) for one in problems)


@settings(
    max_examples=120, deadline=None, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(values=VALUES)
def test_all_ways_of_writing_refuse_alike(firm: Running, values: dict[str, Any]) -> None:
    if "account" in values:
        nobody = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"
        values = {**values, "account": firm.accounts.get(values["account"]) or (values["account"] and nobody)}  # type: ignore[attr-defined]
    whole = {"name": "a", **values}
    records = firm.records()
    single = told(attempt(firm, "create", whole))
    batch = records.batch("deal", [
        {"action": "create", "values": whole}, {"action": "create", "values": {"name": "other"}},
        {"action": "upsert", "field": "key", "value": "new", "values": whole},
    ], atomic=False)  # fmt: skip
    held = records.create("deal", {"name": "held", "key": "held"})
    changed = attempt(firm, "update", whole, held["id"])
    upserted = [attempt(firm, "upsert", whole, key) for key in ("fresh", "held")]
    for key in ("new", "fresh", "held"):
        if found := records.list(Query("deal", ("id",), conditions=(("key", "=", key),))).records:
            records.delete("deal", found[0]["id"])
    assert [told(batch[0].error), told(batch[2].error), told(changed), *map(told, upserted)] == [single] * 5
    assert batch[1].error is None


def attempt(firm: Running, way: str, values: Mapping[str, Any], which: str = "") -> EngineError | None:
    try:
        if way == "create":
            firm.records().create("deal", values)
        elif way == "update":
            firm.records().update("deal", which, values)
        else:
            firm.records().upsert("deal", "key", which, values)
    except EngineError as error:
        return error
    return None
