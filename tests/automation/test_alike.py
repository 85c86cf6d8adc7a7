"""Whichever way records come in, one by one or many at once, automations have the same effects."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.service import Query
from engine.testing import Running, running
from tests.automation.firm import FIRM

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
RULES = """
automation: before
object: lead
phase: before_save
when: "score > 5"
do: [{set: {rating: "=IF(score > 50, 'hot', 'warm')", account: "=COALESCE(account, null)"}}]
---
automation: refused
object: lead
phase: before_save
when: "score == 13"
do: [{refuse: {message: not 13, field: score}}]
---
automation: by_account
object: lead
order: 1
when: "account.region == 'east'"
becomes: true
do: [{set: {hint: "east {account.name}"}}]
---
automation: hot
object: lead
order: 2
when: "rating == 'hot'"
becomes: true
changed: [rating]
do: [{create: {object: task, values: {name: "{name}/{hint}", lead: "=id"}}}, {set: {amount: "=score * 2"}}]
---
automation: doubled
object: lead
order: 3
do: [{set: {amount: "=COALESCE(amount, 0) + 1"}}]
"""
VALUES = st.fixed_dictionaries({}, optional={
    "score": st.sampled_from([1, 6, 13, 60, None]),
    "rating": st.sampled_from(["cold", "hot", None]),
    "account": st.sampled_from(["east", "west"]),
})  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[Running]:
    with running("", [f"{FIRM}\n---\n{RULES}"], now=NOW) as made:
        made.accounts = {  # type: ignore[attr-defined]
            region: made.records().create("account", {"name": region.upper(), "region": region})["id"]
            for region in ("east", "west")
        }
        yield made


def outcome(site: Running, ids: list[str | None]) -> list[Any]:
    records = site.records()
    found = []
    for one in ids:
        if one is None:
            found.append("refused")
            continue
        record = records.get("lead", one, ("rating", "hint", "amount", "score", "version"))
        tasks = records.list(Query("task", ("name",), conditions=(("lead", "=", one),))).records
        found.append(({name: record.get(name) for name in ("rating", "hint", "amount", "score", "version")},
                      [task["name"] for task in tasks]))  # fmt: skip
    return found


@settings(
    max_examples=40, deadline=None, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(rows=st.lists(VALUES, min_size=2, max_size=4), changes=st.lists(VALUES, min_size=4, max_size=4))
def test_many_at_once_come_to_the_same_as_one_by_one(
    site: Running, rows: list[dict[str, Any]], changes: list[dict[str, Any]]
) -> None:
    def meant(values: dict[str, Any]) -> dict[str, Any]:
        accounts: dict[str, str] = site.accounts  # type: ignore[attr-defined]
        return {**values, "account": accounts[values["account"]]} if "account" in values else values

    new = [{"name": f"n{index}", **meant(row)} for index, row in enumerate(rows)]
    ways: list[list[Any]] = []
    for size in (1, len(new)):
        operations = [{"action": "create", "values": values} for values in new]
        ids: list[str | None] = []
        for start in range(0, len(operations), size):
            results = site.records().batch("lead", operations[start : start + size], atomic=False)
            ids += [None if one.error else one.id for one in results]
        made = outcome(site, ids)
        updates = [
            {"action": "update", "id": one, "values": meant(change)}
            for one, change in zip(ids, changes, strict=False) if one is not None
        ]  # fmt: skip
        for start in range(0, len(updates), size):
            site.records().batch("lead", updates[start : start + size], atomic=False)
        ways.append([made, outcome(site, ids)])
    assert ways[0] == ways[1]
