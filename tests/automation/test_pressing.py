"""A button of several records at once: each by itself, with the rights of one."""

from collections.abc import Callable

import pytest

from engine.errors import BadInput, EngineError, NotFound
from engine.process.automation import desk
from engine.service import Query
from engine.testing import Running

Made = Callable[..., Running]

HEAT = """
automation: heat
object: lead
button: true
when: "rating != 'hot'"
do:
  - {create: {object: task, values: {name: "Call {name}"}}}
  - {set: {rating: hot}}
  - {create: {object: task, values: {name: "=hint"}}}
---
automation: cool
object: lead
button: {label: Cool, roles: [newcomer]}
do: [{set: {rating: cold}}]
"""


def leads(site: Running, *hints: str) -> list[str]:
    made = site.records("lin")
    return [str(made.create("lead", {"name": f"lead {n}", "hint": hint or None})["id"]) for n, hint in enumerate(hints)]


def test_what_one_refuses_does_not_keep_the_others_and_leaves_nothing_of_it(firm: Made) -> None:
    site = firm(HEAT)
    first, second, third = leads(site, "Ring", "", "Write")  # the second step of the second has no name for its task
    site.records("lin").update("lead", third, {"rating": "hot"})
    found = desk.press_many(site.context("lin"), "lead", [third, first, second, first], "heat")
    assert [(one.record, one.run.state if one.run else "", one.error.code if one.error else "") for one in found] == [
        (third, "", "automation.condition"), (first, "done", ""), (second, "", "value.required"),
    ]  # fmt: skip
    ratings = {one["id"]: one["rating"] for one in site.records().list(Query("lead", ("id", "rating"))).records}
    assert ratings == {first: "hot", second: None, third: "hot"}
    assert sorted(one["name"] for one in site.records().list(Query("task", ("name",))).records) == [
        "Call lead 0",
        "Ring",
    ]
    assert [(one.record, one.state) for one in desk.list_runs(site.context("boss")).runs] == [(first, "done")]


def test_at_most_two_hundred_and_at_least_one(light_firm: Made) -> None:
    site = light_firm(HEAT)
    [lead] = leads(site, "Ring")
    for wanted in ([], [f"019ab000-0000-7000-8000-{n:012}" for n in range(200)] + [lead]):
        with pytest.raises(BadInput) as refused:
            desk.press_many(site.context("lin"), "lead", wanted, "heat")
        assert refused.value.code == "automation.records"
    assert desk.list_runs(site.context("boss")).runs == []


def test_each_asks_for_the_rights_of_one(light_firm: Made) -> None:
    site = light_firm(HEAT)
    [lead] = leads(site, "Ring")
    gone = "019ab000-0000-7000-8000-000000000000"
    found = desk.press_many(site.context("lin"), "lead", [gone, lead], "heat")
    assert [one.error.code if one.error else "" for one in found] == ["record.unknown", ""]
    with pytest.raises(EngineError) as refused:
        desk.press_many(site.context("lin"), "lead", [lead], "cool")
    assert refused.value.code == "automation.forbidden"
    site.user("guest")
    for who, name in (("lin", "nothing"), ("guest", "heat")):
        with pytest.raises(NotFound) as unknown:
            desk.press_many(site.context(who), "lead", [lead], name)
        assert unknown.value.code == "automation.unknown"
    assert [one.name for one in desk.buttons_of(site.context("lin"), "lead")] == ["heat"]
    assert desk.buttons_of(site.context("guest"), "lead") == []


def test_the_api_tells_of_each(light_firm: Made) -> None:
    site = light_firm(HEAT)
    first, second = leads(site, "Ring", "")
    client = site.client("lin")
    told = client.post("/api/v1/automations/heat/run", json={"records": [first, second]})
    assert told.status_code == 200
    done, refused = told.json()["results"]
    assert (done["record"], done["status"], done["run"]["state"]) == (first, 200, "done")
    assert (refused["record"], refused["status"], refused["code"]) == (second, 422, "value.required")
    for body in ({}, {"records": "x"}, {"records": [5]}, {"records": [first], "more": 1}):
        assert client.post("/api/v1/automations/heat/run", json=body).status_code in (400, 422), body
